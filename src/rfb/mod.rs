//! The RFB protocol (RFC 6143) as bytes: no I/O, no async.

pub mod client;
pub mod picture;
pub mod security;
pub mod server;
