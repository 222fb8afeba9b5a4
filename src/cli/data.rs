//! Users, sessions and the audit: through the running gateway, or on the store when none runs.

use std::io::BufRead;

use super::args::{AuditCommand, HomeCommand, OutputArgs, SessionCommand, UserCommand};
use super::failure::{Exit, Failure};
use crate::app::{Offline, open_store};
use crate::audit;
use crate::config::Config;
use crate::control::{self, AskError, HomeRow, Performer, Reply, Request};
use crate::fault::chain;
use crate::secret::{Secret, random_password};

pub(super) async fn user(config: &Config, command: UserCommand) -> Result<(), Failure> {
    match command {
        UserCommand::Add { name, role, password_stdin } => {
            let (password, made) = password(password_stdin)?;
            let request = Request::UserAdd { name, role: role.into(), password };
            done(ask(config, request).await?)?;
            tell_password(made);
            Ok(())
        }
        UserCommand::Passwd { name, password_stdin } => {
            let (password, made) = password(password_stdin)?;
            done(ask(config, Request::UserPasswd { name, password }).await?)?;
            tell_password(made);
            Ok(())
        }
        UserCommand::List(output) => show(ask(config, Request::UserList).await?, output),
        UserCommand::Disable { name } => done(ask(config, Request::UserDisable { name }).await?),
        UserCommand::Enable { name } => done(ask(config, Request::UserEnable { name }).await?),
        UserCommand::Remove { name } => done(ask(config, Request::UserRemove { name }).await?),
    }
}

pub(super) async fn session(config: &Config, command: SessionCommand) -> Result<(), Failure> {
    match command {
        SessionCommand::List(output) => show(ask(config, Request::SessionList).await?, output),
        SessionCommand::Stop { label } => done(ask(config, Request::SessionStop { label }).await?),
        SessionCommand::Reset { label, home, yes: _ } => {
            done(ask(config, Request::SessionReset { label, home }).await?)
        }
        SessionCommand::Remove { label } => done(ask(config, Request::SessionRemove { label }).await?),
    }
}

pub(super) async fn home(config: &Config, command: HomeCommand) -> Result<(), Failure> {
    match command {
        HomeCommand::List(output) => show(ask(config, Request::HomeList).await?, output),
        HomeCommand::Restore { owner, copy } => {
            done(ask(config, Request::HomeRestore { owner, copy }).await?)
        }
    }
}

pub(super) async fn audit(config: &Config, command: AuditCommand) -> Result<(), Failure> {
    let store = open_store(config)?;
    match command {
        AuditCommand::Tail { lines } => {
            for line in newest(&*store, lines).await? {
                println!("{}", line.body);
            }
            Ok(())
        }
        AuditCommand::Verify => match audit::verify(&*store).await {
            Ok(count) => {
                println!("the audit is unbroken: {count} lines");
                Ok(())
            }
            Err(broken) => Err(Failure::new(
                Exit::Failed,
                "the audit was changed or damaged",
                chain(&broken),
                "compare with a backup; everything before the named line is as it was written",
            )),
        },
    }
}

async fn newest(
    store: &dyn crate::store::Store,
    wanted: usize,
) -> Result<Vec<crate::store::AuditLine>, Failure> {
    const PAGE: usize = 1000;
    let mut newest = std::collections::VecDeque::with_capacity(wanted);
    let mut after = 0;
    loop {
        let page = store.audit(after, PAGE).await.map_err(|error| {
            Failure::new(
                Exit::Failed,
                "the audit cannot be read",
                chain(&error),
                "mend the database and try again",
            )
        })?;
        let Some(last) = page.last() else { return Ok(newest.into()) };
        after = last.number;
        newest.extend(page);
        let surplus = newest.len().saturating_sub(wanted);
        newest.drain(..surplus);
    }
}

/// Asks the running gateway, or does it here if none runs.
pub(super) async fn ask(config: &Config, request: Request) -> Result<Reply, Failure> {
    match ask_gateway(config, &request).await? {
        Some(reply) => Ok(reply),
        None => offline(config, request).await,
    }
}

/// Asks the running gateway; `None` if none runs.
pub(super) async fn ask_gateway(config: &Config, request: &Request) -> Result<Option<Reply>, Failure> {
    let path = &config.server.control;
    control::ask(path, request).await.map_err(|error| match error {
        AskError::Unanswered(why) => Failure::new(
            Exit::Failed,
            "the running gateway did not answer",
            why,
            "it may have done what was asked: look before you try again",
        ),
        AskError::Unreachable(why) => Failure::new(
            Exit::Missing,
            format!("the control socket {} cannot be used, and a gateway may run behind it", path.display()),
            why,
            "run this as the gateway's own user, or correct server.control",
        ),
    })
}

async fn offline(config: &Config, request: Request) -> Result<Reply, Failure> {
    let offline = Offline::open(config)?;
    let broker = match request {
        Request::SessionRemove { .. } | Request::SessionStop { .. } | Request::UserRemove { .. } => {
            Some(offline.broker(config).await?)
        }
        Request::HomeList
        | Request::HomeRestore { .. }
        | Request::SessionList
        | Request::SessionReset { .. }
        | Request::TemplateList
        | Request::TemplateProgress
        | Request::TemplatePull { .. }
        | Request::TokenCreate { .. }
        | Request::TokenList
        | Request::TokenRevoke { .. }
        | Request::UserAdd { .. }
        | Request::UserDisable { .. }
        | Request::UserEnable { .. }
        | Request::UserList
        | Request::UserPasswd { .. } => None,
    };
    let performer = Performer { auth: offline.auth.clone(), broker, store: offline.store };
    let reply = control::perform(&performer, request).await;
    offline.tasks.drain().await;
    Ok(reply)
}

/// The password from standard input, or a fresh one that is to be told.
fn password(from_stdin: bool) -> Result<(Secret<String>, Option<Secret<String>>), Failure> {
    if !from_stdin {
        let made = random_password();
        return Ok((made.clone(), Some(made)));
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    match read {
        Ok(1..) => Ok((Secret::new(line.trim_end_matches(['\r', '\n']).to_owned()), None)),
        Ok(0) | Err(_) => Err(Failure::new(
            Exit::Refused,
            "no password was given",
            "standard input is empty",
            "write the password and a line end to standard input",
        )),
    }
}

fn tell_password(made: Option<Secret<String>>) {
    if let Some(password) = made {
        println!("first password: {} (they change it under /account)", password.expose());
    }
}

pub(super) fn done(reply: Reply) -> Result<(), Failure> {
    match reply {
        Reply::Done { text } => {
            println!("{text}");
            Ok(())
        }
        other => show(other, OutputArgs { json: false }),
    }
}

fn show(reply: Reply, output: OutputArgs) -> Result<(), Failure> {
    match reply {
        Reply::Done { text } => println!("{text}"),
        Reply::Homes { homes } if output.json => print_json(&homes),
        Reply::Homes { homes } => show_homes(&homes),
        Reply::Sessions { sessions } if output.json => print_json(&sessions),
        Reply::Users { users } if output.json => print_json(&users),
        Reply::Templates { templates } => print_json(&templates),
        Reply::Tokens { tokens } => print_json(&tokens),
        Reply::Sessions { sessions } => {
            println!("{:<14} {:<9} {:<16} {:<14} NAME", "LABEL", "STATE", "OWNER", "TEMPLATE");
            for row in sessions {
                println!(
                    "{:<14} {:<9} {:<16} {:<14} {}",
                    row.label, row.state, row.owner, row.template, row.name
                );
            }
        }
        Reply::Users { users } => {
            println!("{:<24} {:<6} {:<9} LAST LOGIN", "NAME", "ROLE", "STATE");
            for row in users {
                let state = if row.disabled { "disabled" } else { "active" };
                let last = row.last_login_at.as_deref().unwrap_or("never");
                println!("{:<24} {:<6} {:<9} {last}", row.name, row.role.name(), state);
            }
        }
        Reply::Refused { code, text } => {
            return Err(Failure::new(
                Exit::Refused,
                text,
                code,
                "look at the names with `berth user list` or `berth session list`",
            ));
        }
    }
    Ok(())
}

fn show_homes(homes: &[HomeRow]) {
    println!(
        "{:<24} {:<14} {:>10} {:>10} {:<21} COPIES",
        "OWNER", "SESSION", "USED_MIB", "LIMIT_MIB", "MEASURED"
    );
    let mib = |bytes: Option<u64>| bytes.map_or("-".to_owned(), |bytes| (bytes / (1024 * 1024)).to_string());
    for home in homes {
        let session = home.session.as_deref().unwrap_or("-");
        let measured = home.measured_at.as_deref().and_then(|at| at.split('.').next()).unwrap_or("never");
        let copies = home.copies.as_ref().map_or("not known".to_owned(), |copies| {
            copies.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        });
        let (used, limit) = (mib(home.used_bytes), mib(home.limit_bytes));
        println!("{:<24} {session:<14} {used:>10} {limit:>10} {measured:<21} {copies}", home.owner);
    }
}

pub(super) fn print_json(rows: &impl serde::Serialize) {
    match serde_json::to_string_pretty(rows) {
        Ok(text) => println!("{text}"),
        Err(error) => eprintln!("berth: {error}"),
    }
}
