//! How the engine is, for those who answer for the gateway.

use std::sync::Arc;

use futures_util::future::BoxFuture;

/// What the engine says of itself, for `/ready` and `/status`.
#[derive(Clone, Debug, Default)]
pub struct EngineStatus {
    /// Product and version, if it answers.
    pub version: Option<String>,
    /// Whether a probe has shown that sessions are isolated.
    pub isolation_proven: bool,
    /// Whether that proof is a condition for serving.
    pub isolation_required: bool,
}

/// Asks the engine how it is. The answer is awaited for a few seconds only.
pub type EngineCheck = Arc<dyn Fn() -> BoxFuture<'static, EngineStatus> + Send + Sync>;
