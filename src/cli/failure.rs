//! How a command fails: what, why, what to do; and with which exit code.

use std::fmt;
use std::process::ExitCode;

/// The documented exit codes. 2 is clap's, for a command line that makes no sense.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Exit {
    /// It was tried and failed.
    Failed = 1,
    /// The configuration has errors.
    Config = 3,
    /// Something that has to be there is not: port, certificate, database, engine, library.
    Missing = 4,
    /// It was understood and refused: no such user, name taken.
    Refused = 5,
}

/// Why a command failed, for the person at the terminal.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    what: String,
    why: String,
    todo: String,
}

impl Failure {
    /// What happened, why, and what to do about it.
    pub fn new(exit: Exit, what: impl Into<String>, why: impl fmt::Display, todo: impl Into<String>) -> Self {
        Self { exit, what: what.into(), why: why.to_string(), todo: todo.into() }
    }

    /// What happened and why, for the audit.
    #[must_use]
    pub fn detail(&self) -> String {
        format!("{}: {}", self.what, self.why)
    }

    /// The code the process ends with.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "berth: {}\n  why:  {}\n  do:   {}", self.what, self.why, self.todo)
    }
}
