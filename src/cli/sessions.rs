//! `berth session …`: every session, one session, or those that filters name.

use super::args::{Filter, SessionCommand, Which};
use super::ask::confirmed;
use super::data::print_json;
use super::desk::{Desk, done, refusal};
use super::failure::{Exit, Failure};
use super::out::put;
use super::table::{Table, relative_text};
use crate::control::{GrantRow, Reply, Request, SessionChange, SessionRow};

pub(super) async fn session(desk: &Desk, command: SessionCommand) -> Result<(), Failure> {
    match command {
        SessionCommand::List { filter, output } => {
            let rows = filtered(list(desk).await?, &filter);
            match output.json {
                true => print_json(&rows),
                false => table(&rows).print("no sessions"),
            }
            Ok(())
        }
        SessionCommand::Show { label, output } => {
            let (session, grants) = show(desk, label).await?;
            match output.json {
                true => print_json(&serde_json::json!({ "session": session, "grants": grants })),
                false => print_one(&session, &grants),
            }
            Ok(())
        }
        SessionCommand::Grants { label, output } => {
            let (_, grants) = show(desk, label).await?;
            match output.json {
                true => print_json(&grants),
                false => print_grants(&grants),
            }
            Ok(())
        }
        SessionCommand::Create { template, name, owner } => {
            done(desk.ask(Request::SessionCreate { owner, template, name }).await?)
        }
        SessionCommand::Start(which) => change(desk, which, SessionChange::Start).await,
        SessionCommand::Stop(which) => change(desk, which, SessionChange::Stop).await,
        SessionCommand::Restart(which) => change(desk, which, SessionChange::Restart).await,
        SessionCommand::Reset { which, home } => change(desk, which, SessionChange::Reset { home }).await,
        SessionCommand::Pause(which) => change(desk, which, SessionChange::Pause).await,
        SessionCommand::Resume(which) => change(desk, which, SessionChange::Resume).await,
        SessionCommand::Extend(which) => change(desk, which, SessionChange::Extend).await,
        SessionCommand::Remove(which) => change(desk, which, SessionChange::Remove).await,
    }
}

async fn list(desk: &Desk) -> Result<Vec<SessionRow>, Failure> {
    match desk.ask(Request::SessionList).await? {
        Reply::Sessions { sessions } => Ok(sessions),
        other => Err(refusal(other)),
    }
}

async fn show(desk: &Desk, label: String) -> Result<(SessionRow, Vec<GrantRow>), Failure> {
    match desk.ask(Request::SessionShow { label }).await? {
        Reply::Session { session, grants } => Ok((*session, grants)),
        other => Err(refusal(other)),
    }
}

/// Does the same with every session that is meant, one after the other; one that refuses does not keep
/// the others from it.
async fn change(desk: &Desk, which: Which, change: SessionChange) -> Result<(), Failure> {
    let bulk = which.all;
    let labels = labels(desk, &which).await?;
    if labels.is_empty() {
        put("no session matches: nothing was done");
        return Ok(());
    }
    if let Some(question) = question(&labels, change, bulk) {
        confirmed(&question, which.yes)?;
    }
    if let [label] = &labels[..] {
        return done(desk.ask(Request::SessionChange { label: label.clone(), change }).await?);
    }
    let mut failed = 0;
    for label in &labels {
        match desk.ask(Request::SessionChange { label: label.clone(), change }).await? {
            Reply::Done { text } => put(text),
            Reply::Refused { code, text } => {
                eprintln!("session {label}: {text} ({code})");
                failed += 1;
            }
            other => return Err(refusal(other)),
        }
    }
    if failed == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Failed,
        format!("{failed} of {} sessions refused", labels.len()),
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

fn print_one(row: &SessionRow, grants: &[GrantRow]) {
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
    if !grants.is_empty() {
        put("");
        print_grants(grants);
    }
}

fn print_grants(grants: &[GrantRow]) {
    let mut table = Table::new(&["USER", "ROLE", "GIVEN BY", "SINCE", "UNTIL"]);
    for grant in grants {
        table.row([
            grant.user.clone(),
            grant.role.clone(),
            grant.granted_by.clone(),
            relative_text(Some(&grant.created_at), "-"),
            relative_text(grant.expires_at.as_deref(), "withdrawn"),
        ]);
    }
    table.print("nobody else may open it");
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
