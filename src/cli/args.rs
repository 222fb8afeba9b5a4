//! The command line as types.

mod audit;
mod backups;
mod sessions;
mod users;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

pub use self::audit::{AuditCommand, AuditFilterArgs, AuditFormat, ExportArgs, TailArgs};
pub use self::backups::{BackupArgs, RestoreArgs};
pub use self::sessions::{Filter, SessionCommand, StateArg, Which};
pub use self::users::{LimitArgs, UserCommand, UserImportArgs};
use crate::session::CopyName;
use crate::store::Role;

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
    Setup,
    /// Run the privileged process that alone talks to the container engine.
    Spawner(SpawnerArgs),
    /// Manage users.
    User(Anywhere<UserCommand>),
    /// Manage sessions.
    Session(Anywhere<SessionCommand>),
    /// List templates and fetch their images.
    Template(Anywhere<TemplateCommand>),
    /// Write users, sessions, audit and configuration into one file; homes and images if wanted.
    Backup(BackupArgs),
    /// Put back what is in a backup.
    Restore(RestoreArgs),
    /// Look at homes and put copies of them back.
    #[command(subcommand)]
    Home(HomeCommand),
    /// Read and verify the audit.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Show what the machine and each session use.
    Stats(OutputArgs),
    /// Show how many more sessions there is room for, and what bounds them.
    Capacity(OutputArgs),
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

/// Templates and their images.
#[derive(Debug, Subcommand)]
pub enum TemplateCommand {
    /// List templates, their limits, and whether their images are on the machine.
    List(OutputArgs),
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
    List(OutputArgs),
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
    /// Print JSON instead of a table.
    #[arg(long)]
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
