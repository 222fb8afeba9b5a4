//! Berth: a TLS gateway and session broker. Students open one HTTPS URL, log in, and get a
//! desktop in a container that was started for them.
//!
//! Arrows point down only: `server` → `proxy`, `web` → `broker`, `auth` → `engine`, `store` →
//! `session`, `rfb`. `tests/layering.rs` reads the `use` lines and fails on a breach.

pub mod access;
pub mod api;
pub mod app;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod body;
pub mod broker;
pub mod capacity;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod doctor;
pub mod engine;
pub mod fault;
pub mod inventory;
pub mod language;
pub mod look;
pub mod people;
pub mod proxy;
pub mod respond;
pub mod revocation;
pub mod rfb;
pub mod secret;
pub mod server;
pub mod session;
pub mod spawner;
pub mod stats;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod thumbnail;
pub mod unix_socket;
pub mod web;
