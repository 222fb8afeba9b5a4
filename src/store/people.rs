//! Users as lists: what is looked for, in which order, and from where on.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Role, User};
use crate::language::Language;
use crate::look::Look;

/// How somebody reads pages; what is `None` follows their browser.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Preferences {
    /// The language.
    pub language: Option<Language>,
    /// Light or dark.
    pub look: Option<Look>,
}

/// In which order users are listed; equals follow by name.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserOrder {
    /// By name.
    #[default]
    Name,
    /// The newest first.
    Created,
    /// Who logged in last first; who never did last.
    LastLogin,
}

/// Which users are looked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UserQuery {
    /// Part of their name, without regard to ASCII case; empty for all.
    pub search: String,
    /// Their role.
    pub role: Option<Role>,
    /// Whether they are disabled.
    pub disabled: Option<bool>,
    /// In which order.
    pub order: UserOrder,
    /// Those that follow this user in that order; one who is gone is followed by those that would.
    pub after: Option<UserPlace>,
    /// Those that stand just before this user in that order, in place of those that follow one.
    pub before: Option<UserPlace>,
    /// How many at most.
    pub limit: usize,
}

/// A place in a list of users, whatever becomes of the user who stands there.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct UserPlace {
    /// What they are ordered by, as text that sorts.
    pub key: String,
    /// Their name.
    pub name: String,
}

/// A part of the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserPage {
    /// The users.
    pub users: Vec<User>,
    /// How many there are in all parts.
    pub total: usize,
    /// Whether more follow; of those before a user, whether more stand before them.
    pub more: bool,
}

impl UserPlace {
    /// Where `user` stands in this order.
    #[must_use]
    pub fn of(user: &User, order: UserOrder) -> Self {
        let key = match order {
            UserOrder::Name => String::new(),
            UserOrder::Created => format!("{:.9}", user.created_at),
            UserOrder::LastLogin => user.last_login_at.map(|at| format!("{at:.9}")).unwrap_or_default(),
        };
        Self { key, name: user.name.clone() }
    }
}
