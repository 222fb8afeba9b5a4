//! Sessions for the command line: listed, shown, created, changed.

use std::sync::Arc;

use super::perform::{Performer, refused, unknown, with_user};
use super::{GrantRow, Reply, SessionChange, SessionRow};
use crate::audit::Actor;
use crate::broker::{Broker, BrokerError, Entry, Wish};
use crate::clock;
use crate::session::{Grant, Next, Session, SessionName, State, StateKind, StopReason, TemplateName};
use crate::store::StoreError;

/// All sessions, oldest first.
pub(super) async fn list(performer: &Performer) -> Reply {
    match rows(performer).await {
        Ok(sessions) => Reply::Sessions { sessions },
        Err(error) => refused(error),
    }
}

async fn rows(performer: &Performer) -> Result<Vec<SessionRow>, StoreError> {
    if let Some(broker) = &performer.broker {
        return Ok(broker.entries().iter().map(|entry| live(broker, entry)).collect());
    }
    Ok(performer.store.sessions().await?.iter().map(SessionRow::from).collect())
}

/// One session with its grants.
pub(super) async fn show(performer: &Performer, label: &str) -> Reply {
    let read = async {
        let sessions = rows(performer).await?;
        let Some(at) = sessions.iter().position(|session| session.label == label) else {
            return Ok(Err(absent(performer, label).await));
        };
        Ok::<_, StoreError>(Ok((sessions[at].clone(), grants(performer, label).await?)))
    };
    match read.await {
        Ok(Ok((session, grants))) => Reply::Session { session: Box::new(session), grants: Some(grants) },
        Ok(Err(refusal)) => refusal,
        Err(error) => refused(error),
    }
}

async fn grants(performer: &Performer, label: &str) -> Result<Vec<GrantRow>, StoreError> {
    let sessions = performer.store.sessions().await?;
    let id = sessions.iter().find(|session| session.label.as_str() == label).map(|session| session.id);
    let (all, now) = (performer.store.grants().await?, clock::now());
    let here = |grant: &&Grant| Some(grant.session) == id && !grant.has_lapsed(now);
    Ok(all.iter().filter(here).map(GrantRow::from).collect())
}

/// What is known of a session while a broker has it.
fn live(broker: &Broker, entry: &Entry) -> SessionRow {
    let (session, expiry) = (entry.session(), broker.expiry(entry));
    let (input_ago, _) = entry.last_input();
    let mut row = SessionRow::from(&*session);
    if session.state.kind() == StateKind::Ready {
        row.last_input_at = clock::earlier(clock::now(), input_ago).map(|at| at.to_string());
    }
    row.phase = broker.progress(entry).and_then(|progress| named(progress.phase));
    row.viewers = Some(entry.viewers());
    row.expires_at = expiry.map(|expiry| clock::later(clock::now(), expiry.remaining).to_string());
    row.expires_because = expiry.map(|expiry| expiry.because.name().to_owned());
    row
}

/// The stable name of a unit-like value.
fn named(value: impl serde::Serialize) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(ToOwned::to_owned)
}

/// Makes a session and sets it going.
pub(super) async fn create(
    performer: &Performer,
    owner: &str,
    template: &str,
    name: &str,
) -> Result<Reply, Reply> {
    let broker = performer.broker.as_ref().ok_or_else(no_gateway)?;
    let invalid = |why: &dyn std::fmt::Display| Reply::Refused {
        code: "request_invalid".to_owned(),
        text: why.to_string(),
    };
    let (template, name) = (
        template.parse::<TemplateName>().map_err(|error| invalid(&error))?,
        name.parse::<SessionName>().map_err(|error| invalid(&error))?,
    );
    with_user(performer, owner, async |user| {
        let wish = Wish::of(template, name);
        let entry = broker.create_for(&user, wish, &Actor::cli()).await.map_err(refused)?;
        Ok(Reply::Session { session: Box::new(live(broker, &entry)), grants: None })
    })
    .await
}

/// Does with a session what is asked. Stopping and removing wait until it is done; what starts goes
/// on by itself.
pub(super) async fn change(
    performer: &Performer,
    label: &str,
    change: SessionChange,
) -> Result<String, Reply> {
    let (broker, entry) = found(performer, label).await?;
    let by = Actor::cli();
    let done = match change {
        SessionChange::Extend => broker.extend(&entry, &by).await.map(|()| "has more time"),
        SessionChange::Pause => broker.pause(&entry, &by).await.map(|()| "is frozen"),
        SessionChange::Remove => {
            end(broker, &entry, Next::Remove).await.map(|()| "removed; a persistent home is kept")
        }
        SessionChange::Reset { home } => {
            let next = if home { Next::ResetHome } else { Next::Reset };
            let said = if home {
                "is being reset; its files are set aside as a copy"
            } else {
                "is being reset; its home is kept"
            };
            broker.stop(&entry, StopReason::Admin, next, &by).await.map(|()| said)
        }
        SessionChange::Restart => {
            let restarted = broker.stop(&entry, StopReason::Admin, Next::Restart, &by).await;
            restarted.map(|()| "is restarting; its files are kept")
        }
        SessionChange::Resume => broker.resume(&entry, &by).await.map(|()| "goes on"),
        SessionChange::Start => broker.start(&entry, &by).await.map(|()| "is starting"),
        SessionChange::Stop => end(broker, &entry, Next::Rest).await.map(|()| "stopped; its files are kept"),
    };
    done.map(|said| format!("session {label} {said}")).map_err(refused)
}

/// Stops a session and waits until that is done.
pub(super) async fn end(broker: &Broker, entry: &Arc<Entry>, next: Next) -> Result<(), BrokerError> {
    let at_rest = !entry.session().state.occupies();
    if at_rest && next == Next::Rest {
        return Ok(());
    }
    broker.stop(entry, StopReason::Admin, next, &Actor::cli()).await?;
    broker.ended(entry).await;
    Ok(())
}

/// The session of this label, and who has it.
pub(super) async fn found<'a>(
    performer: &'a Performer,
    label: &str,
) -> Result<(&'a Broker, Arc<Entry>), Reply> {
    let broker = performer.broker.as_ref().ok_or_else(no_gateway)?;
    match broker.find(label) {
        Some(entry) => Ok((broker, entry)),
        None => Err(absent(performer, label).await),
    }
}

pub(super) fn no_gateway() -> Reply {
    Reply::Refused {
        code: "no_gateway".to_owned(),
        text: "no gateway runs, and only one that runs can do that; start it first".to_owned(),
    }
}

/// There is no such session; perhaps another was meant.
async fn absent(performer: &Performer, label: &str) -> Reply {
    let known = rows(performer).await.unwrap_or_default();
    let labels: Vec<_> = known.iter().map(|session| session.label.as_str()).collect();
    // People type what they read on the card.
    let by_name = known.iter().find(|session| session.name.eq_ignore_ascii_case(label));
    match by_name.map(|session| session.label.as_str()).or_else(|| super::nearest(label, &labels)) {
        Some(meant) => Reply::Refused {
            code: "not_found".to_owned(),
            text: format!("there is no session {label}; did you mean {meant}?"),
        },
        None => unknown("session", label),
    }
}

impl From<&Session> for SessionRow {
    fn from(session: &Session) -> Self {
        let ended = match &session.state {
            State::Stopped { reason } | State::Stopping { reason, .. } => {
                Some((reason.code(), reason.sentence()))
            }
            State::Failed { reason } => Some((reason.code(), reason.sentence())),
            State::Starting { .. } | State::Ready { .. } | State::Paused { .. } => None,
        };
        Self {
            label: session.label.to_string(),
            owner: session.owner_name.clone(),
            template: session.template.to_string(),
            name: session.name.to_string(),
            state: session.state.kind().name().to_owned(),
            phase: None,
            reason: ended.map(|(code, _)| code.to_owned()),
            reason_text: ended.map(|(_, text)| text.to_owned()),
            container: format!("berth-{}", session.id),
            created_at: session.created_at.to_string(),
            ready_at: session.ready_at.map(|at| at.to_string()),
            last_input_at: session.last_input_at.map(|at| at.to_string()),
            viewers: None,
            expires_at: None,
            expires_because: None,
        }
    }
}

impl From<&Grant> for GrantRow {
    fn from(grant: &Grant) -> Self {
        Self {
            user: grant.grantee_name.clone(),
            role: grant.role.name().to_owned(),
            granted_by: grant.granted_by.clone(),
            created_at: grant.created_at.to_string(),
            expires_at: grant.expires_at.map(|at| at.to_string()),
        }
    }
}
