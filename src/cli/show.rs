//! How answers are printed: as text, or as JSON.

use serde::Serialize;
use serde_json::json;

use super::args::OutputArgs;
use super::failure::{Exit, Failure};
use super::out::{put, say, tell};
use super::table::{Table, relative_text};
use super::templates::size;
use crate::auth::import::sheet;
use crate::control::{HomeRow, LoginRow, Reply, UserDetail, UserRow, limits_text};

/// Says what was done.
pub(super) fn done(reply: Reply, output: OutputArgs) -> Result<(), Failure> {
    match reply {
        Reply::Done { text } => {
            print(output, &json!({ "text": text }), || put(&text));
            Ok(())
        }
        other => Err(refusal(other)),
    }
}

/// Prints a document, or what people read of it.
pub(super) fn print(output: OutputArgs, document: &impl Serialize, text: impl FnOnce()) {
    if output.json {
        print_json(document);
    } else {
        text();
    }
}

/// Prints what was asked for.
pub(super) fn show(reply: Reply, output: OutputArgs) -> Result<(), Failure> {
    match reply {
        Reply::Exported { users } => print(output, &users, || put(sheet::write(users.clone()).trim_end())),
        Reply::Homes { homes } => print(output, &homes, || show_homes(&homes)),
        Reply::Users { users } => print(output, &users, || show_users(&users)),
        Reply::User { user } => print(output, &user, || show_user(&user)),
        Reply::Logins { logins } => print(output, &logins, || show_logins(&logins)),
        other => return done(other, output),
    }
    Ok(())
}

/// Why an answer is not what was asked for.
pub(super) fn refusal(reply: Reply) -> Failure {
    match reply {
        Reply::Refused { code, text } => {
            let todo = match code.as_str() {
                "no_gateway" => {
                    let todo = "start it with `berth serve`, or wait until it is ready";
                    return Failure::new(Exit::Missing, text, code, todo);
                }
                "not_found" => "look at the names with `berth user list` or `berth session list`",
                "not_sampled" => "look at the engine with `berth doctor`, and try again",
                _ => "see above; `berth session list` and `berth user list` show how things are",
            };
            Failure::new(Exit::Refused, text, code, todo)
        }
        _ => {
            let todo = "use the binary that runs, or restart the gateway";
            let why = "it gave another answer than was asked for";
            Failure::new(Exit::Failed, "the gateway is of another version", why, todo)
        }
    }
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
    say!("name        {}", row.name);
    say!("role        {}", row.role.name());
    say!("state       {}", if row.disabled { "disabled" } else { "active" });
    say!("password    {}", if *must_change { "must be changed at the next login" } else { "their own" });
    say!("limits      {}", limits_text(limits));
    let labels = if sessions.is_empty() { "none".to_owned() } else { sessions.join(" ") };
    say!("sessions    {labels}");
    say!("logins      {logins}");
    say!("home        {}", home_bytes.map_or("not known".to_owned(), |bytes| format!("{} MiB", bytes >> 20)));
    say!("created     {}", row.created_at);
    say!("last login  {}", row.last_login_at.as_deref().unwrap_or("never"));
}

fn show_logins(logins: &[LoginRow]) {
    let mut table = Table::new(&["ID", "ADDRESS", "SINCE", "BROWSER"]);
    for login in logins {
        table.row([
            login.id.clone(),
            login.address.clone(),
            relative_text(Some(&login.created_at), "-"),
            login.user_agent.clone(),
        ]);
    }
    table.print("no logins");
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

/// Prints a document as it is meant for programs.
pub(super) fn print_json(document: &impl Serialize) {
    match serde_json::to_string_pretty(document) {
        Ok(text) => put(text),
        Err(error) => tell!("berth: {error}"),
    }
}
