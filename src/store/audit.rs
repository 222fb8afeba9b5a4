//! The lines of the audit, and how they are read.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::StoreError;
use crate::audit::{EventKind, Outcome};

/// One line of the audit, as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditLine {
    /// Its place, from 1 without gaps; the oldest may have been cut.
    pub number: u64,
    /// The event as JSON, exactly the text that was hashed.
    pub body: String,
    /// Hex SHA-256 over the previous line's hash and this body.
    pub hash: String,
}

/// Which lines of the audit are looked for: those that fit everything that is set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditSearch {
    /// One of these events; any if there is none.
    pub events: Vec<EventKind>,
    /// By this actor, compared without regard to ASCII case.
    pub actor: Option<String>,
    /// About this user or session, compared without regard to ASCII case.
    pub target: Option<String>,
    /// That ended so.
    pub outcome: Option<Outcome>,
    /// Not before this time, to the second.
    pub since: Option<Timestamp>,
    /// Before this time, to the second.
    pub until: Option<Timestamp>,
    /// With a number above this one.
    pub after: Option<u64>,
    /// With a number below this one.
    pub before: Option<u64>,
}

/// From which end the audit is read.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditOrder {
    /// Numbers fall.
    #[default]
    NewestFirst,
    /// Numbers rise.
    OldestFirst,
}

/// An audit that can be read, wherever it is: in a store, or behind a gateway elsewhere.
#[async_trait]
pub trait AuditLines: Send + Sync {
    /// Up to `limit` audit lines that fit `search`, in this order. A line that is no JSON fits no
    /// search but by number.
    async fn find_audit(
        &self,
        search: &AuditSearch,
        order: AuditOrder,
        limit: usize,
    ) -> Result<Vec<AuditLine>, StoreError>;

    /// Up to `limit` audit lines with numbers above `after`, in order.
    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditLine>, StoreError> {
        let search = AuditSearch { after: Some(after), ..AuditSearch::default() };
        self.find_audit(&search, AuditOrder::OldestFirst, limit).await
    }
}
