//! The composition root: the only place that names concrete adapters and wires them.

mod backup;
mod gateway;
mod open;
mod spawner;

pub use self::backup::{Existing, Extent, Restoration, Restored, Told, backup, check, look, restore};
pub use self::gateway::{novnc, portal_port, serve};
pub use self::open::{Offline, open_store, store_path};
pub use self::spawner::{DEFAULT_SOCKET, by_name, prepare, settings as engine_settings, spawner};
