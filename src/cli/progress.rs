//! Bars and spinners of what takes long; nothing where nobody watches.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const TICK: Duration = Duration::from_millis(120);

/// A bar over so many things, which are called `what`. For fewer than two there is none.
pub(super) fn steps(count: usize, what: &str) -> ProgressBar {
    if count < 2 {
        return ProgressBar::hidden();
    }
    styled(ProgressBar::new(count as u64), &format!("{{bar:32}} {{pos}} of {{len}} {what}, {{eta}} left"))
}

/// A spinner beside what is waited for.
pub(super) fn waiting(what: String) -> ProgressBar {
    let spinner = styled(ProgressBar::new_spinner(), "{spinner} {msg}  {elapsed}").with_message(what);
    if !spinner.is_hidden() {
        spinner.enable_steady_tick(TICK);
    }
    spinner
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    bar.with_style(ProgressStyle::with_template(template).expect("a template of ours"))
}
