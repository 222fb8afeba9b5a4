//! Why a login or a change of users was refused.

use std::time::Duration;

use thiserror::Error;

use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::session::SessionNameError;
use crate::store::{StoreError, UniqueKey};

/// Why a password is not accepted.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum PasswordFlaw {
    /// It is the user's name.
    #[error("it is the same as the name")]
    IsName,
    /// More than 1024 bytes.
    #[error("it is longer than 1024 bytes")]
    Long,
    /// One character repeated.
    #[error("it is one character repeated")]
    Monotonous,
    /// Fewer than 8 bytes.
    #[error("it is shorter than 8 characters")]
    Short,
}

impl PasswordFlaw {
    /// What people are told.
    #[must_use]
    pub fn sentence(self) -> Sentence {
        Sentence::of(match self {
            Self::IsName => "problem-password-is-name",
            Self::Long => "problem-password-long",
            Self::Monotonous => "problem-password-monotonous",
            Self::Short => "problem-password-short",
        })
    }
}

/// Why a user name is not accepted.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum NameFlaw {
    /// It stands for nobody in the audit.
    #[error("this name is reserved")]
    Reserved,
    /// It is empty, too long, or has characters nobody can see.
    #[error(transparent)]
    Text(#[from] SessionNameError),
}

impl NameFlaw {
    /// What people are told.
    #[must_use]
    pub fn sentence(self) -> Sentence {
        Sentence::of(match self {
            Self::Reserved => "problem-name-reserved",
            Self::Text(SessionNameError::Control) => "problem-name-control",
            Self::Text(SessionNameError::Empty) => "problem-name-empty",
            Self::Text(SessionNameError::Long) => "problem-name-long",
        })
    }
}

/// Why authentication, or a change of users, was refused.
#[derive(Debug, Error)]
pub enum AuthError {
    /// Unknown name, wrong password or disabled user: one answer for all three.
    #[error("the name or the password is wrong")]
    CredentialsWrong,
    /// The form's token is missing or not this login's.
    #[error("the form token is missing or wrong")]
    CsrfFailed,
    /// Hashing a password failed or panicked.
    #[error("a password could not be hashed: {detail}")]
    Hash {
        /// The library's words.
        detail: String,
    },
    /// Nobody would be left who can administer.
    #[error("this is the last enabled administrator")]
    LastAdmin,
    /// The link is unknown, used up, or lapsed: one answer for all three.
    #[error("the link is not valid")]
    LinkInvalid,
    /// A link is to last too long or to be used too often.
    #[error("no such link is made: {why}")]
    LinkUnfit {
        /// What is allowed.
        why: &'static str,
    },
    /// No valid login was presented, or it may not do this.
    #[error("a login is required")]
    LoginRequired,
    /// They must choose a password of their own first.
    #[error("the password must be changed first")]
    MustChange,
    /// The user name is not acceptable.
    #[error("the name is not acceptable: {0}")]
    NameInvalid(NameFlaw),
    /// The request comes from a page of another origin.
    #[error("the request comes from another origin")]
    OriginForeign,
    /// The new password is not acceptable.
    #[error("the password is not acceptable: {0}")]
    PasswordWeak(PasswordFlaw),
    /// The store refused or failed.
    #[error(transparent)]
    Store(StoreError),
    /// Too many failed attempts.
    #[error("too many failed attempts")]
    Throttled {
        /// When the next attempt is accepted.
        retry_after: Duration,
    },
    /// The ticket is unknown, used, lapsed, or for another session.
    #[error("the ticket is not valid")]
    TicketInvalid,
    /// Who asks may not make such a token.
    #[error("such a token may not be made")]
    TokenDenied,
    /// The bearer token is not one of ours.
    #[error("the bearer token is not valid")]
    TokenInvalid,
    /// The user has as many tokens as they may.
    #[error("the user has {limit} tokens, the most allowed")]
    TooManyTokens {
        /// How many they may have.
        limit: usize,
    },
    /// There is a user of this name.
    #[error("the user name is taken")]
    UserTaken,
    /// There is no such user.
    #[error("there is no such user")]
    UserUnknown,
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(UniqueKey::UserName) => Self::UserTaken,
            error => Self::Store(error),
        }
    }
}

impl Answer for AuthError {
    fn fault(&self) -> Fault {
        match self {
            Self::Store(error) => error.fault(),
            Self::Hash { .. } => Fault::Internal,
            Self::CredentialsWrong
            | Self::CsrfFailed
            | Self::LastAdmin
            | Self::LinkInvalid
            | Self::LinkUnfit { .. }
            | Self::LoginRequired
            | Self::MustChange
            | Self::NameInvalid(_)
            | Self::OriginForeign
            | Self::PasswordWeak(_)
            | Self::Throttled { .. }
            | Self::TicketInvalid
            | Self::TokenDenied
            | Self::TokenInvalid
            | Self::TooManyTokens { .. }
            | Self::UserTaken
            | Self::UserUnknown => Fault::Downstream,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::CredentialsWrong => "credentials_wrong",
            Self::CsrfFailed => "csrf_failed",
            Self::Hash { .. } => "internal",
            Self::LastAdmin => "last_admin",
            Self::LinkInvalid => "link_invalid",
            Self::LinkUnfit { .. } => "link_unfit",
            Self::LoginRequired => "login_required",
            Self::MustChange => "password_change_required",
            Self::NameInvalid(_) => "name_invalid",
            Self::OriginForeign => "origin_foreign",
            Self::PasswordWeak(_) => "password_weak",
            Self::Store(error) => error.code(),
            Self::Throttled { .. } => "throttled",
            Self::TicketInvalid => "ticket_invalid",
            Self::TokenDenied => "token_denied",
            Self::TokenInvalid => "token_invalid",
            Self::TooManyTokens { .. } => "too_many_tokens",
            Self::UserTaken => "user_taken",
            Self::UserUnknown => "user_unknown",
        }
    }

    fn sentence(&self) -> Sentence {
        match self {
            Self::CredentialsWrong => Sentence::of("problem-credentials-wrong"),
            Self::CsrfFailed => Sentence::of("problem-csrf-failed"),
            Self::Hash { .. } => Sentence::of("problem-internal"),
            Self::LastAdmin => Sentence::of("problem-last-admin"),
            Self::LinkInvalid => Sentence::of("problem-link-invalid"),
            Self::LinkUnfit { .. } => Sentence::of("problem-link-unfit"),
            Self::LoginRequired => Sentence::of("problem-login-required"),
            Self::MustChange => Sentence::of("problem-must-change"),
            Self::NameInvalid(flaw) => flaw.sentence(),
            Self::OriginForeign => Sentence::of("problem-origin-foreign"),
            Self::PasswordWeak(flaw) => flaw.sentence(),
            Self::Store(error) => error.sentence(),
            Self::Throttled { retry_after } => {
                Sentence::of("problem-throttled").with("seconds", whole_seconds(*retry_after))
            }
            Self::TicketInvalid => Sentence::of("problem-ticket-invalid"),
            Self::TokenDenied => Sentence::of("problem-token-denied"),
            Self::TooManyTokens { limit } => Sentence::of("problem-too-many-tokens").with("limit", *limit),
            Self::TokenInvalid => Sentence::of("problem-token-invalid"),
            Self::UserTaken => Sentence::of("problem-user-taken"),
            Self::UserUnknown => Sentence::of("problem-user-unknown"),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } => Some(Duration::from_secs(whole_seconds(*retry_after))),
            Self::Store(error) => error.retry_after(),
            Self::CredentialsWrong
            | Self::CsrfFailed
            | Self::Hash { .. }
            | Self::LastAdmin
            | Self::LinkInvalid
            | Self::LinkUnfit { .. }
            | Self::LoginRequired
            | Self::MustChange
            | Self::NameInvalid(_)
            | Self::OriginForeign
            | Self::PasswordWeak(_)
            | Self::TicketInvalid
            | Self::TokenDenied
            | Self::TokenInvalid
            | Self::TooManyTokens { .. }
            | Self::UserTaken
            | Self::UserUnknown => None,
        }
    }
}

/// Rounded up: who comes back after this time is let in.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
