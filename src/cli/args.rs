//! The command line as types.

mod audit;
mod backups;
pub(in crate::cli) mod sessions;
mod sharing;
mod users;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

pub use self::audit::{AuditCommand, AuditFilterArgs, AuditFormat, ExportArgs, TailArgs};
pub use self::backups::{BackupArgs, RestoreArgs};
pub use self::sessions::{Filter, SessionCommand, Which};
pub use self::sharing::{GrantArgs, GrantCommand, InvitationArgs, InvitationCommand};
pub use self::users::{LimitArgs, UserCommand, UserFilter, UserImportArgs};
use crate::broker::LONGEST_INVITATION;
use crate::clock::LONGEST_S;
use crate::migration::variables::System;
use crate::session::{ClientId, CopyName, LinkId};
use crate::store::{Role, Scope};

/// TLS gateway and session broker: one HTTPS URL to a desktop in a container.
#[derive(Debug, Parser)]
#[command(name = "berth", version, arg_required_else_help = true, propagate_version = true)]
pub struct Cli {
    /// Configuration file; every key can be overridden by BERTH__SECTION__KEY.
    #[arg(long, short, global = true, value_name = "FILE", env = "BERTH_CONFIG", hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway in the foreground.
    Serve,
    /// Check the configuration, print what is in force and what weakens security.
    CheckConfig(OutputArgs),
    /// Prepare a first run: directories, development certificate, first users.
    Setup(SetupArgs),
    /// Run the privileged process that alone talks to the container engine.
    Spawner(SpawnerArgs),
    /// Manage users.
    User(Anywhere<UserCommand>),
    /// Manage tokens of programs.
    Token(Anywhere<TokenCommand>),
    /// Manage sessions.
    Session(Anywhere<SessionCommand>),
    /// Share sessions with users, by name.
    Grant(Anywhere<GrantCommand>),
    /// Share sessions with whoever has a link.
    Invitation(Anywhere<InvitationCommand>),
    /// List templates and fetch their images.
    Template(Anywhere<TemplateCommand>),
    /// Write users, sessions, audit and configuration into one file; homes and images if wanted.
    Backup(BackupArgs),
    /// Put back what is in a backup.
    Restore(RestoreArgs),
    /// Look at homes and put copies of them back.
    Home(Anywhere<HomeCommand>),
    /// Make addresses that do one thing for whoever holds them.
    Link(Anywhere<LinkCommand>),
    /// Read and verify the audit.
    Audit(Anywhere<AuditCommand>),
    /// Show what the machine and each session use.
    Stats(AskArgs),
    /// Show how many more sessions there is room for, and what bounds them.
    Capacity(AskArgs),
    /// Look at everything from the configuration to the public address, and name what is broken.
    Doctor(OutputArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages: the main one to standard output, or all of them into a directory.
    Man {
        /// The directory; it is made if it is not there.
        #[arg(value_hint = ValueHint::DirPath)]
        directory: Option<PathBuf>,
    },
}

/// A command that also reaches a gateway on another machine.
#[derive(Args, Debug)]
pub struct Anywhere<T: Subcommand> {
    /// Which gateway, if not this machine's.
    #[command(flatten)]
    pub remote: RemoteArgs,
    /// How to print what comes of it.
    #[command(flatten)]
    pub output: OutputArgs,
    /// What to do there.
    #[command(subcommand)]
    pub command: T,
}

/// A gateway on another machine, reached through its API.
#[derive(Args, Clone, Debug, Default)]
pub struct RemoteArgs {
    /// Ask the gateway at this address (https://HOST[:PORT]) instead of this machine's.
    #[arg(long, global = true, value_name = "URL", env = "BERTH_URL", hide_env_values = true, value_hint = ValueHint::Url)]
    pub url: Option<String>,
    /// File with the API token for --url; without it the token is taken from BERTH_TOKEN.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
    /// PEM file with the certificates to trust for --url; default are the system's.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca_file: Option<PathBuf>,
}

/// Something to be shown, and where.
#[derive(Args, Debug)]
pub struct AskArgs {
    /// Which gateway, if not this machine's.
    #[command(flatten)]
    pub remote: RemoteArgs,
    /// How to print it.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How a first run is prepared.
#[derive(Args, Debug)]
pub struct SetupArgs {
    /// Write the configuration from the .env file of a system that Berth replaces, and nothing else.
    #[arg(long, value_name = "FILE")]
    pub from_env: Option<PathBuf>,
    /// Whose file it is, if it does not tell by itself.
    #[arg(long, requires = "from_env")]
    pub system: Option<SystemArg>,
    /// Say what would be written, and write nothing.
    #[arg(long, requires = "from_env")]
    pub dry_run: bool,
    /// Put files in the place of those that are there, which are kept as FILE.old.
    #[arg(long, requires = "from_env")]
    pub force: bool,
    /// Print what became of every variable as JSON.
    #[arg(long, requires = "from_env")]
    pub json: bool,
}

/// A system that Berth replaces.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SystemArg {
    /// The kiosk orchestrator (Python).
    Kiosk,
    /// The per-user desktop manager (Node and Traefik).
    Manager,
    /// The lab portal (Flask and MySQL).
    Portal,
}

impl From<SystemArg> for System {
    fn from(system: SystemArg) -> Self {
        match system {
            SystemArg::Kiosk => Self::Kiosk,
            SystemArg::Manager => Self::Manager,
            SystemArg::Portal => Self::Portal,
        }
    }
}

/// Links.
#[derive(Debug, Subcommand)]
pub enum LinkCommand {
    /// Make one; its address is printed this once.
    Create(LinkArgs),
    /// List those that have not lapsed.
    List,
    /// Take one back.
    Revoke {
        /// Its id, as `berth link list` names it.
        id: LinkId,
    },
}

/// What a link does, and how often.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("action").required(true).args(["access", "remove", "remove_all"]))]
pub struct LinkArgs {
    /// Make or find the session of this kiosk client, and let the browser in.
    #[arg(long, value_name = "ID")]
    pub access: Option<ClientId>,
    /// Remove the session of this kiosk client.
    #[arg(long, value_name = "ID")]
    pub remove: Option<ClientId>,
    /// Remove the sessions of all kiosk clients.
    #[arg(long)]
    pub remove_all: bool,
    /// How long it is good: 90s, 10m, 12h or 30d.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = lasting)]
    pub expires: std::time::Duration,
    /// How often it may be used.
    #[arg(long, default_value_t = 1)]
    pub uses: u32,
}

/// A number with a unit of time.
fn lasting(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || "write a number with s, m, h or d: 90s, 10m, 12h, 30d".to_owned();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let seconds = number.checked_mul(seconds).ok_or_else(wrong)?;
    if !(1..=LONGEST_S).contains(&seconds) {
        return Err("it must be at least a second, and a hundred years at most".to_owned());
    }
    Ok(std::time::Duration::from_secs(seconds))
}

/// The same for what may not be in force longer than an invitation.
fn lasting_shortly(text: &str) -> Result<std::time::Duration, String> {
    let lasts = lasting(text)?;
    if lasts > LONGEST_INVITATION {
        return Err("it may be 30 days at most".to_owned());
    }
    Ok(lasts)
}

/// How the spawner runs.
#[derive(Args, Debug)]
pub struct SpawnerArgs {
    /// Where to listen; default is engine.spawner of the configuration, or var/spawner.sock.
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// End when standard input closes; for a spawner that belongs to one gateway.
    #[arg(long)]
    pub exit_with_parent: bool,
}

/// Managing tokens of programs.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print its text, which nobody can read again.
    Create {
        /// What people call it.
        name: String,
        /// What it may be used for: admin, sessions:read, sessions:write, users:write; may be repeated.
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<Scope>,
        /// The user it acts as and goes with; without, it acts as nobody, with everybody's sessions.
        #[arg(long)]
        user: Option<String>,
        /// For how many seconds; until it is revoked unless given.
        #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=LONGEST_S))]
        lasts_s: Option<u64>,
    },
    /// List tokens.
    List,
    /// Revoke a token at once.
    Revoke {
        /// Its id, as `berth token list` shows it.
        id: String,
    },
}

/// Templates and their images.
#[derive(Debug, Subcommand)]
pub enum TemplateCommand {
    /// List templates, their limits, and whether their images are on the machine.
    List,
    /// Fetch images from their registries; sessions get them at their next start.
    Pull {
        /// The templates whose images to fetch.
        #[arg(value_name = "NAME", required_unless_present = "all")]
        names: Vec<String>,
        /// Every template's image but those that are built on this machine.
        #[arg(long, conflicts_with = "names")]
        all: bool,
    },
}

/// Homes and their copies.
#[derive(Debug, Subcommand)]
pub enum HomeCommand {
    /// List homes: owner, size, limit, last look, copies.
    List,
    /// Put a copy back into its owner's home; what is in the home becomes a copy itself.
    Restore {
        /// The owner's name.
        owner: String,
        /// The copy, as `berth home list` names it: 20260131-081500.
        copy: CopyName,
    },
}

/// How to print data.
#[derive(Args, Clone, Copy, Debug)]
pub struct OutputArgs {
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub json: bool,
}

/// A role on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleArg {
    /// Sees and manages everything.
    Admin,
    /// Manages their own sessions.
    User,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Admin => Self::Admin,
            RoleArg::User => Self::User,
        }
    }
}
