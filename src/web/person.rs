//! The person who reads a page.

use crate::auth::{Principal, csrf};
use crate::language::Language;
use crate::session::UserId;
use crate::store::Role;

/// Who reads a page: what it shows of them, and the secret that their forms echo.
#[derive(Clone, Debug)]
pub struct Person {
    /// Opaque identity.
    pub id: UserId,
    /// The name they log in with.
    pub name: String,
    /// Whether they manage everyone's sessions.
    pub admin: bool,
    /// The secret of their forms, masked for this page.
    pub csrf: String,
    /// What they read.
    pub language: Language,
}

impl Person {
    /// The person behind a login, who reads `language`.
    pub fn of(principal: &Principal, language: Language) -> Self {
        Self {
            id: principal.user,
            name: principal.name.clone(),
            admin: principal.role == Role::Admin,
            csrf: csrf::masked(&principal.csrf),
            language,
        }
    }
}

/// Which entry of the navigation is the present page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tab {
    /// One's own account.
    Account,
    /// The dashboard and what belongs to it.
    Dashboard,
    /// The admin's table.
    Admin,
    /// The admin's page of templates and images.
    Images,
}
