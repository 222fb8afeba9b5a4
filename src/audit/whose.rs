//! Whose session an event is about, where its label alone would say too little.

use serde::Serialize;

use crate::session::Session;

/// Whose a session is. Lines of before had none of this.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Whose {
    /// Its owner's name.
    pub owner: String,
    /// What its owner calls it.
    pub name: String,
    /// What a kiosk orchestrator's scripts call it, if it is one of theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

impl Whose {
    /// Whose this session is.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        Self {
            owner: session.owner_name.clone(),
            name: session.name.to_string(),
            client_id: session.client.as_ref().map(ToString::to_string),
        }
    }
}
