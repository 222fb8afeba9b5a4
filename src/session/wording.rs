//! What people read of a template, in one language or in several.

use std::collections::BTreeMap;

use crate::language::Language;

/// A text as whoever configures a template wrote it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wording {
    /// A text for each of these languages.
    Each(BTreeMap<Language, String>),
    /// One text for every reader.
    One(String),
}

impl Wording {
    /// The text in `language`; of a text that was not written in it, the one in the language that
    /// readers get who speak none of ours, else any.
    #[must_use]
    pub fn of(&self, language: Language) -> &str {
        match self {
            Self::One(text) => text,
            Self::Each(texts) => texts
                .get(&language)
                .or_else(|| texts.get(&Language::default()))
                .or_else(|| texts.values().next())
                .map_or("", String::as_str),
        }
    }
}

impl From<&str> for Wording {
    fn from(text: &str) -> Self {
        Self::One(text.to_owned())
    }
}

impl From<String> for Wording {
    fn from(text: String) -> Self {
        Self::One(text)
    }
}

/// A text for each language.
impl<const N: usize> From<[(Language, &str); N]> for Wording {
    fn from(texts: [(Language, &str); N]) -> Self {
        Self::Each(texts.into_iter().map(|(language, text)| (language, text.to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_their_language_else_english_else_what_there_is() {
        let (english, french) = (Language::English, Language::French);
        let both = Wording::from([(french, "Bureau"), (english, "Desktop")]);
        assert_eq!((both.of(english), both.of(french)), ("Desktop", "Bureau"));
        let one = Wording::from("Kiosk");
        assert_eq!((one.of(english), one.of(french)), ("Kiosk", "Kiosk"));
        assert_eq!(Wording::from([(english, "Desktop")]).of(french), "Desktop");
        assert_eq!(Wording::from([(french, "Bureau")]).of(english), "Bureau");
        assert_eq!(Wording::Each(BTreeMap::new()).of(english), "");
    }
}
