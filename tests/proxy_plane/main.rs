//! The data plane as a component: real hyper on both sides of it, a fake engine behind it whose
//! containers are scripts in memory, a real store, broker and login in between.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(missing_docs, reason = "the names of tests say what they are")]

mod http;
mod rfb;
mod sandbox;
mod sharing;
mod support;
mod view_only;
mod websocket;
