//! Tables for people: columns as wide as what is in them, the last ones cut to fit the terminal.
//!
//! Into a pipe nothing is cut, so that `grep` finds whole names.

use std::io::IsTerminal;
use std::time::Duration;

use jiff::Timestamp;

use super::out::put;
use crate::audit::is_obeyed;
use crate::clock;

/// Between two columns.
const GAP: usize = 2;
/// No column is cut below this.
const NARROWEST: usize = 6;

/// Rows of text under their headings.
#[derive(Debug)]
pub(super) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; one cell per heading.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        // What people named things must not move the cursor.
        let plain = |cell: String| cell.chars().map(|c| if is_obeyed(c) { ' ' } else { c }).collect();
        self.rows.push(cells.into_iter().map(plain).collect());
    }

    /// Prints it, or `nothing` if there are no rows.
    pub(super) fn print(&self, nothing: &str) {
        if self.rows.is_empty() {
            put(nothing);
            return;
        }
        put(self.text(terminal_width()).trim_end_matches('\n'));
    }

    /// The lines, each at most `width` wide if one is given.
    fn text(&self, width: Option<usize>) -> String {
        let mut widths: Vec<usize> = self.headings.iter().map(|heading| shown_width(heading)).collect();
        for row in &self.rows {
            for (at, cell) in row.iter().enumerate().take(widths.len()) {
                widths[at] = widths[at].max(shown_width(cell));
            }
        }
        if let Some(width) = width {
            narrow(&mut widths, width);
        }
        let headings: Vec<String> = self.headings.iter().map(|heading| (*heading).to_owned()).collect();
        let rows = std::iter::once(&headings).chain(&self.rows);
        rows.map(|row| line(row, &widths)).collect()
    }
}

/// Takes from the widest column until the row fits.
fn narrow(widths: &mut [usize], width: usize) {
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        let Some(widest) = widths.iter_mut().max() else { return };
        if *widest <= NARROWEST {
            return;
        }
        *widest -= 1;
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let cell = fitted(cell, *width);
        line.push_str(&cell);
        line.extend(std::iter::repeat_n(' ', (width - shown_width(&cell).min(*width)) + GAP));
    }
    format!("{}\n", line.trim_end())
}

/// A text of at most this width; what is cut ends with an ellipsis.
fn fitted(text: &str, width: usize) -> String {
    if shown_width(text) <= width {
        return text.to_owned();
    }
    let mut fitted = String::new();
    for c in text.chars() {
        let mut longer = fitted.clone();
        longer.push(c);
        if shown_width(&longer) >= width {
            break;
        }
        fitted = longer;
    }
    fitted.push('…');
    fitted
}

/// How many columns of a terminal a text takes.
fn shown_width(text: &str) -> usize {
    console::measure_text_width(text)
}

/// The terminal's width; `None` if nobody reads there.
fn terminal_width() -> Option<usize> {
    std::io::stdout().is_terminal().then(|| console::Term::stdout().size().1.into())
}

/// A moment as people say it: `5 min ago`, `in 2 h`. The exact one is in `--json`.
pub(super) fn relative(at: Timestamp) -> String {
    let (ago, ahead) = (clock::since(at), clock::until(at));
    match (ago.as_secs(), ahead.as_secs()) {
        (0, 1..) => format!("in {}", rough(ahead)),
        (0..5, _) => "just now".to_owned(),
        _ => format!("{} ago", rough(ago)),
    }
}

/// A length of time in its largest unit that fits twice.
fn rough(length: Duration) -> String {
    let seconds = length.as_secs();
    let (number, unit) = match seconds {
        0..120 => (seconds, "s"),
        120..7200 => (seconds / 60, "min"),
        7200..172_800 => (seconds / 3600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{number} {unit}")
}

/// The same for a moment as text, as it comes from a gateway; what is no moment stays as it is.
pub(super) fn relative_text(at: Option<&str>, never: &str) -> String {
    match at.map(str::parse::<Timestamp>) {
        None => never.to_owned(),
        Some(Ok(at)) => relative(at),
        Some(Err(_)) => at.unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["LABEL", "OWNER", "NAME"]);
        table.row(["bcdf".to_owned(), "ann".to_owned(), "a name that goes on and on".to_owned()]);
        table.row(["bcdfghjkmnpq".to_owned(), "étienne".to_owned(), "x\ty\u{1b}[31m".to_owned()]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let text = table().text(None);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "LABEL         OWNER    NAME");
        assert_eq!(lines[1], "bcdf          ann      a name that goes on and on");
        assert_eq!(lines[2], "bcdfghjkmnpq  étienne  x y [31m");
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest_and_no_line_is_longer() {
        for width in [24, 30, 40] {
            let text = table().text(Some(width));
            assert!(text.lines().all(|line| shown_width(line) <= width), "{width}: {text}");
            assert!(text.contains('…'), "{text}");
        }
        assert_eq!(fitted("日本語テキスト", 7), "日本語…");
        assert!(table().text(Some(3)).lines().count() == 3, "too narrow for anything is no reason to fail");
    }

    #[test]
    fn moments_are_said_roughly() {
        let now = clock::now();
        let ago = |seconds| relative(clock::earlier(now, Duration::from_secs(seconds)).unwrap());
        assert_eq!((ago(1), ago(90), ago(300)), ("just now".into(), "90 s ago".into(), "5 min ago".into()));
        assert_eq!((ago(3 * 3600), ago(5 * 86_400)), ("3 h ago".into(), "5 days ago".into()));
        assert_eq!(relative(clock::later(now, Duration::from_secs(7300))), "in 2 h");
        assert_eq!(relative_text(None, "never"), "never");
        assert_eq!(relative_text(Some("soon"), "never"), "soon");
    }
}
