//! Reading one table out of a `mysqldump`, MySQL's or MariaDB's, without holding it.
//!
//! A dump is scanned byte by byte: of a statement that is not about the table nothing is kept, and
//! of its `INSERT`s one row at a time. What is kept is cut into tokens by `sqlparser`.

use std::io::{self, BufRead};

use sqlparser::dialect::MySqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer, Word};
use thiserror::Error;

/// The longest definition of a table, and the longest row; users are far from it.
const LONGEST: usize = 1 << 20;

/// How much of a statement tells what it is about.
const BEGINNING: usize = 512;

/// A value of a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// Everything else, as text; numbers as they are written.
    Text(String),
}

/// A row of the table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// Where it begins in the file, counted from 1.
    pub line: usize,
    /// Its columns and their values, in the order of the dump.
    pub cells: Vec<(String, Cell)>,
}

/// What a dump says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece {
    /// There is such a table, with these columns.
    Table {
        /// Its name.
        name: String,
        /// Its columns in order.
        columns: Vec<String>,
    },
    /// A row of the table that was asked for.
    Row(Row),
}

/// Why a dump cannot be read.
#[derive(Debug, Error)]
pub enum DumpError {
    /// The file cannot be read.
    #[error("the dump cannot be read")]
    Io(#[from] io::Error),
    /// A statement is not what mysqldump writes. What it says is not repeated: it may be a hash.
    #[error("line {line}: {why}")]
    Odd {
        /// Counted from 1.
        line: usize,
        /// What is odd.
        why: &'static str,
    },
}

/// Reads every table's definition and, of `table` if one is given, every row.
///
/// # Errors
/// [`DumpError`]; what `each` returns ends it too.
pub fn read<E: From<DumpError>>(
    dump: impl BufRead,
    table: Option<&str>,
    mut each: impl FnMut(Piece) -> Result<(), E>,
) -> Result<(), E> {
    let mut reader = Reader::new(dump);
    let mut columns: Vec<String> = Vec::new();
    while let Some(statement) = reader.statement().map_err(E::from)? {
        match statement {
            Statement::Create(text) => {
                // Other tables may be defined in ways that nobody here has seen.
                let Some((name, found)) = definition(&text) else { continue };
                if table == Some(name.as_str()) {
                    columns.clone_from(&found);
                }
                each(Piece::Table { name, columns: found })?;
            }
            Statement::Insert(head) => {
                let (name, own) = insertion(&head).unwrap_or_default();
                let wanted = table == Some(name.as_str());
                let columns = own.as_ref().unwrap_or(&columns);
                while let Some((line, text)) = reader.row(wanted).map_err(E::from)? {
                    if wanted {
                        each(Piece::Row(row(line, &text, columns)?))?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn row(line: usize, text: &str, columns: &[String]) -> Result<Row, DumpError> {
    let cells = cells(text).ok_or(DumpError::Odd { line, why: ODD_ROW })?;
    if cells.len() != columns.len() {
        return Err(DumpError::Odd { line, why: ODD_COUNT });
    }
    Ok(Row { line, cells: columns.iter().cloned().zip(cells).collect() })
}

const ODD_ROW: &str = "a row is not one that mysqldump writes";
const ODD_COUNT: &str = "a row has not as many values as the table has columns";
const TOO_LONG: &str = "a definition or a row is longer than a megabyte";

/// The beginning of a statement that matters.
enum Statement {
    /// All of a `CREATE TABLE`.
    Create(String),
    /// An `INSERT` up to `VALUES`; its rows follow.
    Insert(String),
}

/// Where the scanner is within the text.
#[derive(Clone, Copy, Eq, PartialEq)]
enum In {
    Plain,
    /// Behind this quote; a backslash is no escape in backticks.
    Quoted(u8),
}

struct Reader<R> {
    bytes: R,
    line: usize,
    /// What ends a statement; `DELIMITER` changes it around triggers.
    delimiter: Vec<u8>,
    /// A byte that was looked at and belongs to what comes.
    held: Option<u8>,
}

impl<R: BufRead> Reader<R> {
    fn new(bytes: R) -> Self {
        Self { bytes, line: 1, delimiter: b";".to_vec(), held: None }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.held.is_none() {
            let buffer = self.bytes.fill_buf()?;
            let Some(byte) = buffer.first().copied() else { return Ok(None) };
            self.bytes.consume(1);
            self.held = Some(byte);
        }
        Ok(self.held)
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        self.held = None;
        self.line += usize::from(byte == Some(b'\n'));
        Ok(byte)
    }

    fn skip_line(&mut self) -> io::Result<()> {
        while !matches!(self.next()?, Some(b'\n') | None) {}
        Ok(())
    }

    fn skip_comment(&mut self) -> io::Result<()> {
        let mut last = 0;
        while let Some(byte) = self.next()? {
            if (last, byte) == (b'*', b'/') {
                return Ok(());
            }
            last = byte;
        }
        Ok(())
    }

    /// The next byte outside comments; a comment is one space. The versioned ones (`/*!50003 … */`)
    /// hold settings and triggers, and are comments too. `None` at the end of the file.
    fn plain(&mut self) -> Result<Option<u8>, DumpError> {
        let Some(byte) = self.next()? else { return Ok(None) };
        match (byte, self.peek()?) {
            (b'/', Some(b'*')) => {
                self.next()?;
                self.skip_comment()?;
                Ok(Some(b' '))
            }
            (b'-', Some(b'-')) => {
                self.skip_line()?;
                Ok(Some(b' '))
            }
            (b'#', _) => {
                self.skip_line()?;
                Ok(Some(b' '))
            }
            (byte, _) => Ok(Some(byte)),
        }
    }

    /// The next statement that matters, from its beginning.
    fn statement(&mut self) -> Result<Option<Statement>, DumpError> {
        loop {
            let (mut line, mut text, mut state, mut what) = (self.line, Vec::new(), In::Plain, Kind::Open);
            loop {
                let Some(byte) = (if state == In::Plain { self.plain()? } else { self.next()? }) else {
                    return Ok(None);
                };
                if text.is_empty() {
                    line = self.line;
                    if byte.is_ascii_whitespace() {
                        continue;
                    }
                }
                state = self.step(state, byte, &mut text)?;
                // Once known it stays so: the rest of a long statement is not looked at again.
                if what == Kind::Open {
                    what = kind(&text);
                }
                if what == Kind::Command {
                    if byte == b'\n' {
                        self.obey(&text);
                        break;
                    }
                    continue;
                }
                if state == In::Plain && text.ends_with(&self.delimiter) {
                    text.truncate(text.len() - self.delimiter.len());
                    if what == Kind::Create {
                        return Ok(Some(Statement::Create(lossy(&text))));
                    }
                    break;
                }
                match what {
                    Kind::Insert if state == In::Plain && ends_with_values(&text) => {
                        return Ok(Some(Statement::Insert(lossy(&text))));
                    }
                    // Nothing of it is kept but what may be its end.
                    Kind::Other if text.len() > BEGINNING => {
                        text.drain(..text.len() - self.delimiter.len());
                    }
                    Kind::Create | Kind::Insert if text.len() > LONGEST => {
                        return Err(DumpError::Odd { line, why: TOO_LONG });
                    }
                    Kind::Command | Kind::Create | Kind::Insert | Kind::Open | Kind::Other => {}
                }
            }
        }
    }

    /// Keeps a byte, and follows quotes and what is escaped in them.
    fn step(&mut self, state: In, byte: u8, text: &mut Vec<u8>) -> Result<In, DumpError> {
        text.push(byte);
        match (state, byte) {
            (In::Plain, b'\'' | b'"' | b'`') => Ok(In::Quoted(byte)),
            (In::Quoted(b'\'' | b'"'), b'\\') => {
                text.extend(self.next()?);
                Ok(state)
            }
            // A doubled quote ends one and begins one, which comes to the same.
            (In::Quoted(quote), byte) if byte == quote => Ok(In::Plain),
            (state, _) => Ok(state),
        }
    }

    /// Takes the new delimiter from the client's own command.
    fn obey(&mut self, command: &[u8]) {
        if let Some(delimiter) = lossy(command).split_ascii_whitespace().nth(1) {
            self.delimiter = delimiter.as_bytes().to_vec();
        }
    }

    /// The next row of the `INSERT` whose head was read: from `(` to `)`. `None` at its end.
    fn row(&mut self, keep: bool) -> Result<Option<(usize, String)>, DumpError> {
        loop {
            match self.plain()? {
                Some(b'(') => break,
                Some(b',') => {}
                Some(byte) if byte.is_ascii_whitespace() => {}
                // Whatever follows the rows (`ON DUPLICATE KEY …`) is not read.
                Some(byte) => {
                    self.finish(byte)?;
                    return Ok(None);
                }
                None => return Ok(None),
            }
        }
        let (line, mut text, mut state, mut depth) = (self.line, vec![b'('], In::Plain, 1);
        while depth > 0 {
            let byte = if state == In::Plain { self.plain()? } else { self.next()? };
            let byte = byte.ok_or(DumpError::Odd { line, why: "the dump ends within a row" })?;
            let before = state;
            state = self.step(state, byte, &mut text)?;
            if before == In::Plain && state == In::Plain {
                depth += usize::from(byte == b'(');
                depth -= usize::from(byte == b')');
            }
            if !keep {
                text.clear();
            } else if text.len() > LONGEST {
                return Err(DumpError::Odd { line, why: TOO_LONG });
            }
        }
        Ok(Some((line, lossy(&text))))
    }

    /// Skips the rest of a statement.
    fn finish(&mut self, first: u8) -> Result<(), DumpError> {
        let (mut text, mut state) = (Vec::new(), In::Plain);
        state = self.step(state, first, &mut text)?;
        while !(state == In::Plain && text.ends_with(&self.delimiter)) {
            let Some(byte) = (if state == In::Plain { self.plain()? } else { self.next()? }) else { break };
            state = self.step(state, byte, &mut text)?;
            let surplus = text.len().saturating_sub(self.delimiter.len());
            text.drain(..surplus);
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    /// `DELIMITER ;;`: the client's own, and it ends with its line.
    Command,
    Create,
    Insert,
    /// Too little is known yet.
    Open,
    Other,
}

/// What a statement is, by its first words.
fn kind(text: &[u8]) -> Kind {
    let beginning = String::from_utf8_lossy(&text[..text.len().min(BEGINNING)]).to_ascii_uppercase();
    let words: Vec<&str> = beginning.split_ascii_whitespace().take(4).collect();
    match words[..] {
        ["CREATE", "TABLE", ..] => Kind::Create,
        ["DELIMITER", ..] => Kind::Command,
        ["INSERT", "INTO", ..] | ["INSERT", "IGNORE", "INTO", ..] | ["REPLACE", "INTO", ..] => Kind::Insert,
        [] | ["CREATE" | "INSERT" | "REPLACE"] | ["INSERT", "IGNORE"] => Kind::Open,
        // A word may not be complete yet.
        [word]
            if ["CREATE", "DELIMITER", "INSERT", "REPLACE"].iter().any(|known| known.starts_with(word)) =>
        {
            Kind::Open
        }
        ["CREATE", word] if "TABLE".starts_with(word) => Kind::Open,
        ["INSERT" | "REPLACE", word] if "INTO".starts_with(word) || "IGNORE".starts_with(word) => Kind::Open,
        ["INSERT", "IGNORE", word] if "INTO".starts_with(word) => Kind::Open,
        _ => Kind::Other,
    }
}

fn ends_with_values(text: &[u8]) -> bool {
    let Some(start) = text.len().checked_sub(6) else { return false };
    let before = text.get(start.wrapping_sub(1)).copied().unwrap_or(b' ');
    text[start..].eq_ignore_ascii_case(b"VALUES")
        && (before.is_ascii_whitespace() || matches!(before, b')' | b'`'))
}

/// Dumps are UTF-8 but for columns with bytes, which no user's name or hash is.
fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Tokenizer::new(&MySqlDialect {}, text).tokenize().ok()?;
    tokens.retain(|token| !matches!(token, Token::Whitespace(_)));
    Some(tokens)
}

/// The name of `db`.`table` or `table`, and how many tokens it takes.
fn name(tokens: &[Token]) -> Option<(String, usize)> {
    match tokens {
        [Token::Word(_), Token::Period, Token::Word(name), ..] => Some((name.value.clone(), 3)),
        [Token::Word(name), ..] => Some((name.value.clone(), 1)),
        _ => None,
    }
}

/// Name and columns of a `CREATE TABLE`: a column's definition begins with its quoted name.
fn definition(text: &str) -> Option<(String, Vec<String>)> {
    let tokens = tokens(text)?;
    let skipped = tokens.iter().skip(2).take_while(|token| {
        matches!(token, Token::Word(word) if word.quote_style.is_none()
            && ["IF", "NOT", "EXISTS"].contains(&word.value.to_ascii_uppercase().as_str()))
    });
    let at = 2 + skipped.count();
    let (name, length) = name(tokens.get(at..)?)?;
    let (mut depth, mut begins, mut columns) = (0_usize, false, Vec::new());
    for token in tokens.get(at + length..)? {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.checked_sub(1)?,
            Token::Word(word) if depth == 1 && begins && is_column(word) => columns.push(word.value.clone()),
            _ => {}
        }
        begins = depth == 1 && matches!(token, Token::LParen | Token::Comma);
    }
    Some((name, columns))
}

/// Whether a definition that begins with this word is a column's, and no key's or constraint's.
fn is_column(word: &Word) -> bool {
    const OTHERS: [&str; 10] = [
        "PRIMARY",
        "KEY",
        "UNIQUE",
        "CONSTRAINT",
        "FULLTEXT",
        "SPATIAL",
        "INDEX",
        "FOREIGN",
        "CHECK",
        "PERIOD",
    ];
    word.quote_style.is_some() || !OTHERS.contains(&word.value.to_ascii_uppercase().as_str())
}

/// Table and, if it has them, columns of the head of an `INSERT`.
fn insertion(text: &str) -> Option<(String, Option<Vec<String>>)> {
    let tokens = tokens(text)?;
    let into = tokens
        .iter()
        .position(|token| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("into")))?;
    let (name, length) = name(tokens.get(into + 1..)?)?;
    let rest = tokens.get(into + 1 + length..)?;
    if !matches!(rest.first(), Some(Token::LParen)) {
        return Some((name, None));
    }
    let columns = rest.iter().take_while(|token| !matches!(token, Token::RParen));
    let columns = columns.filter_map(|token| match token {
        Token::Word(word) => Some(word.value.clone()),
        _ => None,
    });
    Some((name, Some(columns.collect())))
}

/// The values of `(…, …)`.
fn cells(text: &str) -> Option<Vec<Cell>> {
    let tokens = tokens(text)?;
    let inner = tokens.strip_prefix(&[Token::LParen])?.strip_suffix(&[Token::RParen])?;
    inner.split(|token| *token == Token::Comma).map(cell).collect()
}

/// One value: `NULL`, a text, a number, `_binary '…'`, `0x…`, `-1`, `b'1'`.
fn cell(tokens: &[Token]) -> Option<Cell> {
    match tokens {
        [Token::Word(word)] if word.value.eq_ignore_ascii_case("null") => Some(Cell::Null),
        [Token::Word(word)] => Some(Cell::Text(word.value.clone())),
        [
            Token::SingleQuotedString(text)
            | Token::DoubleQuotedString(text)
            | Token::SingleQuotedByteStringLiteral(text),
        ] => Some(Cell::Text(text.clone())),
        [Token::Number(number, _)] => Some(Cell::Text(number.clone())),
        [Token::Minus, Token::Number(number, _)] => Some(Cell::Text(format!("-{number}"))),
        [Token::HexStringLiteral(digits)] => Some(Cell::Text(unhex(digits)?)),
        // `_binary 'x'`, `_utf8mb4'x'`: the character set of a text.
        [Token::Word(word), text] if word.value.starts_with('_') => cell(std::slice::from_ref(text)),
        _ => None,
    }
}

/// The text whose bytes `--hex-blob` has written.
fn unhex(digits: &str) -> Option<String> {
    let digits = digits.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes = digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
#[path = "dump/tests.rs"]
mod tests;
