//! What is in force, key by key, for people to read. `config` makes it; the page of settings, the
//! API and the command line show it. Values are text here: nobody works by them.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::language::{Language, Sentence};

/// Every key in force, and what of it weakens security.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Inventory {
    /// Every key, in the order of the file.
    pub settings: Vec<Setting>,
    /// What weakens security, in one plain sentence each; programs read it in English.
    #[serde(serialize_with = "in_english")]
    pub dangers: Vec<Sentence>,
}

impl Inventory {
    /// Says of a key that it weakens security, in this sentence.
    pub fn mark(&mut self, section: &str, key: &str, sentence: Sentence) {
        for setting in &mut self.settings {
            setting.weakens |= setting.section == section && setting.key == key;
        }
        self.dangers.push(sentence);
    }
}

/// One key.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Setting {
    /// Its table: `limits`, or `template desktop`.
    pub section: String,
    /// Its name.
    pub key: String,
    /// Its value as the file would have it, secrets hidden.
    pub value: String,
    /// What the value counts: `s`, `MiB`, `%`.
    pub unit: Option<&'static str>,
    /// Where the value comes from.
    pub origin: Origin,
    /// What it means, as the shipped file of each language says; programs read it in English.
    #[serde(serialize_with = "english")]
    pub about: BTreeMap<Language, String>,
    /// Whether it weakens security, set as it is.
    pub weakens: bool,
}

impl Setting {
    /// What it means; empty if the shipped file says nothing of it.
    #[must_use]
    pub fn about(&self, language: Language) -> &str {
        self.about.get(&language).map_or("", String::as_str)
    }
}

fn english<S: Serializer>(about: &BTreeMap<Language, String>, to: S) -> Result<S::Ok, S::Error> {
    about.get(&Language::English).map_or("", String::as_str).serialize(to)
}

fn in_english<S: Serializer>(sentences: &[Sentence], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(sentences.iter().map(|sentence| sentence.said(Language::English)))
}

/// Where a value comes from.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A line of a file.
    File {
        /// `path:line`.
        at: String,
    },
}
