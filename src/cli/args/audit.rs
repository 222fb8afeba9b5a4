//! `berth audit` as types.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::audit::{EventKind, Format, Outcome, UnknownTime, when};
use crate::clock;

/// Reading the audit.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Print the newest lines that fit.
    Tail(TailArgs),
    /// Check the hash chain, of the store or of an export; names the first broken line.
    Verify {
        /// Check this file, which `berth audit export` or the log page made, by itself.
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
    },
    /// Write the lines that fit into a file that can be checked by itself.
    Export(ExportArgs),
}

/// What is printed of the audit.
#[derive(Args, Debug)]
pub struct TailArgs {
    /// How many.
    #[arg(long, short = 'n', default_value_t = 20)]
    pub lines: usize,
    /// Go on with new lines as they are written.
    #[arg(long, short)]
    pub follow: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub filter: AuditFilterArgs,
}

/// What is exported of the audit.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The file to write, which must not be there yet; - is standard output.
    pub file: PathBuf,
    /// The form; by default that of the file's name.
    #[arg(long)]
    pub format: Option<AuditFormat>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub filter: AuditFilterArgs,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum AuditFormat {
    /// A table for spreadsheets.
    Csv,
    /// One JSON document a line.
    Jsonl,
}

impl From<AuditFormat> for Format {
    fn from(format: AuditFormat) -> Self {
        match format {
            AuditFormat::Csv => Self::Csv,
            AuditFormat::Jsonl => Self::Jsonl,
        }
    }
}

/// Which lines of the audit.
#[derive(Args, Debug)]
pub struct AuditFilterArgs {
    /// With this event, for example session_failed; may be given several times.
    #[arg(long)]
    pub event: Vec<EventKind>,
    /// By this user, or by anonymous, cli, system, token (the configuration's) or "token NAME" (a token that
    /// is bound to nobody): the whole name.
    #[arg(long)]
    pub actor: Option<String>,
    /// About this user or session.
    #[arg(long)]
    pub target: Option<String>,
    /// That ended so: ok, refused, failed.
    #[arg(long)]
    pub outcome: Option<Outcome>,
    /// Not before: 2026-01-31, 2026-01-31T08:15 (UTC), or how long ago: 30m, 12h, 7d.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<Timestamp>,
    /// Before.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<Timestamp>,
}

impl fmt::Display for AuditFilterArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: &Option<Timestamp>| time.map(|time| time.to_string());
        let filters = [
            ("actor", self.actor.clone()),
            ("target", self.target.clone()),
            ("outcome", self.outcome.map(|outcome| outcome.name().to_owned())),
            ("since", time(&self.since)),
            ("until", time(&self.until)),
        ];
        let events = self.event.iter().map(|event| format!("event={}", event.name()));
        let others = filters.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        f.write_str(&events.chain(others).collect::<Vec<_>>().join("&"))
    }
}

fn time(text: &str) -> Result<Timestamp, UnknownTime> {
    when(text, clock::now())
}
