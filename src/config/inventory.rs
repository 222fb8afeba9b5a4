//! The configuration as a list of keys: value, origin and meaning of each.
//!
//! Values are those that [`Display`](std::fmt::Display) writes, meanings the comments of the shipped
//! file: each thing is said in one place.

use std::collections::BTreeMap;

use super::Config;
use super::section::Origins;
use crate::inventory::{Inventory, Origin, Setting};
use crate::language::Language;

/// The shipped file in each language: every key has its meaning beside it.
const SHIPPED: [(Language, &str); 2] = [
    (Language::English, include_str!("../../config/berth.toml")),
    (Language::French, include_str!("../../config/berth.fr.toml")),
];

/// What precedes the name of a variable in an origin.
const VARIABLE: &str = "environment ";

/// Every key of `config` in its order.
pub(super) fn inventory(config: &Config, origins: &Origins) -> Inventory {
    let meanings = SHIPPED.map(|(language, file)| (language, meanings(file)));
    let dangers = config.dangers();
    let named: Vec<String> = dangers.iter().map(|danger| danger.said(Language::English)).collect();
    let mut settings = Vec::new();
    let (mut section, mut table) = (String::new(), String::new());
    let mut templates = origins.templates().into_iter();
    for line in config.to_string().lines() {
        if line == "[[template]]" {
            (section, table) = ("template".to_owned(), templates.next().unwrap_or_default());
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            (section, table) = (name.to_owned(), String::new());
            continue;
        }
        let Some((key, value)) = line.split_once(" = ") else { continue };
        let origin = match origins.of(&section, &table, key) {
            None => Origin::Default,
            Some(at) => match at.strip_prefix(VARIABLE) {
                Some(variable) => Origin::Environment { variable: variable.to_owned() },
                None => Origin::File { at: at.to_owned() },
            },
        };
        settings.push(Setting {
            section: section.clone(),
            key: key.to_owned(),
            value: value.to_owned(),
            unit: unit(key),
            origin,
            about: about(&meanings, &section, key),
            weakens: key.starts_with("danger_") && value == "true"
                || named.iter().any(|danger| danger.starts_with(&format!("{section}.{key} "))),
        });
    }
    name_templates(&mut settings);
    Inventory { settings, dangers }
}

/// `template` becomes `template desktop`, by the name that its table begins with.
fn name_templates(settings: &mut [Setting]) {
    let mut name = String::new();
    for setting in settings.iter_mut().filter(|setting| setting.section == "template") {
        if setting.key == "name" {
            name = setting.value.trim_matches('"').to_owned();
        }
        setting.section = format!("template {name}");
    }
}

fn unit(key: &str) -> Option<&'static str> {
    [("_s", "s"), ("_mib", "MiB"), ("_percent", "%"), ("_days", "d")]
        .into_iter()
        .find(|(ending, _)| key.ends_with(ending))
        .map(|(_, unit)| unit)
}

/// What a key means, in each language.
fn about(meanings: &[(Language, Meanings)], section: &str, key: &str) -> BTreeMap<Language, String> {
    let place = (section.to_owned(), key.to_owned());
    meanings.iter().filter_map(|(language, of)| Some((*language, of.get(&place)?.clone()))).collect()
}

/// Comments by table and key.
type Meanings = BTreeMap<(String, String), String>;

/// The comments of a shipped file.
fn meanings(file: &str) -> Meanings {
    let mut found = Meanings::new();
    let (mut section, mut last) = (String::new(), None);
    for line in file.lines() {
        let (before, comment) =
            line.split_once('#').map_or((line, ""), |(before, after)| (before, after.trim()));
        if line.starts_with('[') {
            section = before.trim().trim_matches(['[', ']']).to_owned();
            last = None;
        } else if let Some((key, _)) = before.split_once(" = ") {
            let key = (section.clone(), key.trim().to_owned());
            found.insert(key.clone(), comment.to_owned());
            last = Some(key);
        } else if let (true, Some(text)) =
            (line.starts_with(' '), last.as_ref().and_then(|last| found.get_mut(last)))
        {
            // A comment that goes on below.
            text.push(' ');
            text.push_str(comment);
        } else {
            last = None;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_shipped_file_says_what_it_means() {
        let inventory = inventory(&Config::default(), &Origins::default());
        assert!(inventory.settings.len() > 70);
        // A few speak for themselves.
        let silent = ["max_sessions_per_user", "key", "name"];
        for setting in &inventory.settings {
            let spoken = Language::ALL.map(|language| !setting.about(language).is_empty());
            let fine = spoken == [true, true] || silent.contains(&setting.key.as_str());
            assert!(fine && spoken[0] == spoken[1], "{}.{}: {spoken:?}", setting.section, setting.key);
            assert_eq!(setting.origin, Origin::Default);
        }
        let quota = inventory.settings.iter().find(|setting| setting.key == "quota_mib").unwrap();
        let about = quota.about(Language::English);
        assert!(about.contains("0 = no limit") && about.ends_with("and warned of"), "{about}");
        assert_eq!(quota.unit, Some("MiB"));
        assert!(inventory.dangers.is_empty());
    }

    #[test]
    fn the_shipped_files_differ_in_their_comments_alone() {
        let [english, french] = SHIPPED.map(|(_, file)| file.parse::<toml::Table>().unwrap());
        assert_eq!(english, french);
    }
}
