//! `berth grant` and `berth invitation` as types.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{lasting, lasting_shortly};
use crate::session::{GrantRole, InvitationId};

/// Grants: the right of others to open a session.
#[derive(Debug, Subcommand)]
pub enum GrantCommand {
    /// Share a session with a user.
    Create(GrantArgs),
    /// List who else may open a session.
    List {
        /// The session's label, as in its URL.
        label: String,
    },
    /// Take a user's right back; what they have open closes at once.
    Withdraw {
        /// The session's label, as in its URL.
        label: String,
        /// Whose right.
        user: String,
    },
}

/// Who is let in, and to do what.
#[derive(Args, Debug)]
pub struct GrantArgs {
    /// The session's label, as in its URL.
    pub label: String,
    /// Who is let in.
    pub user: String,
    /// What they may do: an observer watches, a helper uses the session.
    #[arg(long, value_name = "observer|helper", default_value = "observer")]
    pub role: GrantRole,
    /// How long: 90s, 10m, 12h or 30d; until it is withdrawn unless given.
    #[arg(long, value_name = "TIME", value_parser = lasting)]
    pub expires: Option<Duration>,
}

/// Invitations: links by which others come to such a right.
#[derive(Debug, Subcommand)]
pub enum InvitationCommand {
    /// Make an invitation: whoever has its link and logs in may open the session. It is printed this once.
    Create(InvitationArgs),
    /// List a session's invitations, and who came by them.
    List {
        /// The session's label, as in its URL.
        label: String,
    },
    /// Take an invitation back, and the right of everybody who came by it.
    Withdraw {
        /// The session's label, as in its URL.
        label: String,
        /// The invitation's id, as `berth invitation list` names it.
        id: InvitationId,
    },
}

/// What an invitation offers.
#[derive(Args, Debug)]
pub struct InvitationArgs {
    /// The session's label, as in its URL.
    pub label: String,
    /// What those who come by it may do: an observer watches, a helper uses the session.
    #[arg(long, value_name = "observer|helper", default_value = "observer")]
    pub role: GrantRole,
    /// How long it works, and the rights that come of it: 90s, 10m, 12h; 30d at most.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = lasting_shortly)]
    pub expires: Duration,
    /// How many people may come by it; any number unless given.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub people: Option<u32>,
}
