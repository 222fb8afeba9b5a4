//! What is asked of this machine: the running gateway answers it, or this process on the store when none
//! runs; and how answers are printed.

use super::args::{HomeCommand, OutputArgs};
use super::desk::refusal;
use super::failure::{Exit, Failure};
use super::out::put;
use super::table::{Table, relative_text};
use super::templates::size;
use crate::app::Offline;
use crate::config::Config;
use crate::control::{
    self, AskError, HomeRow, LoginRow, Performer, Reply, Request, SessionChange, UserDetail, UserRow,
    limits_text,
};

pub(super) async fn home(config: &Config, command: HomeCommand) -> Result<(), Failure> {
    match command {
        HomeCommand::List(output) => show(ask(config, Request::HomeList).await?, output),
        HomeCommand::Restore { owner, copy } => {
            done(ask(config, Request::HomeRestore { owner, copy }).await?)
        }
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
    let broker = match &request {
        Request::SessionChange { change: SessionChange::Remove | SessionChange::Stop, .. } => {
            Some(offline.broker(config).await?)
        }
        Request::User(request) if request.needs_broker() => Some(offline.broker(config).await?),
        Request::Capacity
        | Request::HomeList
        | Request::HomeRestore { .. }
        | Request::SessionChange { .. }
        | Request::SessionCreate { .. }
        | Request::LinkCreate { .. }
        | Request::LinkList
        | Request::LinkRevoke { .. }
        | Request::SessionList
        | Request::SessionShow { .. }
        | Request::Stats
        | Request::TemplateList
        | Request::TemplateProgress
        | Request::TemplatePull { .. }
        | Request::TokenCreate { .. }
        | Request::TokenList
        | Request::TokenRevoke { .. }
        | Request::User(_) => None,
    };
    let performer = Performer { auth: offline.auth.clone(), broker, store: offline.store, stats: None };
    let reply = control::perform(&performer, request).await;
    offline.tasks.drain().await;
    Ok(reply)
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

pub(super) fn show(reply: Reply, output: OutputArgs) -> Result<(), Failure> {
    match reply {
        Reply::Done { text } => println!("{text}"),
        Reply::Capacity { capacity } => print_json(&capacity),
        Reply::Stats { hosts, sessions } => print_json(&(hosts, sessions)),
        Reply::Homes { homes } if output.json => print_json(&homes),
        Reply::Homes { homes } => show_homes(&homes),
        Reply::Users { users } if output.json => print_json(&users),
        Reply::Users { users } => show_users(&users),
        Reply::User { user } if output.json => print_json(&user),
        Reply::User { user } => show_user(&user),
        Reply::Logins { logins } if output.json => print_json(&logins),
        Reply::Logins { logins } => show_logins(&logins),
        Reply::Results { results } => print_json(&results),
        Reply::Templates { templates } => print_json(&templates),
        other => return Err(refusal(other)),
    }
    Ok(())
}

fn show_users(users: &[UserRow]) {
    let mut table = Table::new(&["NAME", "ROLE", "STATE", "CREATED", "LAST LOGIN"]);
    for row in users {
        table.row([
            row.name.clone(),
            row.role.name().to_owned(),
            if row.disabled { "disabled" } else { "active" }.to_owned(),
            relative_text(Some(&row.created_at), "-"),
            relative_text(row.last_login_at.as_deref(), "never"),
        ]);
    }
    table.print("no users; `berth user add NAME` makes one");
}

fn show_user(user: &UserDetail) {
    let UserDetail { row, must_change, limits, sessions, logins, home_bytes } = user;
    println!("name        {}", row.name);
    println!("role        {}", row.role.name());
    println!("state       {}", if row.disabled { "disabled" } else { "active" });
    println!("password    {}", if *must_change { "must be changed at the next login" } else { "their own" });
    println!("limits      {}", limits_text(limits));
    let labels = if sessions.is_empty() { "none".to_owned() } else { sessions.join(" ") };
    println!("sessions    {labels}");
    println!("logins      {logins}");
    println!(
        "home        {}",
        home_bytes.map_or("not known".to_owned(), |bytes| format!("{} MiB", bytes >> 20))
    );
    println!("created     {}", row.created_at);
    println!("last login  {}", row.last_login_at.as_deref().unwrap_or("never"));
}

fn show_logins(logins: &[LoginRow]) {
    println!("{:<17} {:<40} {:<21} BROWSER", "ID", "ADDRESS", "SINCE");
    for login in logins {
        let since = login.created_at.split('.').next().unwrap_or_default();
        // What a browser says of itself is its own text: nothing of it may steer the terminal.
        let browser: String = login.user_agent.chars().filter(|c| !c.is_control()).collect();
        println!("{:<17} {:<40} {since:<21} {browser}", login.id, login.address);
    }
}

fn show_homes(homes: &[HomeRow]) {
    let mut table = Table::new(&["OWNER", "SESSION", "USED", "LIMIT", "MEASURED", "COPIES"]);
    let bytes = |bytes: Option<u64>| bytes.map_or("-".to_owned(), size);
    for home in homes {
        let copies = home.copies.as_ref().map_or("not known".to_owned(), |copies| {
            copies.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        });
        table.row([
            home.owner.clone(),
            home.session.clone().unwrap_or_else(|| "-".to_owned()),
            bytes(home.used_bytes),
            bytes(home.limit_bytes),
            relative_text(home.measured_at.as_deref(), "never"),
            copies,
        ]);
    }
    table.print("no homes");
}

pub(super) fn print_json(rows: &impl serde::Serialize) {
    match serde_json::to_string_pretty(rows) {
        Ok(text) => put(text),
        Err(error) => eprintln!("berth: {error}"),
    }
}
