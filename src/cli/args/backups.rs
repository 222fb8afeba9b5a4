//! `berth backup` and `berth restore` as types.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::OutputArgs;
use crate::app::Existing;
use crate::backup::Kind;

/// What is backed up.
#[derive(Args, Debug)]
pub struct BackupArgs {
    /// The file to write, complete or not at all; with --list or --check, the backup to look at.
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Print what is in the backup FILE instead of making one.
    #[arg(long, conflicts_with_all = ["check", "homes", "images", "force"])]
    pub list: bool,
    /// Read the backup FILE whole and compare it with its checksums instead of making one.
    #[arg(long, conflicts_with_all = ["homes", "images", "force"])]
    pub check: bool,
    /// Back up every home and every copy of one too, as they are; reads them over engine.socket.
    #[arg(long)]
    pub homes: bool,
    /// Back up the images of all templates and engine.probe_image too; reads them over engine.socket.
    #[arg(long)]
    pub images: bool,
    /// Replace the file if it exists.
    #[arg(long)]
    pub force: bool,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What is put back.
#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The backup.
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Put back this alone; several are separated by commas.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub only: Vec<KindArg>,
    /// Put the store in the place of one that is in use; that one is kept beside it.
    #[arg(long)]
    pub replace: bool,
    /// What becomes of homes that have files or are in use already.
    #[arg(long, value_name = "HOW", default_value = "refuse")]
    pub existing_homes: ExistingArg,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What becomes of homes that are there.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ExistingArg {
    /// They stay as they are; what the backup has of them is left out.
    Keep,
    /// Nothing is restored.
    Refuse,
    /// What they hold becomes a dated copy first.
    SetAside,
}

impl From<ExistingArg> for Existing {
    fn from(existing: ExistingArg) -> Self {
        match existing {
            ExistingArg::Keep => Self::Keep,
            ExistingArg::Refuse => Self::Refuse,
            ExistingArg::SetAside => Self::SetAside,
        }
    }
}

/// What a backup can hold.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KindArg {
    /// The configuration's files; written beside the ones in force.
    Config,
    /// Homes and their copies, each into its owner's home.
    Homes,
    /// Users, logins, sessions and the audit; no gateway may run.
    Store,
    /// The templates' images; sessions get them at their next start.
    Images,
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Config => Self::Config,
            KindArg::Homes => Self::Home,
            KindArg::Images => Self::Images,
            KindArg::Store => Self::Store,
        }
    }
}
