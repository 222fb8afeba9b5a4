//! Proving that the audit is as it was written, also where its front was cut.
//!
//! Every line's hash covers the line before it. Where retention cut the front, the line
//! `audit_trimmed` says up to which number, and carries the hash of the last line that went: the
//! chain is followed from there, and that line is itself part of it.

use serde::Deserialize;
use thiserror::Error;

use super::{EventKind, GENESIS, chain};
use crate::store::{AuditLine, AuditLines, AuditOrder, AuditSearch, StoreError};

const PAGE: usize = 1000;

/// An audit without a break.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    /// The first line that is kept; what was before it was cut by retention.
    pub first: u64,
    /// The newest line; 0 if there is none yet.
    pub last: u64,
    /// The hash of the newest line. Kept elsewhere, it shows later that no newest lines were cut off.
    pub hash: String,
}

impl Verified {
    /// How many lines were checked.
    #[must_use]
    pub fn lines(&self) -> u64 {
        (self.last + 1).saturating_sub(self.first)
    }
}

/// Why an audit is not proven.
#[derive(Debug, Error)]
pub enum Unverified {
    /// A line does not fit the chain.
    #[error("line {number} of the audit is not as it was written: {why}")]
    Broken {
        /// The first one that does not.
        number: u64,
        /// What does not fit.
        why: String,
    },
    /// Nothing is known of this line and those that follow.
    #[error("line {number} of the audit cannot be read")]
    Unread {
        /// The first one that could not be read.
        number: u64,
        /// Why.
        #[source]
        error: StoreError,
    },
}

/// Where the chain begins: what is in front of the first line that is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Beginning {
    /// The number of the last line that was cut; 0 if none was.
    pub number: u64,
    /// Its hash, or that of nothing.
    pub hash: String,
}

/// What a line about a cut says, as far as it proves the rest.
#[derive(Deserialize)]
struct Trimmed {
    through: u64,
    hash: String,
}

/// Checks every line's number and hash.
///
/// # Errors
/// [`Unverified`] names the first line that was changed, removed, or cannot be read.
pub async fn verify(lines: &dyn AuditLines) -> Result<Verified, Unverified> {
    verify_telling(lines, &mut |_| {}).await
}

/// The same; tells, page by page, up to which line it has come.
///
/// # Errors
/// As for [`verify`].
pub async fn verify_telling(
    lines: &dyn AuditLines,
    tell: &mut (dyn FnMut(u64) + Send),
) -> Result<Verified, Unverified> {
    let mut start = beginning(lines).await?;
    loop {
        let outcome = follow(lines, &start, tell).await;
        // What was cut while it was read is no break: begin again behind the cut.
        let now = beginning(lines).await?;
        if outcome.is_ok() || now == start {
            return outcome;
        }
        start = now;
    }
}

async fn follow(
    lines: &dyn AuditLines,
    start: &Beginning,
    tell: &mut (dyn FnMut(u64) + Send),
) -> Result<Verified, Unverified> {
    let (mut last, mut prev) = (start.number, start.hash.clone());
    loop {
        let page = lines.audit(last, PAGE).await.map_err(|error| unread(last + 1, error))?;
        if page.is_empty() {
            return Ok(Verified { first: start.number + 1, last, hash: prev });
        }
        for line in page {
            let broken = |why: &str| Unverified::Broken { number: last + 1, why: why.to_owned() };
            if line.number != last + 1 {
                return Err(broken("it is missing"));
            }
            if line.hash != chain(&prev, &line.body) {
                return Err(broken("its hash does not match"));
            }
            (last, prev) = (line.number, line.hash);
        }
        tell(last);
    }
}

/// What precedes the first line: nothing, or what the newest `audit_trimmed` says.
pub(super) async fn beginning(lines: &dyn AuditLines) -> Result<Beginning, Unverified> {
    let first = lines.audit(0, 1).await.map_err(|error| unread(1, error))?;
    let cut = match first.first().map_or(1, |line| line.number) {
        1 => return Ok(Beginning { number: 0, hash: GENESIS.to_owned() }),
        number => number - 1,
    };
    let search = AuditSearch { events: vec![EventKind::AuditTrimmed], ..AuditSearch::default() };
    let told = lines.find_audit(&search, AuditOrder::NewestFirst, 1).await;
    let told = told.map_err(|error| unread(1, error))?;
    let trimmed = told.first().and_then(|line: &AuditLine| serde_json::from_str::<Trimmed>(&line.body).ok());
    match trimmed.filter(|trimmed| trimmed.through == cut) {
        Some(trimmed) => Ok(Beginning { number: cut, hash: trimmed.hash }),
        // Where the last honest cut ended, if there was one.
        None => {
            let why = "it is missing, and no line says that it was cut by retention".to_owned();
            Err(Unverified::Broken { number: told_through(&told) + 1, why })
        }
    }
}

fn told_through(told: &[AuditLine]) -> u64 {
    let read = |line: &AuditLine| serde_json::from_str::<Trimmed>(&line.body).ok();
    told.first().and_then(read).map_or(0, |trimmed| trimmed.through)
}

fn unread(number: u64, error: StoreError) -> Unverified {
    Unverified::Unread { number, error }
}
