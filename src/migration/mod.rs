//! Moving in from the three systems that Berth replaces: their `.env` files and their users.
//!
//! Everything here turns texts into values and touches nothing: the command line reads, shows,
//! writes and imports.

pub mod dump;
pub mod env;
pub mod plan;
mod rules;
pub mod users;
mod value;
pub mod variables;
