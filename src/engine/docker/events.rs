//! The engine's events, reduced to containers of ours that ended.

use std::collections::HashMap;
use std::sync::Arc;

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tracing::{debug, warn};

use super::api::Api;
use super::make::{NETWORK, SESSION};
use crate::clock;
use crate::engine::addresses::{Addresses, watched};
use crate::engine::{EngineEvent, EngineEventKind};

/// How far back a new stream reaches, so that nothing is missed while it is being opened.
const OVERLAP_S: i64 = 2;

/// `GET /events`: ends of containers with `network` as their label. Ends when the engine hangs up.
pub(super) fn stream(api: &Api, network: &str, addresses: Arc<Addresses>) -> BoxStream<'static, EngineEvent> {
    let filters = HashMap::from([
        ("type", vec!["container".to_owned()]),
        ("event", vec!["die".to_owned(), "oom".to_owned()]),
        ("label", vec![format!("{NETWORK}={network}")]),
    ]);
    let since = (clock::now().as_second() - OVERLAP_S).to_string();
    let options = EventsOptionsBuilder::default().since(&since).filters(&filters).build();
    let messages = api.docker().events(Some(options)).take_while(|message| {
        if let Err(error) = message {
            warn!(%error, "the engine's event stream ended");
        }
        std::future::ready(message.is_ok())
    });
    let told = messages.filter_map(|message| std::future::ready(message.ok().and_then(event_of)));
    watched(told.boxed(), addresses)
}

fn event_of(message: EventMessage) -> Option<EngineEvent> {
    let actor = message.actor?;
    let attributes = actor.attributes.unwrap_or_default();
    let kind = match message.action.as_deref()? {
        "die" => {
            EngineEventKind::Died { code: attributes.get("exitCode").and_then(|code| code.parse().ok()) }
        }
        "oom" => EngineEventKind::OutOfMemory,
        other => {
            debug!(action = other, "an event nobody asked for");
            return None;
        }
    };
    Some(EngineEvent { session: attributes.get(SESSION)?.parse().ok()?, container: actor.id?, kind })
}

#[cfg(test)]
mod tests {
    use bollard::models::EventActor;

    use super::*;
    use crate::session::SessionId;

    fn message(action: &str, attributes: &[(&str, &str)]) -> EventMessage {
        let attributes =
            attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        EventMessage {
            action: Some(action.to_owned()),
            actor: Some(EventActor { id: Some("c1".into()), attributes: Some(attributes) }),
            ..EventMessage::default()
        }
    }

    #[test]
    fn only_ends_of_sessions_pass() {
        let session = SessionId::random();
        let text = session.to_string();
        let died = event_of(message("die", &[(SESSION, &text), ("exitCode", "137")])).unwrap();
        assert_eq!(died.session, session);
        assert_eq!(died.kind, EngineEventKind::Died { code: Some(137) });
        assert_eq!(event_of(message("oom", &[(SESSION, &text)])).unwrap().kind, EngineEventKind::OutOfMemory);
        assert_eq!(event_of(message("die", &[("exitCode", "0")])), None);
        assert_eq!(event_of(message("start", &[(SESSION, &text)])), None);
    }
}
