//! The portal through its one seam: a browser with cookies, a real store in memory, a fake engine.

mod desk;
mod endings;
mod homes;
mod images;
mod login;
mod markup;
mod pages;
mod portal;
mod sharing;
mod streams;
mod texts;
mod tokens;
