//! Why a login or a link was no good: the audit knows it, whoever came is told less.

use serde::Serialize;

/// Why a login was refused; the person is told less.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginRefusal {
    /// The user is disabled.
    Disabled,
    /// Too many failed attempts; written once each time it begins.
    Throttled,
    /// There is no such user. The name is not kept: people type passwords there.
    UnknownUser,
    /// The password is wrong.
    WrongPassword,
}

/// Why a link that exists did nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkRefusal {
    /// Its time was up.
    Lapsed,
    /// It had been used as often as it may.
    Used,
}
