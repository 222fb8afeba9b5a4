//! The command line as types.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::backup::Kind;
use crate::session::CopyName;
use crate::store::{Role, Scope};

/// TLS gateway and session broker: one HTTPS URL to a desktop in a container.
#[derive(Debug, Parser)]
#[command(name = "berth", version, arg_required_else_help = true, propagate_version = true)]
pub struct Cli {
    /// Configuration file; every key can be overridden by BERTH__SECTION__KEY.
    #[arg(long, short, global = true, value_name = "FILE", env = "BERTH_CONFIG")]
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
    CheckConfig,
    /// Prepare a first run: directories, development certificate, first users.
    Setup,
    /// Run the privileged process that alone talks to the container engine.
    Spawner(SpawnerArgs),
    /// Manage users.
    #[command(subcommand)]
    User(UserCommand),
    /// Manage tokens of programs.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Manage sessions.
    #[command(subcommand)]
    Session(SessionCommand),
    /// List templates and fetch their images.
    #[command(subcommand)]
    Template(TemplateCommand),
    /// Write the store, and with --images the templates' images, into one file.
    Backup(BackupArgs),
    /// Put back what is in a backup.
    Restore(RestoreArgs),
    /// Look at homes and put copies of them back.
    #[command(subcommand)]
    Home(HomeCommand),
    /// Read and verify the audit.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
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
    },
    /// List users.
    List(OutputArgs),
    /// Set a new password; ends all logins of the user.
    Passwd {
        /// The user's name.
        name: String,
        /// Read the password from the first line of standard input instead of making one.
        #[arg(long)]
        password_stdin: bool,
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
    /// Remove a user and all their sessions; the files in their persistent home are kept.
    Remove {
        /// The user's name.
        name: String,
    },
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
        #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3_153_600_000))]
        lasts_s: Option<u64>,
        /// How to print it.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List tokens.
    List(OutputArgs),
    /// Revoke a token at once.
    Revoke {
        /// Its id, as `berth token list` shows it.
        id: String,
    },
}

/// Managing sessions.
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// List sessions.
    List(OutputArgs),
    /// Stop a session; its files are kept.
    Stop {
        /// The session's label, as in its URL.
        label: String,
    },
    /// Make a session anew, in a new container; its home is kept unless --home is given.
    Reset {
        /// The session's label, as in its URL.
        label: String,
        /// Also set its home aside as a dated copy and start with an empty one; needs --yes.
        #[arg(long, requires = "yes")]
        home: bool,
        /// Yes, empty the home.
        #[arg(long)]
        yes: bool,
    },
    /// Remove a session and its container; a persistent home is kept.
    Remove {
        /// The session's label, as in its URL.
        label: String,
    },
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

/// What is backed up.
#[derive(Args, Debug)]
pub struct BackupArgs {
    /// The file to write; complete or not there.
    pub file: PathBuf,
    /// Back up the images of all templates and engine.probe_image too; reads them over engine.socket.
    #[arg(long)]
    pub images: bool,
    /// Replace the file if it exists.
    #[arg(long)]
    pub force: bool,
}

/// What is put back.
#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The backup.
    pub file: PathBuf,
    /// Put back this alone.
    #[arg(long, value_name = "WHAT")]
    pub only: Option<KindArg>,
    /// Put the store in the place of one that is in use; that one is kept beside it.
    #[arg(long)]
    pub replace: bool,
}

/// What a backup can hold.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KindArg {
    /// Users, logins, sessions and the audit; no gateway may run.
    Store,
    /// The templates' images; sessions get them at their next start.
    Images,
}

impl KindArg {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Images => "images",
        }
    }
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Store => Self::Store,
            KindArg::Images => Self::Images,
        }
    }
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

/// Reading the audit.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Print the newest lines.
    Tail {
        /// How many.
        #[arg(long, short = 'n', default_value_t = 20)]
        lines: usize,
    },
    /// Check the hash chain from the first line; names the first broken one.
    Verify,
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
