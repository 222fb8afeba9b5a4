//! Reading a `.env` file: names and values in order, and whose it is.

use std::fmt;

use thiserror::Error;

use super::variables::{self, System};

/// What a `.env` file says. No `Debug`: it holds passwords.
pub struct EnvFile {
    /// Names and values in the order of the file; of a name given twice the last value, as
    /// everybody who reads such files takes it.
    pub entries: Vec<(String, String)>,
}

/// Why a file cannot be converted.
#[derive(Debug, Error, PartialEq)]
pub enum EnvError {
    /// It has no variable that only one of the systems has.
    #[error("nothing in it belongs to one of the three systems alone")]
    Anybodys,
    /// Its variables are of several systems.
    #[error("its variables are of several systems: {0}")]
    Several(String),
    /// A line is no assignment; the value is not repeated, it may be a password.
    #[error("line {line} is not NAME=value")]
    Line {
        /// Counted from 1.
        line: usize,
    },
}

impl EnvFile {
    /// Reads what `dotenvy` reads, and, line by line, what only Docker reads: values with spaces
    /// and without quotes.
    ///
    /// # Errors
    /// [`EnvError::Line`].
    pub fn read(text: &str) -> Result<Self, EnvError> {
        let mut file = Self { entries: Vec::new() };
        let whole: Result<Vec<_>, _> = dotenvy::from_read_iter(text.as_bytes()).collect();
        match whole {
            Ok(entries) => entries.into_iter().for_each(|(name, value)| file.put(name, value)),
            Err(_) => {
                for (index, line) in text.lines().enumerate() {
                    file.line(line, index + 1)?;
                }
            }
        }
        Ok(file)
    }

    fn line(&mut self, line: &str, number: usize) -> Result<(), EnvError> {
        let mut read = dotenvy::from_read_iter(line.as_bytes());
        match read.next() {
            None => Ok(()),
            Some(Ok((name, value))) => {
                self.put(name, value);
                Ok(())
            }
            Some(Err(_)) => {
                let (name, value) = line.split_once('=').ok_or(EnvError::Line { line: number })?;
                let name = name.trim().trim_start_matches("export ").trim();
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
                if name.is_empty() || !name.chars().all(plain) {
                    return Err(EnvError::Line { line: number });
                }
                self.put(name.to_owned(), value.trim().trim_matches(['"', '\'']).to_owned());
                Ok(())
            }
        }
    }

    fn put(&mut self, name: String, value: String) {
        self.entries.retain(|(known, _)| *known != name);
        self.entries.push((name, value));
    }

    /// The system whose file it is: the one that most of its variables belong to alone.
    ///
    /// # Errors
    /// [`EnvError::Anybodys`], [`EnvError::Several`].
    pub fn system(&self) -> Result<System, EnvError> {
        let score = |system: System| {
            let own = |name: &str| variables::systems_of(name) == [system];
            self.entries.iter().filter(|(name, _)| own(name)).count()
        };
        let mut scores: Vec<_> = System::ALL.map(|system| (score(system), system)).into();
        scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        match scores[..] {
            [(0, _), ..] => Err(EnvError::Anybodys),
            [(first, _), (second, _), ..] if first == second => {
                let names = scores.iter().filter(|(score, _)| *score == first);
                Err(EnvError::Several(names.map(|(_, system)| system.name()).collect::<Vec<_>>().join(", ")))
            }
            [(_, system), ..] => Ok(system),
            [] => Err(EnvError::Anybodys),
        }
    }
}

impl fmt::Debug for EnvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<(String, String)> {
        EnvFile::read(text).unwrap().entries
    }

    #[test]
    fn what_any_of_their_readers_takes_is_read() {
        let text = "# kiosk\nexport PORT=5000\nKIOSK_URL=\"https://example.org/?a=b#c\"\n\nEMPTY=\nPORT=6000 # later\n";
        let expected = [("KIOSK_URL", "https://example.org/?a=b#c"), ("EMPTY", ""), ("PORT", "6000")];
        assert_eq!(entries(text), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let docker = entries("TITLE=Two words\nexport HOST = 0.0.0.0\nA='b c'\n");
        assert_eq!(docker[0], ("TITLE".to_owned(), "Two words".to_owned()));
        assert_eq!(docker[2], ("A".to_owned(), "b c".to_owned()));
    }

    #[test]
    fn a_line_that_is_none_is_named_without_its_text() {
        let error = EnvFile::read("A=1\nhunter2 hunter2\n").unwrap_err();
        assert_eq!(error, EnvError::Line { line: 2 });
        assert!(!error.to_string().contains("hunter2"));
        let file = EnvFile::read("SECRET_KEY=hunter2\n").unwrap();
        assert!(!format!("{file:?}").contains("hunter2"));
    }

    #[test]
    fn a_file_is_known_by_what_only_one_system_has() {
        for (text, system) in [
            ("KIOSK_URL=https://example.org\nPORT=5000\n", System::Kiosk),
            ("DOMAIN=desk.example.org\nLETSENCRYPT_EMAIL=a@b.c\n", System::Manager),
            ("MYSQL_HOST=db\nSECRET_KEY=x\nPORT=5000\n", System::Portal),
        ] {
            assert_eq!(EnvFile::read(text).unwrap().system(), Ok(system), "{text}");
        }
        assert_eq!(EnvFile::read("PORT=1\nNOISE=2\n").unwrap().system(), Err(EnvError::Anybodys));
        let both = EnvFile::read("KIOSK_URL=x\nMYSQL_HOST=db\n").unwrap().system();
        assert!(matches!(both, Err(EnvError::Several(_))), "{both:?}");
    }
}
