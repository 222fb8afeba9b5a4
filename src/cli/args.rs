//! The command line as types.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use jiff::Timestamp;

use crate::app::Existing;
use crate::audit::{EventKind, Format, Outcome, UnknownTime, when};
use crate::backup::Kind;
use crate::clock;
use crate::people::HomeFate;
use crate::session::CopyName;
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
    Setup,
    /// Run the privileged process that alone talks to the container engine.
    Spawner(SpawnerArgs),
    /// Manage users.
    User(Anywhere<UserCommand>),
    /// Manage tokens of programs.
    #[command(subcommand)]
    Token(TokenCommand),
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
    List(OutputArgs),
    /// Show a user: role, state, limits, sessions, logins, size of their home.
    Show {
        /// The user's name.
        name: String,
        /// How to print it.
        #[command(flatten)]
        output: OutputArgs,
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
        /// How to print them.
        #[command(flatten)]
        output: OutputArgs,
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
    /// Remove a user and all their sessions; their persistent home is kept unless --home says otherwise.
    Remove {
        /// The user's name.
        name: String,
        /// What becomes of their persistent home and its copies.
        #[arg(long, default_value = "keep")]
        home: HomeArg,
        /// Only say what would be removed, and where the home is.
        #[arg(long)]
        dry_run: bool,
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

/// A list of users.
#[derive(Args, Debug)]
pub struct UserImportArgs {
    /// A table with a header: name, role, password, password_hash, disabled, must_change, max_sessions,
    /// max_cpus, max_memory_mib, templates, in any order; commas, semicolons or tabs. - is standard input.
    #[arg(long, value_name = "FILE")]
    pub csv: PathBuf,
    /// Only show what would become of each row.
    #[arg(long)]
    pub dry_run: bool,
    /// Write the passwords that are made into this new file instead of printing them.
    #[arg(long, value_name = "FILE")]
    pub passwords: Option<PathBuf>,
    /// How to print the results.
    #[command(flatten)]
    pub output: OutputArgs,
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

/// Managing sessions.
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// List sessions: state, owner, template, last input, and when they end.
    List {
        /// Which.
        #[command(flatten)]
        filter: Filter,
        /// How to print.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show one session with everything that is known of it, and who else may open it.
    Show {
        /// The session's label, as in its URL.
        label: String,
        /// How to print.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List who else may open a session.
    Grants {
        /// The session's label, as in its URL.
        label: String,
        /// How to print.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Create a session for somebody and start it.
    Create {
        /// What it is made from.
        template: String,
        /// What its owner calls it.
        name: String,
        /// Whose it is.
        #[arg(long, value_name = "USER")]
        owner: String,
    },
    /// Start sessions that are stopped or failed.
    Start(Which),
    /// Stop sessions; their files are kept.
    Stop(Which),
    /// Stop sessions and start them again in the same containers.
    Restart(Which),
    /// Make sessions anew, in new containers; their homes are kept unless --home is given.
    Reset {
        /// Which.
        #[command(flatten)]
        which: Which,
        /// Also set their homes aside as dated copies and start with empty ones.
        #[arg(long)]
        home: bool,
    },
    /// Freeze sessions: no processor time, memory kept.
    Pause(Which),
    /// Let frozen sessions go on.
    Resume(Which),
    /// Give sessions more time before their limit.
    Extend(Which),
    /// Remove sessions and their containers; persistent homes are kept.
    Remove(Which),
}

/// Which sessions are changed.
#[derive(Args, Clone, Debug)]
pub struct Which {
    /// The sessions' labels, as in their URLs.
    #[arg(value_name = "LABEL", required_unless_present = "all", conflicts_with = "all")]
    pub labels: Vec<String>,
    /// Every session, or with filters every one that they name.
    #[arg(long)]
    pub all: bool,
    /// With --all, which.
    #[command(flatten)]
    pub filter: Filter,
    /// Do not ask before something is destroyed.
    #[arg(long, short)]
    pub yes: bool,
}

/// Which of all sessions; all of it must be true.
#[derive(Args, Clone, Debug, Default)]
pub struct Filter {
    /// In one of these states; several are separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub state: Vec<StateArg>,
    /// Of this user.
    #[arg(long = "of", value_name = "USER")]
    pub owner: Option<String>,
    /// Made from this template.
    #[arg(long, value_name = "NAME")]
    pub template: Option<String>,
    /// With this text in the label, the name or the owner's name.
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
}

impl Filter {
    /// Whether it names nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state.is_empty() && self.owner.is_none() && self.template.is_none() && self.search.is_none()
    }
}

/// A state on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum StateArg {
    /// On its way.
    Starting,
    /// Reachable.
    Ready,
    /// Frozen.
    Paused,
    /// Being stopped.
    Stopping,
    /// Not running; files kept.
    Stopped,
    /// The start did not work.
    Failed,
}

impl StateArg {
    /// Its stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
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
    /// The file to write, complete or not at all; with --list or --check, the backup to look at.
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Print what is in the backup FILE instead of making one.
    #[arg(long, conflicts_with_all = ["check", "homes", "images", "force"])]
    pub list: bool,
    /// Read the backup FILE whole and compare it with its checksums instead of making one.
    #[arg(long, conflicts_with_all = ["homes", "images", "force"])]
    pub check: bool,
    /// Back up every home and every copy of one too, as they are; reads them over engine.socket.
    #[arg(long)]
    pub homes: bool,
    /// Back up the images of all templates and engine.probe_image too; reads them over engine.socket.
    #[arg(long)]
    pub images: bool,
    /// Replace the file if it exists.
    #[arg(long)]
    pub force: bool,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What is put back.
#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The backup.
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Put back this alone; several are separated by commas.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub only: Vec<KindArg>,
    /// Put the store in the place of one that is in use; that one is kept beside it.
    #[arg(long)]
    pub replace: bool,
    /// What becomes of homes that have files or are in use already.
    #[arg(long, value_name = "HOW", default_value = "refuse")]
    pub existing_homes: ExistingArg,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What becomes of homes that are there.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ExistingArg {
    /// They stay as they are; what the backup has of them is left out.
    Keep,
    /// Nothing is restored.
    Refuse,
    /// What they hold becomes a dated copy first.
    SetAside,
}

impl From<ExistingArg> for Existing {
    fn from(existing: ExistingArg) -> Self {
        match existing {
            ExistingArg::Keep => Self::Keep,
            ExistingArg::Refuse => Self::Refuse,
            ExistingArg::SetAside => Self::SetAside,
        }
    }
}

/// What a backup can hold.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KindArg {
    /// The configuration's files; written beside the ones in force.
    Config,
    /// Homes and their copies, each into its owner's home.
    Homes,
    /// Users, logins, sessions and the audit; no gateway may run.
    Store,
    /// The templates' images; sessions get them at their next start.
    Images,
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Config => Self::Config,
            KindArg::Homes => Self::Home,
            KindArg::Images => Self::Images,
            KindArg::Store => Self::Store,
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
    /// Print the newest lines that fit.
    Tail(TailArgs),
    /// Check the hash chain, of the store or of an export; names the first broken line.
    Verify {
        /// Check this file, which `berth audit export` or the log page made, by itself.
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
    },
    /// Write the lines that fit into a file that can be checked by itself.
    Export(ExportArgs),
}

/// What is printed of the audit.
#[derive(Args, Debug)]
pub struct TailArgs {
    /// How many.
    #[arg(long, short = 'n', default_value_t = 20)]
    pub lines: usize,
    /// Go on with new lines as they are written.
    #[arg(long, short)]
    pub follow: bool,
    /// Print each line as it is stored, in JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub filter: AuditFilterArgs,
}

/// What is exported of the audit.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The file to write, which must not be there yet; - is standard output.
    pub file: PathBuf,
    /// The form; by default that of the file's name.
    #[arg(long)]
    pub format: Option<AuditFormat>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub filter: AuditFilterArgs,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum AuditFormat {
    /// A table for spreadsheets.
    Csv,
    /// One JSON document a line.
    Jsonl,
}

impl From<AuditFormat> for Format {
    fn from(format: AuditFormat) -> Self {
        match format {
            AuditFormat::Csv => Self::Csv,
            AuditFormat::Jsonl => Self::Jsonl,
        }
    }
}

/// Which lines of the audit.
#[derive(Args, Debug)]
pub struct AuditFilterArgs {
    /// With this event, for example session_failed; may be given several times.
    #[arg(long)]
    pub event: Vec<EventKind>,
    /// By this user, or by anonymous, cli, system, token.
    #[arg(long)]
    pub actor: Option<String>,
    /// About this user or session.
    #[arg(long)]
    pub target: Option<String>,
    /// That ended so: ok, refused, failed.
    #[arg(long)]
    pub outcome: Option<Outcome>,
    /// Not before: 2026-01-31, 2026-01-31T08:15 (UTC), or how long ago: 30m, 12h, 7d.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<Timestamp>,
    /// Before.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<Timestamp>,
}

impl fmt::Display for AuditFilterArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: &Option<Timestamp>| time.map(|time| time.to_string());
        let filters = [
            ("actor", self.actor.clone()),
            ("target", self.target.clone()),
            ("outcome", self.outcome.map(|outcome| outcome.name().to_owned())),
            ("since", time(&self.since)),
            ("until", time(&self.until)),
        ];
        let events = self.event.iter().map(|event| format!("event={}", event.name()));
        let others = filters.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        f.write_str(&events.chain(others).collect::<Vec<_>>().join("&"))
    }
}

fn time(text: &str) -> Result<Timestamp, UnknownTime> {
    when(text, clock::now())
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
