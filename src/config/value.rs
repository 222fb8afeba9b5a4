//! Parsers of single values: from TOML to the type a setting has.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use toml::Value;

use super::section::{Parsed, Wrong};
use crate::language::Language;
use crate::session::{Label, Routing, Wording};

/// A whole number within `range`.
pub(super) fn whole<T: TryFrom<i64>>(range: RangeInclusive<i64>) -> impl Fn(&Value) -> Parsed<T> {
    move |value| {
        let wrong = || Wrong::Value(format!("the number must be from {} to {}", range.start(), range.end()));
        match value {
            Value::Integer(number) if range.contains(number) => T::try_from(*number).map_err(|_| wrong()),
            Value::Integer(_) => Err(wrong()),
            _ => Err(Wrong::Type(format!("a whole number, for example {}", range.start()))),
        }
    }
}

/// A duration in whole seconds, from `least` to ten years.
pub(super) fn seconds(least: i64) -> impl Fn(&Value) -> Parsed<Duration> {
    move |value| match value {
        Value::Integer(_) => whole(least..=315_360_000)(value).map(Duration::from_secs),
        _ => Err(Wrong::Type("a whole number of seconds, for example 600".to_owned())),
    }
}

/// A duration in whole seconds; 0 is none.
pub(super) fn seconds_or_none(value: &Value) -> Parsed<Option<Duration>> {
    seconds(0)(value).map(|duration| (!duration.is_zero()).then_some(duration))
}

/// A number within `range`.
pub(super) fn number(range: RangeInclusive<f64>) -> impl Fn(&Value) -> Parsed<f64> {
    move |value| {
        #[allow(clippy::cast_precision_loss)] // within the ranges in use every integer is exact
        let number = match value {
            Value::Float(number) => *number,
            Value::Integer(number) => *number as f64,
            _ => return Err(Wrong::Type("a number, for example 2.0".to_owned())),
        };
        if range.contains(&number) {
            return Ok(number);
        }
        Err(Wrong::Value(format!("the number must be from {} to {}", range.start(), range.end())))
    }
}

/// `true` or `false`.
pub(super) fn flag(value: &Value) -> Parsed<bool> {
    value.as_bool().ok_or_else(|| Wrong::Type("true or false".to_owned()))
}

/// Any text without control characters.
pub(super) fn text(value: &Value) -> Parsed<String> {
    let text = value.as_str().ok_or_else(|| Wrong::Type("a text in quotes".to_owned()))?;
    if text.chars().any(char::is_control) {
        return Err(Wrong::Value("it has a control character".to_owned()));
    }
    Ok(text.to_owned())
}

/// A text with something in it.
pub(super) fn filled(value: &Value) -> Parsed<String> {
    let text = text(value)?;
    if text.trim().is_empty() {
        return Err(Wrong::Value("it must not be empty".to_owned()));
    }
    Ok(text)
}

/// A text for people: one for everybody, or a table with one for each language.
pub(super) fn wording(parse: impl Fn(&Value) -> Parsed<String>) -> impl Fn(&Value) -> Parsed<Wording> {
    const LANGUAGES: [Language; 2] = [Language::English, Language::French];
    move |value| {
        let Value::Table(table) = value else { return parse(value).map(Wording::One) };
        let tags = || LANGUAGES.map(Language::tag).join(" and ");
        if table.is_empty() {
            return Err(Wrong::Value(format!("it must have a text for one of {}", tags())));
        }
        let text = |(tag, value): (&String, &Value)| {
            let language = LANGUAGES.into_iter().find(|language| language.tag() == tag);
            let unknown = || Wrong::Value(format!("pages are written in {}, not in {tag:?}", tags()));
            Ok((language.ok_or_else(unknown)?, parse(value)?))
        };
        table.iter().map(text).collect::<Parsed<_>>().map(Wording::Each)
    }
}

/// A path; relative ones are relative to the working directory.
pub(super) fn path(value: &Value) -> Parsed<PathBuf> {
    filled(value).map(PathBuf::from)
}

/// Whatever `parse` accepts, or an empty text for none.
pub(super) fn optional<T>(parse: impl Fn(&Value) -> Parsed<T>) -> impl Fn(&Value) -> Parsed<Option<T>> {
    move |value| match value.as_str() {
        Some("") => Ok(None),
        Some(_) | None => parse(value).map(Some),
    }
}

/// A list of what `parse` accepts.
pub(super) fn list<T>(parse: impl Fn(&Value) -> Parsed<T>) -> impl Fn(&Value) -> Parsed<Vec<T>> {
    move |value| {
        let items = value.as_array().ok_or_else(|| Wrong::Type("a list in square brackets".to_owned()))?;
        let item = |item| match parse(item) {
            Err(Wrong::Type(expected)) => Err(Wrong::Value(format!("each of its items must be {expected}"))),
            other => other,
        };
        items.iter().map(item).collect()
    }
}

/// A text that `T` parses; `example` shows one.
pub(super) fn parsed<T: std::str::FromStr>(example: &'static str) -> impl Fn(&Value) -> Parsed<T>
where
    T::Err: std::fmt::Display,
{
    move |value| {
        let text = value.as_str().ok_or_else(|| Wrong::Type(format!("a text like \"{example}\"")))?;
        text.parse().map_err(|why: T::Err| Wrong::Value(format!("{text:?} is not like {example:?}: {why}")))
    }
}

/// An address and a port.
pub(super) fn address(value: &Value) -> Parsed<SocketAddr> {
    parsed("127.0.0.1:8443")(value)
}

/// One of a few words.
pub(super) fn choice<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&Value) -> Parsed<T> {
    move |value| {
        let all = || words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ");
        let text = value.as_str().ok_or_else(|| Wrong::Type(all()))?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| Wrong::Value(format!("it must be {}", all())))
    }
}

/// The name of an environment variable.
pub(super) fn variable(value: &Value) -> Parsed<String> {
    let name = filled(value)?;
    named_variable(&name)?;
    Ok(name)
}

fn named_variable(name: &str) -> Parsed<()> {
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(valid) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Wrong::Value(format!("{name:?} cannot be the name of an environment variable")));
    }
    Ok(())
}

/// A table of texts, as environment variables.
pub(super) fn variables(value: &Value) -> Parsed<BTreeMap<String, String>> {
    let expected = || Wrong::Type("a table of texts, for example { LANG = \"C.UTF-8\" }".to_owned());
    let table = value.as_table().ok_or_else(expected)?;
    let entry = |(name, value): (&String, &Value)| {
        named_variable(name)?;
        let text = value
            .as_str()
            .ok_or_else(|| Wrong::Value(format!("the value of {name} must be a text in quotes")))?;
        if text.contains('\0') {
            return Err(Wrong::Value(format!("the value of {name} has a NUL character")));
        }
        Ok((name.clone(), text.to_owned()))
    };
    table.iter().map(entry).collect()
}

/// A host name in lower case: RFC 1123 labels joined by dots.
pub(super) fn domain(value: &Value) -> Parsed<String> {
    let text = filled(value)?;
    if text.len() > 253 || text.split('.').any(|label| Label::check(label).is_err()) {
        let why =
            "a domain is a host name in lower case like \"desk.example.org\", without scheme, port or path";
        return Err(Wrong::Value(why.to_owned()));
    }
    Ok(text)
}

/// A name that the engine accepts for its objects.
pub(super) fn object_name(value: &Value) -> Parsed<String> {
    let name = filled(value)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.chars().all(allowed) || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || name.len() > 64
    {
        return Err(Wrong::Value(
            "a name has up to 64 of a-z, 0-9, '-', '_' and '.', and begins with a letter or digit".to_owned(),
        ));
    }
    Ok(name)
}

/// Where sessions live in URLs.
pub(super) fn routing(value: &Value) -> Parsed<Routing> {
    const ROUTINGS: &[(&str, Routing)] = &[("path", Routing::Path), ("subdomain", Routing::Subdomain)];
    choice(ROUTINGS)(value)
}

/// Checks that a path is absolute and leads nowhere else.
pub(super) fn inside(path: &str) -> Parsed<()> {
    let plain = path.starts_with('/') && path.len() > 1 && !path.contains(':');
    if !plain || path.split('/').any(|part| part == "..") {
        return Err(Wrong::Value("it must be an absolute path, without \"..\" or ':'".to_owned()));
    }
    Ok(())
}
