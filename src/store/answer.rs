//! What was answered to a request that may be sent again.

use jiff::Timestamp;

use crate::secret::TokenHash;

/// An answer that is kept for whoever sends the same request again.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptAnswer {
    /// Hash over who asked, for what, and the key they named.
    pub key: TokenHash,
    /// Hash over the key and the request's body.
    pub request: TokenHash,
    /// The status.
    pub status: u16,
    /// The `Location`, if there was one.
    pub location: Option<String>,
    /// The document, without secrets.
    pub body: String,
    /// When it was answered.
    pub answered_at: Timestamp,
}
