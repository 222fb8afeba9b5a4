//! The audit at the command line: reading, following, proving, and taking it away.
//!
//! It works on the store itself, beside a running gateway: reading asks nobody. Of a gateway elsewhere it
//! is read through the API.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::args::{AuditCommand, AuditFilterArgs, AuditFormat, ExportArgs, OutputArgs, TailArgs};
use super::desk::Desk;
use super::failure::{Exit, Failure};
use super::out::put;
use super::progress;
use super::show;
use crate::app::open_store;
use crate::audit::{self, Actor, Audit, AuditEvent, Export, Reading, Record, Unverified};
use crate::fault::chain;
use crate::store::{AuditLine, AuditLines, AuditOrder, AuditSearch, StoreError};

/// Whoever follows looks for new lines this often.
const LOOK: Duration = Duration::from_millis(500);

/// So many lines are read at once.
const PAGE: usize = 500;

pub(super) async fn audit(
    desk: impl FnOnce() -> Result<Desk, Failure>,
    command: AuditCommand,
    output: OutputArgs,
) -> Result<(), Failure> {
    if let AuditCommand::Verify { export: Some(file) } = &command {
        // It proves itself, wherever it was taken to: nobody is asked.
        return prove(file, output);
    }
    let desk = desk()?;
    let done = match command {
        AuditCommand::Verify { .. } => verify(&*desk.audit()?, output).await,
        AuditCommand::Tail(wanted) => tail(&*desk.audit()?, wanted, output).await,
        AuditCommand::Export(wanted) => export(&desk, wanted, output).await,
    };
    // What a gateway elsewhere refused is told as it is for every other command.
    done.map_err(|failure| desk.why_unread().unwrap_or(failure))
}

impl From<AuditFilterArgs> for AuditSearch {
    fn from(filter: AuditFilterArgs) -> Self {
        let AuditFilterArgs { event, actor, target, outcome, since, until } = filter;
        Self { events: event, actor, target, outcome, since, until, after: None, before: None }
    }
}

async fn tail(audit: &dyn AuditLines, wanted: TailArgs, output: OutputArgs) -> Result<(), Failure> {
    let mut search = AuditSearch::from(wanted.filter);
    let mut out = io::stdout().lock();
    let newest = audit.find_audit(&search, AuditOrder::NewestFirst, wanted.lines).await;
    let mut newest = newest.map_err(|error| unread(&error))?;
    newest.reverse();
    // Followed from where the newest line of all is: what does not fit is not looked at again.
    let all = audit.find_audit(&AuditSearch::default(), AuditOrder::NewestFirst, 1).await;
    search.after = all.map_err(|error| unread(&error))?.first().map(|line| line.number);
    if newest.iter().try_for_each(|line| print(&mut out, line, output.json)).is_err() || !wanted.follow {
        return Ok(());
    }
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let lines = audit.find_audit(&search, AuditOrder::OldestFirst, PAGE).await;
        for line in lines.map_err(|error| unread(&error))? {
            search.after = Some(line.number);
            // Whoever read it has gone: that ends it, and is no failure.
            if print(&mut out, &line, output.json).is_err() {
                return Ok(());
            }
        }
    }
}

fn print(out: &mut impl Write, line: &AuditLine, json: bool) -> io::Result<()> {
    if json { writeln!(out, "{}", audit::visible(&line.body)) } else { writeln!(out, "{}", row(line)) }
}

/// A line for a terminal; nothing in it is obeyed there.
fn row(line: &AuditLine) -> String {
    let reading = Reading::of(line);
    let at = reading.at.map_or_else(|| "?".to_owned(), |at| at.strftime("%FT%TZ").to_string());
    let target = Some(reading.text("target")).filter(|target| !target.is_empty());
    let target = target.unwrap_or_else(|| "-".to_owned());
    let (outcome, event, actor) = (reading.text("outcome"), reading.text("event"), reading.text("actor"));
    let address = Some(reading.text("address")).filter(|address| !address.is_empty());
    let from = address.map(|address| format!("from={address} ")).unwrap_or_default();
    let row = format!("{at} {outcome:<7} {event:<20} {actor:<14} {target:<14} {from}{}", reading.details());
    row.trim_end().to_owned()
}

async fn verify(lines: &dyn AuditLines, output: OutputArgs) -> Result<(), Failure> {
    let newest = newest(lines).await?;
    let bar = progress::steps(usize::try_from(newest).unwrap_or(usize::MAX), "lines");
    let verified = audit::verify_telling(lines, &mut |number| bar.set_position(number)).await;
    bar.finish_and_clear();
    let verified = verified.map_err(|unverified| match unverified {
        Unverified::Broken { .. } => Failure::new(
            Exit::Failed,
            "the audit was changed or damaged",
            chain(&unverified),
            "compare with a backup; everything before the named line is as it was written",
        ),
        Unverified::Unread { error, .. } => unread(&error),
    })?;
    let document = serde_json::json!({
        "lines": verified.lines(), "first": verified.first, "last": verified.last, "hash": verified.hash,
    });
    show::print(output, &document, || {
        put(format_args!(
            "the audit is unbroken: {} lines, {} to {}",
            verified.lines(),
            verified.first,
            verified.last
        ));
        if verified.first > 1 {
            put(format_args!(
                "lines up to {} were cut by retention, and the chain says so",
                verified.first - 1
            ));
        }
        put(format_args!(
            "hash of the newest line: {} (kept elsewhere, it proves that none is missing later)",
            verified.hash
        ));
    });
    Ok(())
}

/// The number of the newest line; 0 if there is none.
async fn newest(lines: &dyn AuditLines) -> Result<u64, Failure> {
    let newest = lines.find_audit(&AuditSearch::default(), AuditOrder::NewestFirst, 1).await;
    Ok(newest.map_err(|error| unread(&error))?.first().map_or(0, |line| line.number))
}

/// Checks an export by itself: nothing else is needed for it.
fn prove(file: &Path, output: OutputArgs) -> Result<(), Failure> {
    let failed = |why: String| {
        Failure::new(
            Exit::Failed,
            format!("the export {} proves nothing", file.display()),
            why,
            "take it anew with `berth audit export`, or compare it with another copy",
        )
    };
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    let proven = audit::prove(&text).map_err(|error| failed(error.to_string()))?;
    let document = serde_json::json!({
        "lines": proven.lines, "first": proven.first, "last": proven.last, "gaps": proven.gaps,
        "hash": proven.hash,
    });
    show::print(output, &document, || {
        match proven.gaps {
            _ if proven.lines == 0 => put("the export is empty"),
            0 => put(format_args!(
                "the export is unbroken: {} lines, {} to {}",
                proven.lines, proven.first, proven.last
            )),
            gaps => put(format_args!(
                "the export has {} lines as they were written, between {} and {}; others were left out in {gaps} \
                 places",
                proven.lines, proven.first, proven.last
            )),
        }
        if proven.lines > 0 {
            put(format_args!("hash of its last line: {}", proven.hash));
        }
    });
    Ok(())
}

async fn export(desk: &Desk, wanted: ExportArgs, output: OutputArgs) -> Result<(), Failure> {
    let (lines, log): (Arc<dyn AuditLines>, _) = match desk {
        Desk::Here(config) => {
            let store = open_store(config)?;
            (store.clone(), Some(Audit::new(store)))
        }
        Desk::There(remote) => (remote.clone(), None),
    };
    let words = wanted.filter.to_string();
    let search = AuditSearch::from(wanted.filter);
    let format = wanted.format.unwrap_or(match wanted.file.extension() {
        Some(extension) if extension == "csv" => AuditFormat::Csv,
        Some(_) | None => AuditFormat::Jsonl,
    });
    let file = Some(&*wanted.file).filter(|file| *file != Path::new("-"));
    if file.is_none() && output.json {
        let todo = "name a file to be told of it as JSON, or choose the form with --format";
        return Err(Failure::new(
            Exit::Refused,
            "nothing was exported",
            "with - the export itself is printed",
            todo,
        ));
    }
    if let Some(file) = file.filter(|file| file.exists()) {
        return Err(unwritten(file, &io::ErrorKind::AlreadyExists.into()));
    }
    let mut export = Export::of(lines, search, format.into()).await.map_err(|error| unread(&error))?;
    let written = write(&mut export, file).await;
    if let (Err(_), Some(file)) = (&written, file) {
        // What there is of it would prove itself and yet not be what was asked for.
        let _ = std::fs::remove_file(file);
    }
    written?;
    if let Some(log) = log {
        log.record(Record::new(Actor::cli(), AuditEvent::AuditExported { search: words })).await;
    }
    if let Some(file) = file {
        let document = serde_json::json!({ "file": file, "lines": export.lines_written() });
        show::print(output, &document, || {
            put(format_args!("{} lines are in {}", export.lines_written(), file.display()));
        });
    }
    Ok(())
}

async fn write(export: &mut Export, file: Option<&Path>) -> Result<(), Failure> {
    let failed = |error: io::Error| unwritten(file.unwrap_or(Path::new("standard output")), &error);
    let mut out: Box<dyn Write> = match file {
        Some(file) => {
            let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
            Box::new(new.map_err(failed)?)
        }
        None => Box::new(io::stdout().lock()),
    };
    let bar = progress::steps(usize::try_from(export.end()).unwrap_or(usize::MAX), "lines");
    while let Some(piece) = export.next().await.map_err(|error| unread(&error))? {
        out.write_all(piece.as_bytes()).map_err(failed)?;
        bar.set_position(export.at());
    }
    bar.finish_and_clear();
    out.flush().map_err(failed)
}

fn unread(error: &StoreError) -> Failure {
    Failure::new(
        Exit::Failed,
        "the audit cannot be read",
        chain(error),
        "look at its database, or at the gateway that was asked, and try again",
    )
}

fn unwritten(file: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("{} cannot be written", file.display()),
        error,
        "name a file that is not there yet, in a directory that can be written; `-` is standard output",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_of_a_row() {
        let hostile = "\u{1b}[2J\u{202e}\r\nok\u{9b}x\u{7f}";
        let body = serde_json::json!({
            "at": "2026-01-31T08:15:00.5Z", "outcome": hostile, "event": "login_ok", "actor": hostile,
            "target": hostile, "address": hostile, "detail": hostile, hostile: hostile,
        });
        let row = row(&AuditLine { number: 1, body: body.to_string(), hash: String::new() });
        assert!(row.starts_with("2026-01-31T08:15:00Z \\u001b[2J\\u202e\\u000d\\u000aok"), "{row}");
        assert!(!row.chars().any(audit::is_obeyed), "{row:?}");
    }
}
