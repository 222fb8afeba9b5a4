//! One row of a list of users, and what became of it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::{Deserialize, Serialize};

use crate::audit::{Outcome, Reason};
use crate::fault::Answer;
use crate::language::{Language, Sentence};
use crate::secret::Secret;
use crate::session::LimitsChange;
use crate::store::{Role, User};

/// The most characters of a name that a result repeats.
const SHOWN: usize = 64;

/// What a list says of one user; what is `None` it does not say.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportRow {
    /// Where it stands in its list, from 1.
    pub line: u64,
    /// The name they log in with.
    pub name: String,
    /// What they may do; a new user without one is a `user`.
    pub role: Option<Role>,
    /// Whether they may not log in.
    pub disabled: Option<bool>,
    /// A new user's first password; without it and a hash one is made.
    pub password: Option<Secret<String>>,
    /// A new user's password as another system stored it: argon2id or bcrypt.
    pub password_hash: Option<Secret<String>>,
    /// Whether a new user must change that password at the first login.
    pub must_change: Option<bool>,
    /// What becomes of their own limits.
    pub limits: LimitsChange,
    /// What was wrong with the row before anybody looked at the users.
    #[serde(skip)]
    pub flaw: Option<RowFlaw>,
}

/// Something of a user that a row changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Field {
    /// Whether they may log in.
    Disabled,
    /// Their own limits.
    Limits,
    /// What they may do.
    Role,
}

/// Why a row is refused.
#[derive(Clone, Debug, PartialEq)]
pub enum RowFlaw {
    /// A cell of this column cannot be read.
    Cell(&'static str),
    /// It has more or fewer cells than the header.
    Cells {
        /// How many it has.
        found: usize,
        /// How many the header has.
        expected: usize,
    },
    /// Creating or changing the user was refused or failed.
    Failed {
        /// Why, as the audit has it.
        reason: Reason,
        /// What people are told.
        sentence: Sentence,
    },
    /// The hash is of no kind that could be checked.
    HashUnusable,
    /// The user changed between the trial run and this.
    Meanwhile,
    /// It would take the rights of whoever imports the list, and end their login in its midst.
    OwnRights,
    /// An earlier row is about the same user.
    Repeated {
        /// Where that one stands.
        line: u64,
    },
    /// It has both kinds of password.
    TwoPasswords,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum RowOutcome {
    /// A user was created.
    Created {
        /// Their password, if it was made here.
        password: Option<Secret<String>>,
    },
    /// Something of a user changed.
    Changed {
        /// What.
        fields: Vec<Field>,
    },
    /// There was such a user, as the row says.
    Exists,
    /// Nothing was done.
    Refused(RowFlaw),
}

/// A row's place, its user and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RowResult {
    /// Where it stands in its list, from 1.
    pub line: u64,
    /// The user, cut to what a name may have.
    pub name: String,
    /// What became of it.
    pub outcome: RowOutcome,
}

/// How many rows ended how.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Users created.
    pub created: usize,
    /// Users changed.
    pub changed: usize,
    /// Users who were as their row says.
    pub exists: usize,
    /// Rows refused.
    pub refused: usize,
}

impl ImportRow {
    /// Its result.
    #[must_use]
    pub fn result(&self, outcome: RowOutcome) -> RowResult {
        RowResult { line: self.line, name: self.shown_name(), outcome }
    }

    /// Its name as results and the audit show it.
    #[must_use]
    pub fn shown_name(&self) -> String {
        self.name.trim().chars().take(SHOWN).collect()
    }

    /// What of `user` it would change.
    pub(super) fn differs(&self, user: &User) -> Vec<Field> {
        let disabled = self.disabled.is_some_and(|disabled| disabled != user.disabled);
        let limits = self.limits.of(&user.limits) != user.limits;
        let role = self.role.is_some_and(|role| role != user.role);
        let all = [(disabled, Field::Disabled), (limits, Field::Limits), (role, Field::Role)];
        all.into_iter().filter_map(|(differs, field)| differs.then_some(field)).collect()
    }

    /// Whether its user will be one who administers.
    pub(super) fn administers(&self, existing: Option<&User>) -> bool {
        let role = self.role.or(existing.map(|user| user.role)).unwrap_or(Role::User);
        let disabled = self.disabled.or(existing.map(|user| user.disabled)).unwrap_or(false);
        role == Role::Admin && !disabled
    }
}

impl Field {
    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Limits => "limits",
            Self::Role => "role",
        }
    }
}

impl RowFlaw {
    /// What creating or changing a user was refused with.
    pub(super) fn of<E: Answer>(error: &E) -> Self {
        Self::Failed { reason: Reason::of(error), sentence: error.sentence() }
    }

    /// The reason as the audit has it.
    pub(super) fn reason(&self) -> Reason {
        if let Self::Failed { reason, .. } = self {
            return reason.clone();
        }
        let text = self.sentence().said(Language::English);
        Reason { code: self.code(), detail: text.clone(), text, outcome: Outcome::Refused }
    }

    /// The stable `snake_case` code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cell(_) => "cell_invalid",
            Self::Cells { .. } => "cells_wrong",
            Self::Failed { reason, .. } => reason.code,
            Self::HashUnusable => "hash_unusable",
            Self::Meanwhile => "changed_meanwhile",
            Self::OwnRights => "own_rights",
            Self::Repeated { .. } => "repeated",
            Self::TwoPasswords => "two_passwords",
        }
    }

    /// What people are told.
    #[must_use]
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Cell(column) => Sentence::of("problem-row-cell").with("column", *column),
            Self::Cells { found, expected } => {
                Sentence::of("problem-row-cells").with("found", *found).with("expected", *expected)
            }
            Self::Failed { sentence, .. } => sentence.clone(),
            Self::HashUnusable => Sentence::of("problem-row-hash"),
            Self::Meanwhile => Sentence::of("problem-row-meanwhile"),
            Self::OwnRights => Sentence::of("problem-row-own-rights"),
            Self::Repeated { line } => Sentence::of("problem-row-repeated").with("line", *line),
            Self::TwoPasswords => Sentence::of("problem-row-two-passwords"),
        }
    }
}

impl RowOutcome {
    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Changed { .. } => "changed",
            Self::Exists => "exists",
            Self::Refused(_) => "refused",
        }
    }
}

impl Tally {
    /// How these ended.
    #[must_use]
    pub fn of<'a>(results: impl IntoIterator<Item = &'a RowResult>) -> Self {
        let mut tally = Self::default();
        for result in results {
            match result.outcome {
                RowOutcome::Created { .. } => tally.created += 1,
                RowOutcome::Changed { .. } => tally.changed += 1,
                RowOutcome::Exists => tally.exists += 1,
                RowOutcome::Refused(_) => tally.refused += 1,
            }
        }
        tally
    }

    /// These and those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            created: self.created + other.created,
            changed: self.changed + other.changed,
            exists: self.exists + other.exists,
            refused: self.refused + other.refused,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.created + self.changed + self.exists + self.refused
    }
}

/// Marks every row that is about the user of an earlier one.
pub fn mark_repeated(rows: &mut [ImportRow]) {
    let mut first: HashMap<String, u64> = HashMap::new();
    for row in rows.iter_mut().filter(|row| row.flaw.is_none()) {
        match first.entry(row.name.trim().to_ascii_lowercase()) {
            Entry::Occupied(earlier) => row.flaw = Some(RowFlaw::Repeated { line: *earlier.get() }),
            Entry::Vacant(free) => {
                free.insert(row.line);
            }
        }
    }
}
