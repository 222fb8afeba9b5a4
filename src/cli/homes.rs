//! `berth home`: homes and the copies of them.

use super::args::{HomeCommand, OutputArgs};
use super::desk::Desk;
use super::failure::Failure;
use super::progress;
use super::show::{done, show};
use crate::control::Request;

pub(super) async fn home(desk: &Desk, command: HomeCommand, output: OutputArgs) -> Result<(), Failure> {
    match command {
        HomeCommand::List => show(desk.ask(Request::HomeList).await?, output),
        HomeCommand::Restore { owner, copy } => {
            let spinner = progress::waiting(format!("the home of {owner} is being put back"));
            let restored = desk.ask(Request::HomeRestore { owner, copy }).await;
            spinner.finish_and_clear();
            done(restored?, output)
        }
    }
}
