//! Whoever does what a command asks: the gateway of this machine, this process itself where none runs,
//! or a gateway elsewhere.

use super::args::RemoteArgs;
use super::data;
use super::failure::{Exit, Failure};
use super::remote::Remote;
use crate::app;
use crate::config::Config;
use crate::control::{Reply, Request};

/// Who is asked.
pub(super) enum Desk {
    /// The gateway of this configuration, or its store when it does not run.
    Here(Box<Config>),
    /// A gateway by its address.
    There(Remote),
}

impl Desk {
    /// Whoever the command line names. The configuration is read only if that is here.
    pub(super) fn of(
        remote: &RemoteArgs,
        load: impl FnOnce() -> Result<Config, Failure>,
    ) -> Result<Self, Failure> {
        match Remote::of(remote)? {
            Some(remote) => Ok(Self::There(remote)),
            None => Ok(Self::Here(Box::new(load()?))),
        }
    }

    /// The portal's address, with a slash at its end.
    pub(super) fn portal(&self) -> String {
        match self {
            Self::Here(config) => app::portal_url(config),
            Self::There(remote) => remote.portal(),
        }
    }

    pub(super) async fn ask(&self, request: Request) -> Result<Reply, Failure> {
        match self {
            Self::Here(config) => data::ask(config, request).await,
            Self::There(remote) => remote.ask(request).await,
        }
    }
}

/// Says what was done.
pub(super) fn done(reply: Reply) -> Result<(), Failure> {
    match reply {
        Reply::Done { text } => {
            println!("{text}");
            Ok(())
        }
        other => Err(refusal(other)),
    }
}

/// Why an answer is not what was asked for.
pub(super) fn refusal(reply: Reply) -> Failure {
    match reply {
        Reply::Refused { code, text } => {
            let todo = match code.as_str() {
                "no_gateway" => "start it with `berth serve`, or wait until it is ready",
                "not_found" => "look at the names with `berth user list` or `berth session list`",
                _ => "see above; `berth session list` and `berth user list` show how things are",
            };
            Failure::new(Exit::Refused, text, code, todo)
        }
        _ => {
            let todo = "use the binary that runs, or restart the gateway";
            let why = "it gave another answer than was asked for";
            Failure::new(Exit::Failed, "the gateway is of another version", why, todo)
        }
    }
}
