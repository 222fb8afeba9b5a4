//! The last words of a container, fit to be shown to people.

use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;
use tokio::time::timeout;

use super::api::{Api, Failure, QUICK};
use crate::engine::EngineError;

/// How many lines are asked for.
const LINES: &str = "20";
/// How many bytes are kept, the last ones.
const KEPT: usize = 2048;

/// `GET /containers/{id}/logs?tail=20`: empty if the container is absent or printed nothing.
pub(super) async fn last_lines(api: &Api, container: &str) -> Result<String, EngineError> {
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(LINES).build();
    let mut lines = api.docker().logs(container, Some(options));
    let read = async {
        let mut kept = Vec::new();
        while let Some(chunk) = lines.next().await {
            kept.extend_from_slice(chunk?.as_ref());
            // A container may print lines without end: never hold more than twice what is kept.
            if kept.len() > 2 * KEPT {
                kept.drain(..kept.len() - KEPT);
            }
        }
        Ok::<_, Failure>(kept)
    };
    match timeout(QUICK, read).await {
        Ok(Ok(kept)) => Ok(readable(&kept)),
        Ok(Err(failure)) if failure.is(404) => Ok(String::new()),
        Ok(Err(failure)) => Err(failure.into()),
        Err(_) => Err(EngineError::Slow { verb: "read output".into(), seconds: QUICK.as_secs() }),
    }
}

/// Text without terminal escapes and control characters, at most [`KEPT`] bytes from its end.
fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\n' => clean.push('\n'),
            '\t' => clean.push(' '),
            shown if !shown.is_control() => clean.push(shown),
            _ => {}
        }
    }
    let mut start = clean.len().saturating_sub(KEPT);
    while !clean.is_char_boundary(start) {
        start += 1;
    }
    clean[start..].trim().to_owned()
}

/// Consumes the rest of a terminal escape sequence (ECMA-48 §5.4: parameters, then a final byte).
fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if characters.next_if_eq(&'[').is_some() {
        while characters.next_if(|c| ('\u{20}'..'\u{40}').contains(c)).is_some() {}
        characters.next_if(|c| ('\u{40}'..='\u{7e}').contains(c));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_control_characters_are_left_out() {
        assert_eq!(readable(b"\x1b[31;1mred\x1b[0m\r\nplain\tx\x07\x00"), "red\nplain x");
        assert_eq!(readable(b"\x1b"), "");
        assert_eq!(readable(b"\xff\xfe ok"), "\u{fffd}\u{fffd} ok");
    }

    #[test]
    fn the_end_is_kept() {
        let long = format!("{}é the end", "x".repeat(5000));
        let kept = readable(long.as_bytes());
        assert!(kept.len() <= KEPT && kept.ends_with("é the end"));
    }
}
