//! The portal through its one seam: a browser with cookies, a real store in memory, a fake engine.

mod admin;
mod desk;
mod endings;
mod every_page;
mod homes;
mod images;
mod invitations;
mod landing;
mod link;
mod links;
mod log;
mod login;
mod markup;
mod pages;
mod portal;
mod settings;
mod sharing;
mod sizes;
mod stats;
mod streams;
mod texts;
mod tokens;
mod users;
