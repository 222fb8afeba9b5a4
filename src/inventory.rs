//! What is in force, key by key, for people to read. `config` makes it; the page of settings, the
//! API and the command line show it. Values are text here: nobody works by them.

use serde::Serialize;

/// Every key in force, and what of it weakens security.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Inventory {
    /// Every key, in the order of the file.
    pub settings: Vec<Setting>,
    /// What weakens security, in one plain sentence each.
    pub dangers: Vec<String>,
}

impl Inventory {
    /// Says of a key that it weakens security, in this sentence.
    pub fn mark(&mut self, section: &str, key: &str, sentence: &str) {
        for setting in &mut self.settings {
            setting.weakens |= setting.section == section && setting.key == key;
        }
        self.dangers.push(sentence.to_owned());
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
    /// What it means, as the shipped file says.
    pub about: String,
    /// Whether it weakens security, set as it is.
    pub weakens: bool,
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
