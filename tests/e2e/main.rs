//! End to end: the real binary, the real container engine, a real browser.
//!
//! Oracles stand outside the product: `docker inspect`, `docker exec`, `/proc`, the wire.
#![allow(clippy::disallowed_methods, missing_docs)]

mod backup;
mod bad_input;
mod browser;
mod class;
mod compat;
mod contract;
mod desktop;
mod faults;
mod gateway;
mod homes;
mod images;
mod lifecycle;
mod limits;
mod quiet_network;
mod registry;
mod screen;
mod sharing;
mod template_images;
mod viewer;
mod viewer_page;
mod wire;
