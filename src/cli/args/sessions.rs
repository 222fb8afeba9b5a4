//! `berth session` as types.

use clap::{Args, Subcommand, ValueEnum};

/// Managing sessions.
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// List sessions: state, owner, template, last input, and when they end.
    List {
        /// Which.
        #[command(flatten)]
        filter: Filter,
    },
    /// Show one session with everything that is known of it, and who else may open it.
    Show {
        /// The session's label, as in its URL.
        label: String,
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
