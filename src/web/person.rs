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
    /// Whether they must choose another password before they may do anything else.
    pub must_change: bool,
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
            must_change: principal.must_change,
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
    /// The admin's table of everybody's sessions.
    Admin,
    /// The admin's page of templates and images.
    Images,
    /// The admin's statistics.
    Stats,
    /// The admin's page of capacity.
    Capacity,
    /// The admin's pages of users.
    Users,
    /// The audit.
    Log,
    /// What is in force.
    Settings,
    /// The admin's page of tokens of programs.
    Tokens,
    /// The admin's page of kiosk links.
    Links,
}

impl Tab {
    /// The administrators' pages in the order of their navigation: where each is, and the message
    /// that names it. A new page adds its line here and its name above.
    pub const OF_ADMINS: &[(Self, &'static str, &'static str)] = &[
        (Self::Admin, "/admin", "nav-sessions"),
        (Self::Users, "/admin/users", "nav-users"),
        (Self::Images, "/admin/images", "nav-images"),
        (Self::Stats, "/admin/stats", "nav-stats"),
        (Self::Capacity, "/admin/capacity", "nav-capacity"),
        (Self::Log, "/admin/log", "nav-log"),
        (Self::Settings, "/admin/settings", "nav-settings"),
        (Self::Tokens, "/admin/tokens", "nav-tokens"),
        (Self::Links, "/admin/links", "nav-links"),
    ];

    /// Whether it is a page of administrators.
    pub fn is_of_admins(self) -> bool {
        Self::OF_ADMINS.iter().any(|(tab, _, _)| *tab == self)
    }
}
