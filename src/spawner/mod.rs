//! The privileged process: it alone holds the engine's socket.
//!
//! Whoever can talk to the Docker Engine is root on the machine, so the process that faces the
//! internet must not. It talks to the spawner instead, over a Unix socket that only its group
//! may open, and the spawner accepts a closed set of requests ([`protocol::Request`]):
//!
//! - *start* names a session, an owner and a **template by name**. The image, the mounts, the
//!   capabilities, the environment and the limits come from the spawner's own configuration;
//!   there is no field to ask for others, and an unknown field is an error.
//! - *stop*, *pause*, *resume*, *remove* and *output* name a session. They act on a container
//!   only if its labels say that this installation made it.
//! - *home* names an owner or a session; which volume or directory that is, is the spawner's own
//!   configuration. Only a session's own home can be removed, an owner's only be set aside as a copy.
//! - *list*, *events* and *ping* name nothing and show nothing but this installation's containers.
//! - *boundaries* names nothing and tells whether packet filter and networks are in place; it changes neither.
//! - *address* tells where a running container of this installation is. The gateway dials that
//!   address itself, so that no byte of a desktop passes through the spawner, and a spawner that
//!   is gone or busy disturbs no open session.
//!
//! A taken-over gateway can therefore start, stop and read what it could before, and nothing
//! else: no other container, no file of the host, no image of its choice.

pub mod child;
pub mod protocol;
pub mod server;
