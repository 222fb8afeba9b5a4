//! Whether what holds sessions apart is in place, looked at without changing it.

use serde::{Deserialize, Serialize};

use super::DockerEngine;
use crate::engine::EngineError;
use crate::session::NetworkPolicy;

/// What holds sessions apart, as it is right now.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boundaries {
    /// What is wrong with the packet filter, for people; `None` is nothing.
    pub filter: Option<String>,
    /// What is wrong with the networks of sessions; `None` is nothing.
    pub network: Option<String>,
}

impl DockerEngine {
    /// Looks whether packet filter and networks are as a start puts them.
    ///
    /// # Errors
    /// [`EngineError`] when the engine does not say which networks there are.
    pub async fn boundaries(&self) -> Result<Boundaries, EngineError> {
        let filter = match self.firewall() {
            Ok(firewall) => firewall.verify().await,
            Err(error) => Err(error),
        };
        let filter = match filter {
            Ok(true) => None,
            Ok(false) => Some("its rules are gone or were changed".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        let mut network = self.bridge(NetworkPolicy::Internal)?.flaw(&self.api).await?;
        if network.is_none() && self.wants_egress() {
            network = self.bridge(NetworkPolicy::Egress)?.flaw(&self.api).await?;
        }
        Ok(Boundaries { filter, network })
    }
}
