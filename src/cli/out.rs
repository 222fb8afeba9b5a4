//! What is printed: nothing in it is obeyed by a terminal, and it may go unread.
//!
//! `berth session list | head -1` is no failure, so a closed pipe is nobody's business. A full disk is
//! one: what could not be written may exist nowhere else.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

use super::failure::{Exit, Failure};
use crate::audit::visible;

/// Prints a line on standard output; arguments as for `println!`.
macro_rules! say {
    ($($arguments:tt)*) => { $crate::cli::out::put(format_args!($($arguments)*)) };
}

/// Prints a line on standard error; arguments as for `eprintln!`.
macro_rules! tell {
    ($($arguments:tt)*) => { $crate::cli::out::beside(format_args!($($arguments)*)) };
}

pub(super) use {say, tell};

/// The first line that could not be written.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Prints a line, unless nobody reads any more.
pub(super) fn put(line: impl Display) {
    note(writeln!(io::stdout().lock(), "{}", plain(&line.to_string())));
}

/// The same on standard error.
pub(super) fn beside(line: impl Display) {
    // What is wrong there can be told nowhere.
    let _ = writeln!(io::stderr().lock(), "{}", plain(&line.to_string()));
}

/// Remembers that something was not written, if somebody wanted it.
fn note(written: io::Result<()>) {
    if let Err(error) = written.and_then(|()| io::stdout().lock().flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error);
    }
}

/// The failure of a command that did its work and could not say so.
pub(super) fn lost() -> Option<Failure> {
    let error = LOST.get()?;
    let todo = "make room there; what was asked for is done, so look how things are before you repeat it";
    Some(Failure::new(Exit::Failed, "what was to be printed could not be written", error, todo))
}

/// A text with every character but line ends as its escape that a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_that_is_printed() {
        let hostile = "ok\u{1b}[2J\u{9b}x\n\u{202e}y\u{7f}\r";
        assert_eq!(plain(hostile), "ok\\u001b[2J\\u009bx\n\\u202ey\\u007f\\u000d");
        assert_eq!(plain("zoé\n"), "zoé\n");
    }
}
