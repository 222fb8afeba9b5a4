//! The composition root: the only place that names concrete adapters and wires them.

mod gateway;
mod open;
mod spawner;

pub use self::gateway::serve;
pub use self::open::{Offline, open_store};
pub use self::spawner::spawner;
