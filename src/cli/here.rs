//! What is asked of this machine: the running gateway answers it, or this process on the store when none
//! runs.

use super::failure::{Exit, Failure};
use crate::app::Offline;
use crate::config::Config;
use crate::control::{self, AskError, Performer, Reply, Request, SessionChange, UserRequest};

/// Asks the running gateway, or does it here if none runs.
pub(super) async fn ask(config: &Config, request: Request) -> Result<Reply, Failure> {
    match ask_gateway(config, &request).await? {
        Some(reply) => Ok(reply),
        None => offline(config, request).await,
    }
}

/// Asks the running gateway; `None` if none runs.
pub(super) async fn ask_gateway(config: &Config, request: &Request) -> Result<Option<Reply>, Failure> {
    let path = &config.server.control;
    control::ask(path, request).await.map_err(|error| match error {
        AskError::Unanswered(why) => Failure::new(
            Exit::Failed,
            "the running gateway did not answer",
            why,
            "it may have done what was asked: look before you try again",
        ),
        AskError::Unreachable(why) => Failure::new(
            Exit::Missing,
            format!("the control socket {} cannot be used, and a gateway may run behind it", path.display()),
            why,
            "run this as the gateway's own user, or correct server.control",
        ),
    })
}

async fn offline(config: &Config, request: Request) -> Result<Reply, Failure> {
    let offline = Offline::open(config)?;
    let broker = match needs(&request) {
        Need::Nothing => None,
        Need::Look => Some(offline.onlooker(config).await?),
        Need::Change => Some(offline.broker(config).await?),
    };
    let performer = Performer { auth: offline.auth.clone(), broker, store: offline.store, stats: None };
    let reply = control::perform(&performer, request).await;
    offline.tasks.drain().await;
    Ok(reply)
}

/// What a request needs of containers, homes and images, beside what is stored.
enum Need {
    Nothing,
    Look,
    Change,
}

/// What would start a session needs a gateway, without which nobody could open it.
fn needs(request: &Request) -> Need {
    match request {
        Request::HomeList | Request::TemplateList | Request::TemplateProgress => Need::Look,
        Request::HomeRestore { .. } | Request::Sharing(_) | Request::TemplatePull { .. } => Need::Change,
        Request::SessionChange { change, .. } => match change {
            SessionChange::Extend
            | SessionChange::Pause
            | SessionChange::Remove
            | SessionChange::Resume
            | SessionChange::Stop => Need::Change,
            SessionChange::Reset { .. } | SessionChange::Restart | SessionChange::Start => Need::Nothing,
        },
        Request::User(UserRequest::Outlook { .. }) => Need::Look,
        Request::User(UserRequest::Remove { .. }) => Need::Change,
        Request::User(_)
        | Request::Capacity
        | Request::LinkCreate { .. }
        | Request::LinkList
        | Request::LinkRevoke { .. }
        | Request::SessionCreate { .. }
        | Request::SessionList
        | Request::SessionShow { .. }
        | Request::Stats
        | Request::TokenCreate { .. }
        | Request::TokenList
        | Request::TokenRevoke { .. } => Need::Nothing,
    }
}
