//! Standard output that may be closed: `berth session list | head -1` is no failure.

use std::fmt::Display;
use std::io::Write;

/// Prints a line, unless nobody reads any more.
pub(super) fn say(line: impl Display) {
    // `println!` would panic here. That something was not read is nobody's business.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
