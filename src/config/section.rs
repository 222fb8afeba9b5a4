//! Reading one table key by key, collecting everything that is wrong instead of stopping at it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use toml::Value;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;

/// Why a value is refused: it is of the wrong type, or of the right one but not acceptable.
/// The text says what was expected, or why, as the end of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wrong {
    /// Another type was expected.
    Type(String),
    /// The value cannot be used.
    Value(String),
}

/// What a value parser returns.
pub(super) type Parsed<T> = Result<T, Wrong>;

/// Where everything wrong is collected, and where each key was written; clones share both.
#[derive(Clone, Debug, Default)]
pub(super) struct Problems(Rc<Collected>);

#[derive(Debug, Default)]
struct Collected {
    errors: RefCell<Vec<ConfigError>>,
    origins: RefCell<Origins>,
}

impl Problems {
    /// Adds one.
    pub(super) fn add(&self, error: ConfigError) {
        self.0.errors.borrow_mut().push(error);
    }

    /// Everything collected so far, emptied.
    pub(super) fn take(&self) -> Vec<ConfigError> {
        self.0.errors.take()
    }

    /// Where the keys were written that were set so far.
    pub(super) fn origins(&self) -> Origins {
        self.0.origins.borrow().clone()
    }
}

/// Where each key that was set was written: `path:line`, or `environment` and a variable's name.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins {
    /// By table, by where it begins if there are several of its name, and by key.
    keys: BTreeMap<(&'static str, String, &'static str), String>,
    templates: Vec<String>,
}

impl Origins {
    /// Where a key was written; `None` if nobody set it.
    pub(super) fn of(&self, section: &str, table: &str, key: &str) -> Option<&str> {
        let found =
            self.keys.iter().find(|((of, at, name), _)| (*of, at.as_str(), *name) == (section, table, key));
        found.map(|(_, at)| at.as_str())
    }

    /// Where each template begins, in their order.
    pub(super) fn templates(&self) -> Vec<String> {
        self.templates.clone()
    }
}

/// A value and where it was written: `path:line`, or the name of an environment variable.
#[derive(Clone, Debug)]
struct Entry {
    value: Value,
    at: String,
}

/// One table of the configuration, consumed key by key.
#[derive(Debug)]
pub(super) struct Section {
    /// What people read in front of the key: `limits`, or `template`.
    name: &'static str,
    /// Where the table begins.
    at: String,
    entries: BTreeMap<String, Entry>,
    overrides: BTreeMap<String, String>,
    known: Vec<&'static str>,
    /// Where the keys taken so far were written.
    taken: BTreeMap<&'static str, String>,
    problems: Problems,
}

impl Section {
    /// A table from a file. Its values' lines are counted in `text`.
    pub(super) fn of(
        name: &'static str,
        table: &DeTable<'_>,
        at: String,
        file: &Path,
        text: &str,
        problems: &Problems,
    ) -> Self {
        let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
            let key: &std::borrow::Cow<'_, str> = key.get_ref();
            let at = place(file, text, value.span().start);
            (key.to_string(), Entry { value: plain(value.get_ref()), at })
        };
        if name == "template" {
            problems.0.origins.borrow_mut().templates.push(at.clone());
        }
        Self { at, entries: table.iter().map(entry).collect(), ..Self::empty(name, problems) }
    }

    /// A table that no file has.
    pub(super) fn empty(name: &'static str, problems: &Problems) -> Self {
        Self {
            name,
            at: String::new(),
            entries: BTreeMap::new(),
            overrides: BTreeMap::new(),
            known: Vec::new(),
            taken: BTreeMap::new(),
            problems: problems.clone(),
        }
    }

    /// Adds the environment's values for this table: lower-case key to text.
    pub(super) fn overridden(mut self, overrides: BTreeMap<String, String>) -> Self {
        self.overrides = overrides;
        self
    }

    /// Where the table begins.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    /// The value of `key` from the environment, else from the file, else `default`. What is
    /// wrong with it is collected, and `default` stands in.
    pub(super) fn take<T>(
        &mut self,
        key: &'static str,
        default: T,
        parse: impl Fn(&Value) -> Parsed<T>,
    ) -> T {
        self.known.push(key);
        let entry = self.entries.remove(key);
        if let Some(text) = self.overrides.remove(key) {
            let at = self.variable(key);
            self.note(key, at.clone());
            return from_environment(&text, &parse).unwrap_or_else(|wrong| {
                self.refuse(&at, key, &Value::String(text), wrong);
                default
            });
        }
        let Some(Entry { value, at }) = entry else { return default };
        self.note(key, at.clone());
        parse(&value).unwrap_or_else(|wrong| {
            self.refuse(&at, key, &value, wrong);
            default
        })
    }

    /// Like [`Section::take`] for a key that must be given.
    pub(super) fn require<T>(&mut self, key: &'static str, parse: impl Fn(&Value) -> Parsed<T>) -> Option<T> {
        if !self.entries.contains_key(key) {
            self.known.push(key);
            let why = "this key is required".to_owned();
            self.problems.add(ConfigError::new(
                &self.at,
                &self.full(key),
                None,
                why,
                format!("add a line {key} = …"),
            ));
            return None;
        }
        self.take(key, None, |value| parse(value).map(Some))
    }

    fn note(&mut self, key: &'static str, at: String) {
        let table = if self.name == "template" { self.at.clone() } else { String::new() };
        self.problems.0.origins.borrow_mut().keys.insert((self.name, table, key), at.clone());
        self.taken.insert(key, at);
    }

    /// Collects that `key` contradicts another setting.
    pub(super) fn contradicts(&self, key: &'static str, why: String, advice: &str) {
        let at = self.taken.get(key).unwrap_or(&self.at);
        self.problems.add(ConfigError::new(at, &self.full(key), None, why, advice.to_owned()));
    }

    /// Refuses every key that nobody took.
    pub(super) fn finish(self) {
        for (key, entry) in &self.entries {
            self.refuse_unknown(&entry.at, key, &self.full(key));
        }
        for key in self.overrides.keys() {
            self.refuse_unknown(&self.variable(key), key, &self.full(key));
        }
    }

    fn refuse_unknown(&self, at: &str, key: &str, full: &str) {
        let advice = match nearest(key, &self.known) {
            Some(known) => format!("did you mean {known}?"),
            None => format!("known keys here: {}", self.known.join(", ")),
        };
        self.problems.add(ConfigError::new(at, full, None, "there is no such key".to_owned(), advice));
    }

    fn variable(&self, key: &str) -> String {
        format!("environment BERTH__{}__{}", self.name.to_uppercase(), key.to_uppercase())
    }

    fn full(&self, key: &str) -> String {
        format!("{}.{key}", self.name)
    }

    fn refuse(&self, at: &str, key: &'static str, value: &Value, wrong: Wrong) {
        // A store URL may hold a password, and a template's environment anything.
        let secret = matches!((self.name, key), ("store", "url") | ("template", "env"));
        let shown = if secret { "(hidden)".to_owned() } else { shown(value) };
        let (why, advice) = match wrong {
            Wrong::Type(expected) => (format!("this is {}", kind(value)), format!("write {expected}")),
            Wrong::Value(why) => (why, format!("change {key}, or leave it out for its default")),
        };
        self.problems.add(ConfigError::new(at, &self.full(key), Some(shown), why, advice));
    }
}

/// `path:line` of a byte offset.
pub(super) fn place(file: &Path, text: &str, offset: usize) -> String {
    let line = text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1;
    format!("{}:{line}", file.display())
}

/// The nearest of `known` if it is near enough to be a slip of the finger.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = |known: &&'a str| (strsim::damerau_levenshtein(word, known), *known);
    let (distance, best) = known.iter().map(near).min()?;
    (distance <= 1 + word.len() / 4).then_some(best)
}

/// An environment value has no type of its own: it is what the key accepts, be it the text
/// itself, a TOML value, or a comma-separated list.
fn from_environment<T>(text: &str, parse: &impl Fn(&Value) -> Parsed<T>) -> Parsed<T> {
    let plain_text = Value::String(text.to_owned());
    let toml = DeValue::parse(text).ok().map(|value| plain(value.get_ref()));
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let list = Value::Array(items.map(|item| Value::String(item.to_owned())).collect());
    let mut first = None;
    for candidate in [Some(plain_text), toml, Some(list)].into_iter().flatten() {
        match (parse(&candidate), &first) {
            (Ok(value), _) => return Ok(value),
            (Err(wrong @ Wrong::Value(_)), None | Some(Wrong::Type(_))) | (Err(wrong), None) => {
                first = Some(wrong)
            }
            (Err(_), Some(_)) => {}
        }
    }
    Err(first.unwrap_or_else(|| Wrong::Value("it cannot be read".to_owned())))
}

/// The value without its places.
fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::String(number.to_string()), Value::Integer),
        DeValue::Float(number) => {
            number.as_str().parse().map_or_else(|_| Value::String(number.to_string()), Value::Float)
        }
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(time) => Value::Datetime(*time),
        DeValue::Array(items) => Value::Array(items.iter().map(|item| plain(item.get_ref())).collect()),
        DeValue::Table(table) => {
            let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                (key.to_string(), plain(value.get_ref()))
            };
            Value::Table(table.iter().map(entry).collect())
        }
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string().trim().to_owned();
    match text.char_indices().nth(80) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number with a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}
