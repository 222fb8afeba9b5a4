//! Users on the command line.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::args::{LimitArgs, OutputArgs, UserCommand, UserFilter, UserImportArgs};
use super::ask::confirmed;
use super::desk::Desk;
use super::failure::{Exit, Failure};
use super::out::{put, say};
use super::progress;
use super::show::{print, refusal, show};
use crate::auth::import::sheet::{self, SheetFlaw};
use crate::auth::import::{ImportRow, RowOutcome, Tally, mark_repeated};
use crate::control::{Reply, Request, ResultRow, UserRequest, UserRow, told};
use crate::fault::{Answer, chain};
use crate::migration::users::{self as portal, PortalUser};
use crate::secret::{Secret, random_password};
use crate::session::{LimitsChange, Setting};

/// Rows of one request: a few seconds of hashing, and a line that fits the control socket.
const BATCH: usize = 50;
/// The most of a request's text that its rows may take.
const BATCH_BYTES: usize = 40 * 1024;

pub(super) async fn user(desk: &Desk, command: UserCommand, output: OutputArgs) -> Result<(), Failure> {
    let request = match command {
        UserCommand::Add { name, role, password_stdin, must_change } => {
            let (password, made) = password(password_stdin)?;
            let request = UserRequest::Add { name: name.clone(), role: role.into(), password, must_change };
            return with_password(desk, request, (&name, made), output).await;
        }
        UserCommand::Passwd { name, password_stdin, must_change } => {
            let (password, made) = password(password_stdin)?;
            let request = UserRequest::Passwd { name: name.clone(), password, must_change };
            return with_password(desk, request, (&name, made), output).await;
        }
        UserCommand::Remove { name, home, dry_run, yes } => {
            let outlook = match ask(desk, UserRequest::Outlook { name: name.clone() }).await? {
                Reply::Outlook { outlook } => outlook,
                other => return Err(refusal(other)),
            };
            if dry_run {
                print(output, &outlook, || put(outlook.said(home.into())));
                return Ok(());
            }
            confirmed(&outlook.said(home.into()), yes)?;
            UserRequest::Remove { name, home: home.into() }
        }
        UserCommand::Import(arguments) => return import(desk, arguments, output).await,
        UserCommand::List(filter) => {
            return match ask(desk, UserRequest::List).await? {
                Reply::Users { mut users } => {
                    users.retain(|user| fits(user, &filter));
                    show(Reply::Users { users }, output)
                }
                other => Err(refusal(other)),
            };
        }
        UserCommand::Show { name } => UserRequest::Show { name },
        UserCommand::Role { name, role } => UserRequest::Role { name, role: role.into() },
        UserCommand::Limits { name, limits } => UserRequest::Limits { name, change: change(&limits)? },
        UserCommand::Logins { name } => UserRequest::Logins { name },
        UserCommand::Logout { name, login } => UserRequest::Logout { name, login },
        UserCommand::Disable { name } => UserRequest::Disable { name },
        UserCommand::Enable { name } => UserRequest::Enable { name },
        UserCommand::Export => UserRequest::Export,
    };
    show(ask(desk, request).await?, output)
}

fn fits(user: &UserRow, filter: &UserFilter) -> bool {
    let search = filter.search.as_ref().map(|text| text.to_lowercase());
    search.is_none_or(|text| user.name.to_lowercase().contains(&text))
        && filter.role.is_none_or(|role| user.role == role.into())
        && (!filter.disabled || user.disabled)
}

async fn ask(desk: &Desk, request: UserRequest) -> Result<Reply, Failure> {
    desk.ask(Request::User(request)).await
}

/// Asks for what gives somebody a password, and tells the one that was made for it.
async fn with_password(
    desk: &Desk,
    request: UserRequest,
    (name, made): (&str, Option<Secret<String>>),
    output: OutputArgs,
) -> Result<(), Failure> {
    let text = match ask(desk, request).await? {
        Reply::Done { text } => text,
        other => return Err(refusal(other)),
    };
    let password = made.as_ref().map(|made| made.expose());
    print(output, &serde_json::json!({ "name": name, "password": password, "text": text }), || {
        put(&text);
        if let Some(password) = password {
            put(format_args!("first password: {password} (they change it under /account)"));
        }
    });
    Ok(())
}

/// What the options say of limits.
fn change(limits: &LimitArgs) -> Result<LimitsChange, Failure> {
    let wrong = |option: &str, expected: &str| {
        let why = format!("it must be {expected}, or default");
        Failure::new(
            Exit::Refused,
            format!("{option} cannot be read"),
            why,
            "correct it; nothing was changed",
        )
    };
    Ok(LimitsChange {
        max_sessions: limit(limits.max_sessions.as_deref(), sheet::max_sessions)
            .ok_or_else(|| wrong("--max-sessions", "a whole number up to 10000"))?,
        max_cpus: limit(limits.max_cpus.as_deref(), sheet::max_cpus)
            .ok_or_else(|| wrong("--max-cpus", "a number up to 1024"))?,
        max_memory_mib: limit(limits.max_memory_mib.as_deref(), sheet::max_memory_mib)
            .ok_or_else(|| wrong("--max-memory-mib", "a whole number of MiB"))?,
        templates: limit(limits.templates.as_deref(), sheet::templates)
            .ok_or_else(|| wrong("--templates", "names of templates with commas between, - for none"))?,
    })
}

fn limit<T>(text: Option<&str>, parse: fn(&str) -> Option<T>) -> Option<Setting<T>> {
    text.map_or(Some(Setting::Keep), |text| sheet::setting(text.trim(), parse))
}

async fn import(desk: &Desk, arguments: UserImportArgs, output: OutputArgs) -> Result<(), Failure> {
    let mut rows = rows(&arguments)?;
    // Here, because the rows travel in parts.
    mark_repeated(&mut rows);
    // Opened before anything is changed: what is made exists nowhere else.
    let file =
        arguments.passwords.as_deref().filter(|_| !arguments.dry_run).map(passwords_file).transpose()?;
    let (mut results, broken_off) = carry(desk, rows, arguments.dry_run).await;
    let unwritten = file.and_then(|file| write_passwords(file, &mut results).err());
    print(output, &results, || print_results(&results, arguments.dry_run));
    if let Some(failure) = broken_off {
        return Err(failure);
    }
    if let Some(error) = unwritten {
        return Err(Failure::new(
            Exit::Failed,
            "the passwords could not be written into the file",
            error,
            "take them from above: the users are there, and nobody can show these again",
        ));
    }
    let refused = results.iter().filter(|row| row.code.is_some()).count();
    if refused > 0 {
        return Err(Failure::new(
            Exit::Refused,
            format!("{refused} of {} rows were refused", results.len()),
            "each says why beside its line",
            "correct those rows and import the list again: what is there already is left as it is",
        ));
    }
    Ok(())
}

fn rows(arguments: &UserImportArgs) -> Result<Vec<ImportRow>, Failure> {
    if let Some(csv) = &arguments.csv {
        return sheet::read(&bytes_of(csv)?).map_err(|flaw| unreadable(csv, &flaw));
    }
    // The command line takes exactly one of the two.
    let Some(dump) = &arguments.mysql_dump else { return Ok(Vec::new()) };
    let failed = |exit, why: String, todo: &str| {
        Failure::new(exit, format!("nothing of {} was imported", dump.display()), why, todo)
    };
    let file = std::fs::File::open(dump)
        .map_err(|error| failed(Exit::Missing, error.to_string(), "name a file that is there"))?;
    let users = portal::read(std::io::BufReader::new(file), arguments.table.as_deref());
    let users = users.map_err(|error| {
        failed(
            Exit::Refused,
            chain(&error),
            "dump the portal's database anew, or name the table with --table",
        )
    })?;
    Ok(users.into_iter().map(row_of).collect())
}

/// A user of the lab portal as a row of an import.
fn row_of(user: PortalUser) -> ImportRow {
    ImportRow {
        line: user.line as u64,
        name: user.name,
        role: Some(user.role),
        disabled: Some(!user.active),
        password_hash: user.password_hash,
        ..ImportRow::default()
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            Exit::Missing,
            format!("{} cannot be read", path.display()),
            error,
            "name a file that is there",
        )
    };
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
        return Ok(bytes);
    }
    std::fs::read(path).map_err(failed)
}

fn unreadable(path: &Path, flaw: &SheetFlaw) -> Failure {
    Failure::new(
        Exit::Refused,
        format!("nothing of {} was imported", path.display()),
        flaw.public(),
        "correct the file and import it again",
    )
}

/// Sends the rows that can be read, part by part, and puts all results in order. What was done before a
/// part got lost is told with why it did.
async fn carry(desk: &Desk, rows: Vec<ImportRow>, dry_run: bool) -> (Vec<ResultRow>, Option<Failure>) {
    let bar = progress::steps(rows.len(), "users");
    let (flawed, sound): (Vec<ImportRow>, Vec<ImportRow>) =
        rows.into_iter().partition(|row| row.flaw.is_some());
    let results: Vec<_> =
        flawed.iter().filter_map(|row| Some(row.result(RowOutcome::Refused(row.flaw.clone()?)))).collect();
    bar.inc(results.len() as u64);
    let mut before = Tally::of(&results);
    let mut told_rows: Vec<ResultRow> = results.into_iter().map(told).collect();
    let mut parts = parts(sound).into_iter().peekable();
    let mut broken_off = None;
    while let Some(part) = parts.next() {
        let (count, more) = (part.len(), parts.peek().is_some());
        let request = UserRequest::Import { rows: part, dry_run, before, more };
        match ask(desk, request).await {
            Ok(Reply::Results { results }) => {
                for row in &results {
                    match row.result.as_str() {
                        "created" => before.created += 1,
                        "changed" => before.changed += 1,
                        "exists" => before.exists += 1,
                        _ => before.refused += 1,
                    }
                }
                told_rows.extend(results);
            }
            other => {
                broken_off = Some(other.map_or_else(|failure| failure, refusal));
                break;
            }
        }
        bar.inc(count as u64);
    }
    bar.finish_and_clear();
    told_rows.sort_by_key(|row| row.line);
    (told_rows, broken_off)
}

fn parts(rows: Vec<ImportRow>) -> Vec<Vec<ImportRow>> {
    let (mut parts, mut part, mut bytes) = (Vec::new(), Vec::new(), 0);
    for row in rows {
        let length = serde_json::to_string(&row).map_or(0, |text| text.len() + 1);
        if !part.is_empty() && (part.len() == BATCH || bytes + length > BATCH_BYTES) {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += length;
        part.push(row);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// A file that only its owner can read, and that was not there.
fn passwords_file(path: &Path) -> Result<File, Failure> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| {
        let todo =
            "name a file that is not there yet, in a directory that can be written; nothing was imported";
        Failure::new(Exit::Refused, format!("{} cannot take the passwords", path.display()), error, todo)
    })
}

/// Puts the passwords that were made into the file, and takes them out of the results.
fn write_passwords(mut file: File, results: &mut [ResultRow]) -> io::Result<()> {
    let made: Vec<_> =
        results.iter().filter_map(|row| Some((row.name.clone(), row.password.clone()?))).collect();
    file.write_all(sheet::write_passwords(&made).as_bytes())?;
    file.sync_all()?;
    for row in results {
        row.password = None;
    }
    Ok(())
}

fn print_results(results: &[ResultRow], dry_run: bool) {
    say!("{:>6} {:<24} {:<9} DETAIL", "LINE", "NAME", "RESULT");
    for row in results {
        let detail = row
            .detail
            .clone()
            .or_else(|| row.password.as_ref().map(|made| format!("first password: {}", made.expose())))
            .unwrap_or_else(|| row.changed.join(" "));
        say!("{:>6} {:<24} {:<9} {detail}", row.line, row.name, row.result);
    }
    let count = |result: &str| results.iter().filter(|row| row.result == result).count();
    let (created, changed, exists, refused) =
        (count("created"), count("changed"), count("exists"), count("refused"));
    let what = if dry_run { "a trial run, nothing was changed: " } else { "" };
    say!("{what}{created} created, {changed} changed, {exists} there already, {refused} refused");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_travel_in_parts_that_fit_the_socket() {
        let row = |line: u64, name: String| ImportRow { line, name, ..ImportRow::default() };
        let many: Vec<_> = (0..120).map(|line| row(line, format!("user {line}"))).collect();
        let lengths: Vec<_> = parts(many).iter().map(Vec::len).collect();
        assert_eq!(lengths, [50, 50, 20]);
        let wide: Vec<_> = (0..3).map(|line| row(line, "w".repeat(30 * 1024))).collect();
        assert_eq!(parts(wide).len(), 3);
        assert!(parts(Vec::new()).is_empty());
    }

    #[test]
    fn limits_are_kept_followed_or_own() {
        let arguments = LimitArgs {
            max_sessions: Some("default".to_owned()),
            max_cpus: Some("1.5".to_owned()),
            max_memory_mib: None,
            templates: Some("desktop,lab".to_owned()),
        };
        let read = change(&arguments).unwrap();
        assert_eq!(read.max_sessions, Setting::Follow);
        assert_eq!((read.max_cpus, read.max_memory_mib), (Setting::Own(1.5), Setting::Keep));
        assert!(matches!(read.templates, Setting::Own(names) if names.len() == 2));
        let wrong = LimitArgs { max_sessions: Some("many".to_owned()), ..arguments };
        assert!(change(&wrong).is_err());
    }
}
