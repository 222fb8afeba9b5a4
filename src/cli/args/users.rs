//! `berth user` as types.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::RoleArg;
use crate::people::HomeFate;

/// Managing users.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user; prints a first password unless one is given on standard input.
    Add {
        /// The name they log in with.
        name: String,
        /// What they may do.
        #[arg(long, default_value = "user")]
        role: RoleArg,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
        /// They must choose another password at their first login.
        #[arg(long)]
        must_change: bool,
    },
    /// Add and change users from a list; shows a result for each of its rows.
    Import(UserImportArgs),
    /// Print all users as a list that import takes; without passwords.
    Export,
    /// List users.
    List(UserFilter),
    /// Show a user: role, state, limits, sessions, logins, size of their home.
    Show {
        /// The user's name.
        name: String,
    },
    /// Change what a user may do; ends their logins. The last administrator stays one.
    Role {
        /// The user's name.
        name: String,
        /// What they may do.
        role: RoleArg,
    },
    /// Change a user's own limits; they hold from the next start of a session on.
    Limits {
        /// The user's name.
        name: String,
        /// The limits.
        #[command(flatten)]
        limits: LimitArgs,
    },
    /// List a user's logins.
    Logins {
        /// The user's name.
        name: String,
    },
    /// End one login of a user, or all of them.
    Logout {
        /// The user's name.
        name: String,
        /// The login, as `berth user logins` names it; all of them without it.
        login: Option<String>,
    },
    /// Set a new password; ends all logins of the user.
    Passwd {
        /// The user's name.
        name: String,
        /// Read the password from the first line of standard input instead of making one.
        #[arg(long)]
        password_stdin: bool,
        /// They must choose another password at their next login.
        #[arg(long)]
        must_change: bool,
    },
    /// Forbid a user to log in and end their logins at once; sessions and files are kept.
    Disable {
        /// The user's name.
        name: String,
    },
    /// Let a disabled user log in again.
    Enable {
        /// The user's name.
        name: String,
    },
    /// Remove a user and all their sessions, when asked what goes with them; their persistent home is kept
    /// unless --home says otherwise.
    Remove {
        /// The user's name.
        name: String,
        /// What becomes of their persistent home and its copies.
        #[arg(long, default_value = "keep")]
        home: HomeArg,
        /// Only say what would be removed, and where the home is.
        #[arg(long)]
        dry_run: bool,
        /// Do not ask before.
        #[arg(long, short)]
        yes: bool,
    },
}

/// Which users; all of it must be true.
#[derive(Args, Clone, Debug, Default)]
pub struct UserFilter {
    /// With this text in the name.
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// With this role.
    #[arg(long)]
    pub role: Option<RoleArg>,
    /// Only those who may not log in.
    #[arg(long)]
    pub disabled: bool,
}

/// A list of users.
#[derive(Args, Debug)]
pub struct UserImportArgs {
    /// A table with a header: name, role, password, password_hash, disabled, must_change, max_sessions,
    /// max_cpus, max_memory_mib, templates, in any order; commas, semicolons or tabs. - is standard input.
    #[arg(long, value_name = "FILE", required_unless_present = "mysql_dump")]
    pub csv: Option<PathBuf>,
    /// The lab portal's users, with their bcrypt hashes, from a file that mysqldump wrote.
    #[arg(long, value_name = "FILE", conflicts_with = "csv")]
    pub mysql_dump: Option<PathBuf>,
    /// The table of users in it, if its columns do not tell which it is.
    #[arg(long, value_name = "NAME", requires = "mysql_dump")]
    pub table: Option<String>,
    /// Only show what would become of each row.
    #[arg(long)]
    pub dry_run: bool,
    /// Write the passwords that are made into this new file instead of printing them.
    #[arg(long, value_name = "FILE")]
    pub passwords: Option<PathBuf>,
}

/// Limits of one user. A limit that is not given stays; `default` follows the configuration.
#[derive(Args, Debug)]
pub struct LimitArgs {
    /// Most sessions, in any state.
    #[arg(long, value_name = "NUMBER|default")]
    pub max_sessions: Option<String>,
    /// Most CPU cores of all their running sessions.
    #[arg(long, value_name = "NUMBER|default")]
    pub max_cpus: Option<String>,
    /// Most memory of all their running sessions, in MiB.
    #[arg(long, value_name = "MIB|default")]
    pub max_memory_mib: Option<String>,
    /// The only templates they may use, with commas between; - for none.
    #[arg(long, value_name = "NAMES|default", allow_hyphen_values = true)]
    pub templates: Option<String>,
}

/// What becomes of a home.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum HomeArg {
    /// It stays where it is.
    Keep,
    /// It is removed for good, with its copies.
    Remove,
}

impl From<HomeArg> for HomeFate {
    fn from(home: HomeArg) -> Self {
        match home {
            HomeArg::Keep => Self::Keep,
            HomeArg::Remove => Self::Remove,
        }
    }
}
