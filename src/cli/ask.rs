//! The question before something is destroyed.

use std::io::{BufRead, IsTerminal, Write};

use super::failure::{Exit, Failure};
use super::out::plain;

/// Goes on if whoever is at the terminal agrees, or has said --yes.
///
/// # Errors
/// They do not, or nobody is there to be asked.
pub(super) fn confirmed(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        let todo = "add --yes if that is meant";
        return Err(Failure::new(Exit::Refused, "nothing was done without being confirmed", question, todo));
    }
    let _ = write!(std::io::stderr(), "{}\nGo on? [y/N] ", plain(question));
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match (read, answer.trim().to_ascii_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(()),
        _ => {
            Err(Failure::new(Exit::Refused, "nothing was done", "you did not say yes", "repeat it if you do"))
        }
    }
}
