//! The downstream side: listener, TLS, connections, and the one strict validation of requests.
//!
//! [`listen`] binds, accepts and serves; each connection's handshake has one deadline, ALPN alone
//! chooses the protocol, every request passes [`validate()`] before the [`Handler`] sees it, and
//! every answer ends in one access line. Nothing here knows what requests mean.

mod access_log;
mod connection;
pub mod dev_ca;
pub mod dispatch;
mod drain;
mod held;
pub mod inspect;
mod listener;
mod peer;
pub mod security_headers;
mod settings;
#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the tests' clients are no tasks of the server")]
mod tests;
pub mod tls;
mod validate;

pub use self::access_log::{AccessFacts, Edge, RequestId};
pub use self::connection::{Arrival, Handler};
pub use self::drain::{Drain, Drained, UpgradedGuard};
pub use self::listener::{ListenError, listen};
pub use self::peer::{Peer, Protocol, forwarded_for};
pub use self::settings::Settings;
pub use self::validate::{Checked, PathRule, Refusal, Upgrade, validate};
