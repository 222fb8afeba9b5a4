//! End to end: the real binary, the real container engine, a real browser.
//!
//! Oracles stand outside the product: `docker inspect`, `docker exec`, `/proc`, the wire.
#![allow(clippy::disallowed_methods, missing_docs)]

mod accessibility;
mod answers;
mod backup;
mod backup_under_load;
mod bad_input;
mod browser;
mod class;
mod cli;
mod cli_reach;
mod compat;
mod console;
mod contract;
mod desktop;
mod doctor;
mod doctor_way;
mod faults;
mod front;
mod gateway;
mod homes;
mod images;
mod kiosks;
mod lifecycle;
mod limits;
mod moving_in;
mod pages;
mod people;
mod quiet_network;
mod registry;
mod screen;
mod sharing;
mod statistics;
mod student;
mod student_paths;
mod tables;
mod template_images;
mod tokens;
mod user_files;
mod viewer;
mod viewer_page;
mod wire;
