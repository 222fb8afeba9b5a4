//! `berth session …`: every session, one session, or those that filters name.

use serde::Serialize;

use super::args::{Filter, OutputArgs, SessionCommand, Which};
use super::ask::confirmed;
use super::desk::Desk;
use super::failure::{Exit, Failure};
use super::out::{put, tell};
use super::progress;
use super::sharing::print_grants;
use super::show::{print, print_json, refusal};
use super::table::{Table, relative_text};
use crate::control::{GrantRow, Reply, Request, SessionChange, SessionRow};

pub(super) async fn session(desk: &Desk, command: SessionCommand, output: OutputArgs) -> Result<(), Failure> {
    let (which, to) = match command {
        SessionCommand::List { filter } => {
            let rows = filtered(list(desk).await?, &filter);
            print(output, &rows, || table(&rows).print("no sessions"));
            return Ok(());
        }
        SessionCommand::Show { label } => {
            let (session, grants) = show(desk, label).await?;
            let document = serde_json::json!({ "session": session, "grants": grants });
            print(output, &document, || print_one(&session, grants.as_deref()));
            return Ok(());
        }
        SessionCommand::Create { template, name, owner } => {
            return create(desk, Request::SessionCreate { owner, template, name }, output).await;
        }
        SessionCommand::Start(which) => (which, SessionChange::Start),
        SessionCommand::Stop(which) => (which, SessionChange::Stop),
        SessionCommand::Restart(which) => (which, SessionChange::Restart),
        SessionCommand::Reset { which, home } => (which, SessionChange::Reset { home }),
        SessionCommand::Pause(which) => (which, SessionChange::Pause),
        SessionCommand::Resume(which) => (which, SessionChange::Resume),
        SessionCommand::Extend(which) => (which, SessionChange::Extend),
        SessionCommand::Remove(which) => (which, SessionChange::Remove),
    };
    change(desk, which, to, output).await
}

async fn create(desk: &Desk, request: Request, output: OutputArgs) -> Result<(), Failure> {
    let made = match desk.ask(request).await? {
        Reply::Session { session, grants: _ } => session,
        other => return Err(refusal(other)),
    };
    print(output, &made, || put(format_args!("session {} of {} is {}", made.label, made.owner, made.state)));
    Ok(())
}

async fn list(desk: &Desk) -> Result<Vec<SessionRow>, Failure> {
    match desk.ask(Request::SessionList).await? {
        Reply::Sessions { sessions } => Ok(sessions),
        other => Err(refusal(other)),
    }
}

async fn show(desk: &Desk, label: String) -> Result<(SessionRow, Option<Vec<GrantRow>>), Failure> {
    match desk.ask(Request::SessionShow { label }).await? {
        Reply::Session { session, grants } => Ok((*session, grants)),
        other => Err(refusal(other)),
    }
}

/// What became of one session.
#[derive(Serialize)]
struct Outcome {
    label: String,
    /// `None` is done.
    code: Option<String>,
    text: String,
}

/// Does the same with every session that is meant, one after the other; one that refuses does not keep
/// the others from it.
async fn change(desk: &Desk, which: Which, change: SessionChange, output: OutputArgs) -> Result<(), Failure> {
    let labels = labels(desk, &which).await?;
    if labels.is_empty() && !output.json {
        put("no session matches: nothing was done");
    }
    if let Some(question) = question(&labels, change, which.all) {
        confirmed(&question, which.yes)?;
    }
    let bar = progress::steps(labels.len(), "sessions");
    let (mut outcomes, mut broken_off) = (Vec::with_capacity(labels.len()), None);
    for label in labels {
        let request = Request::SessionChange { label: label.clone(), change };
        let (code, text) = match desk.ask(request).await {
            Ok(Reply::Done { text }) => (None, text),
            Ok(Reply::Refused { code, text }) => (Some(code), text),
            Ok(other) => return Err(refusal(other)),
            Err(failure) => {
                broken_off = Some(failure);
                break;
            }
        };
        if !output.json && code.is_none() {
            bar.suspend(|| put(&text));
        }
        outcomes.push(Outcome { label, code, text });
        bar.inc(1);
    }
    bar.finish_and_clear();
    if output.json {
        print_json(&outcomes);
    }
    broken_off.map_or_else(|| refused(outcomes), Err)
}

/// Says which were refused, and why.
fn refused(mut outcomes: Vec<Outcome>) -> Result<(), Failure> {
    let all = outcomes.len();
    outcomes.retain(|outcome| outcome.code.is_some());
    if outcomes.is_empty() {
        return Ok(());
    }
    if all == 1 {
        let alone = outcomes.remove(0);
        return Err(refusal(Reply::Refused { code: alone.code.unwrap_or_default(), text: alone.text }));
    }
    for Outcome { label, code, text } in &outcomes {
        tell!("session {label}: {text} ({})", code.as_deref().unwrap_or_default());
    }
    Err(Failure::new(
        Exit::Failed,
        format!("{} of {all} sessions refused", outcomes.len()),
        "see above, each with its own reason",
        "look with `berth session list`, and repeat for those that are left",
    ))
}

/// The labels of those that are meant.
async fn labels(desk: &Desk, which: &Which) -> Result<Vec<String>, Failure> {
    if which.all {
        let rows = filtered(list(desk).await?, &which.filter);
        return Ok(rows.into_iter().map(|row| row.label).collect());
    }
    if which.filter.is_empty() {
        return Ok(which.labels.clone());
    }
    let todo = "add --all to mean every session that the filters name, or name labels alone";
    Err(Failure::new(
        Exit::Refused,
        "filters need --all",
        "a label says already which session is meant",
        todo,
    ))
}

/// What is asked before something is destroyed; `None` if nothing is.
fn question(labels: &[String], change: SessionChange, bulk: bool) -> Option<String> {
    let many = match labels {
        [] => return None,
        [label] => format!("session {label}"),
        labels => format!("{} sessions", labels.len()),
    };
    match change {
        SessionChange::Remove => Some(format!(
            "This removes {many}: the containers with everything in them outside persistent homes, and homes of \
             sessions of their own."
        )),
        SessionChange::Reset { home: true } => Some(format!(
            "This makes {many} anew and empties the home, of which a dated copy is kept. What was installed or changed \
             elsewhere is lost."
        )),
        SessionChange::Reset { home: false } => {
            Some(format!("This makes {many} anew. What was installed or changed outside the home is lost."))
        }
        SessionChange::Stop | SessionChange::Restart if bulk => {
            Some(format!("This closes everything that runs in {many}. Files are kept."))
        }
        SessionChange::Extend
        | SessionChange::Pause
        | SessionChange::Restart
        | SessionChange::Resume
        | SessionChange::Start
        | SessionChange::Stop => None,
    }
}

fn filtered(rows: Vec<SessionRow>, filter: &Filter) -> Vec<SessionRow> {
    let same = |wanted: &Option<String>, is: &str| {
        wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(is))
    };
    let has = |row: &SessionRow| {
        let text = filter.search.as_ref().map(|text| text.to_lowercase());
        text.is_none_or(|text| {
            [&row.label, &row.name, &row.owner].into_iter().any(|field| field.to_lowercase().contains(&text))
        })
    };
    let states: Vec<_> = filter.state.iter().map(|state| state.name()).collect();
    rows.into_iter()
        .filter(|row| {
            (states.is_empty() || states.contains(&row.state.as_str()))
                && same(&filter.owner, &row.owner)
                && same(&filter.template, &row.template)
                && has(row)
        })
        .collect()
}

fn table(rows: &[SessionRow]) -> Table {
    let mut table = Table::new(&["LABEL", "STATE", "OWNER", "TEMPLATE", "NAME", "LAST INPUT", "ENDS"]);
    for row in rows {
        let ends = row.expires_at.as_deref();
        table.row([
            row.label.clone(),
            state(row),
            row.owner.clone(),
            row.template.clone(),
            row.name.clone(),
            relative_text(row.last_input_at.as_deref(), "-"),
            match (ends, &row.expires_because) {
                (Some(at), Some(because)) => format!("{} ({because})", relative_text(Some(at), "-")),
                _ => "-".to_owned(),
            },
        ]);
    }
    table
}

fn state(row: &SessionRow) -> String {
    match row.phase.as_ref().or(row.reason.as_ref()) {
        Some(detail) => format!("{} ({detail})", row.state),
        None => row.state.clone(),
    }
}

fn print_one(row: &SessionRow, grants: Option<&[GrantRow]>) {
    let time = |at: &Option<String>| match at {
        Some(at) => format!("{} ({at})", relative_text(Some(at), "-")),
        None => "-".to_owned(),
    };
    let mut lines = vec![
        ("label", row.label.clone()),
        ("name", row.name.clone()),
        ("owner", row.owner.clone()),
        ("template", row.template.clone()),
        ("state", state(row)),
    ];
    lines.extend(row.reason_text.clone().map(|text| ("", text)));
    lines.push(("created", time(&Some(row.created_at.clone()))));
    lines.push(("reachable", time(&row.ready_at)));
    lines.push(("last input", time(&row.last_input_at)));
    lines.extend(row.viewers.map(|viewers| ("viewers", viewers.to_string())));
    if let (Some(at), Some(because)) = (&row.expires_at, &row.expires_because) {
        lines.push(("ends", format!("{} ({at}), {because}", relative_text(Some(at), "-"))));
    }
    lines.extend(Some(row.container.clone()).filter(|name| !name.is_empty()).map(|name| ("container", name)));
    for (what, text) in lines {
        put(format_args!("{what:<11} {text}"));
    }
    if let Some(grants) = grants.filter(|grants| !grants.is_empty()) {
        put("");
        print_grants(grants);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::sessions::StateArg;

    fn row(label: &str, owner: &str, state: &str) -> SessionRow {
        SessionRow {
            label: label.to_owned(),
            owner: owner.to_owned(),
            state: state.to_owned(),
            name: format!("machine of {owner}"),
            ..SessionRow::default()
        }
    }

    #[test]
    fn filters_are_all_true_of_what_is_meant() {
        let rows = || vec![row("b", "ann", "ready"), row("c", "Ann", "stopped"), row("d", "bob", "ready")];
        let labels =
            |filter: Filter| filtered(rows(), &filter).into_iter().map(|row| row.label).collect::<Vec<_>>();
        assert_eq!(labels(Filter::default()), ["b", "c", "d"]);
        assert_eq!(labels(Filter { owner: Some("ann".into()), ..Filter::default() }), ["b", "c"]);
        let ready = Filter { state: vec![StateArg::Ready], ..Filter::default() };
        assert_eq!(labels(ready.clone()), ["b", "d"]);
        assert_eq!(labels(Filter { owner: Some("ann".into()), ..ready }), ["b"]);
        assert_eq!(labels(Filter { search: Some("OF B".into()), ..Filter::default() }), ["d"]);
    }

    #[test]
    fn what_destroys_is_asked_about_and_says_what() {
        let (one, two) = (["b".to_owned()], ["b".to_owned(), "c".to_owned()]);
        assert!(
            question(&one, SessionChange::Remove, false).is_some_and(|asked| asked.contains("session b"))
        );
        assert!(
            question(&two, SessionChange::Remove, true).is_some_and(|asked| asked.contains("2 sessions"))
        );
        assert!(question(&one, SessionChange::Reset { home: true }, false).is_some());
        assert_eq!(question(&one, SessionChange::Stop, false), None);
        assert!(question(&two, SessionChange::Stop, true).is_some());
        assert_eq!(question(&two, SessionChange::Start, true), None);
    }
}
