//! The command line: parses, runs, prints, and ends with a documented exit code.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod ask;
mod audit;
mod backup;
mod desk;
mod doctor;
mod failure;
mod from_env;
mod here;
mod homes;
mod link;
mod out;
mod pages;
mod progress;
mod remote;
mod sessions;
mod setup;
mod sharing;
mod show;
mod stats;
mod table;
mod templates;
mod tokens;
mod users;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

pub use self::args::Cli;
use self::args::{Anywhere, AskArgs, Command, OutputArgs, SpawnerArgs};
use self::desk::Desk;
pub use self::failure::{Exit, Failure};
use self::out::{say, tell};
use crate::app;
use crate::config::{Config, DEFAULT_PATH};
use crate::engine::docker;
use crate::fault::chain;
use crate::inventory::Inventory;
use crate::language::Language;
use crate::server;
use crate::telemetry;

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli).and_then(|()| out::lost().map_or(Ok(()), Err)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell!("{failure}");
            failure.exit_code()
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    if let Command::Completions { shell } = cli.command {
        clap_complete::generate(shell, &mut Cli::command(), "berth", &mut std::io::stdout());
        return Ok(());
    }
    if let Command::Man { directory } = &cli.command {
        return pages::man(directory.as_deref());
    }
    let path = cli.config.unwrap_or_else(|| PathBuf::from(DEFAULT_PATH));
    if let Command::Setup(arguments) = &cli.command
        && let Some(file) = &arguments.from_env
    {
        // There may be no configuration yet: this is how one is made.
        return from_env::convert(file, &path, arguments);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::new(Exit::Failed, "the process cannot start", error, "free some memory or raise its limits")
    })?;
    runtime.block_on(dispatch(cli.command, &path))
}

async fn dispatch(command: Command, path: &Path) -> Result<(), Failure> {
    let desk = |remote| Desk::of(remote, || only_config(path));
    match command {
        Command::Session(Anywhere { remote, output, command }) => {
            sessions::session(&desk(&remote)?, command, output).await
        }
        Command::Grant(Anywhere { remote, output, command }) => {
            sharing::grant(&desk(&remote)?, command, output).await
        }
        Command::Invitation(Anywhere { remote, output, command }) => {
            sharing::invitation(&desk(&remote)?, command, output).await
        }
        Command::Template(Anywhere { remote, output, command }) => {
            templates::template(&desk(&remote)?, command, output).await
        }
        Command::User(Anywhere { remote, output, command }) => {
            users::user(&desk(&remote)?, command, output).await
        }
        Command::Home(Anywhere { remote, output, command }) => {
            homes::home(&desk(&remote)?, command, output).await
        }
        Command::Link(Anywhere { remote, output, command }) => {
            link::link(&desk(&remote)?, command, output).await
        }
        Command::Token(Anywhere { remote, output, command }) => {
            tokens::token(&desk(&remote)?, command, output).await
        }
        Command::Audit(Anywhere { remote, output, command }) => {
            audit::audit(|| desk(&remote), command, output).await
        }
        Command::Capacity(AskArgs { remote, output }) => stats::capacity(&desk(&remote)?, output).await,
        Command::Stats(AskArgs { remote, output }) => stats::stats(&desk(&remote)?, output).await,
        Command::Doctor(output) => match only_config(path) {
            Ok(config) => doctor::doctor(&config, output).await,
            Err(_) => doctor::unconfigured(path, output),
        },
        here => dispatch_here(here, load(path)?, path).await,
    }
}

/// The commands that need the machine itself.
async fn dispatch_here(
    command: Command,
    (config, mut inventory): (Config, Inventory),
    path: &Path,
) -> Result<(), Failure> {
    match command {
        Command::Serve => serve(config, inventory, path).await,
        Command::CheckConfig(output) => {
            server::tls::mark_development(&config.tls, &mut inventory);
            check_config(&config, &inventory, path, output);
            Ok(())
        }
        Command::Setup(_) => setup::setup(&config).await,
        Command::Spawner(arguments) => spawner(config, arguments).await,
        Command::Backup(arguments) => backup::backup(&config, path, arguments).await,
        Command::Restore(arguments) => backup::restore(&config, path, arguments).await,
        Command::Audit(_)
        | Command::Capacity(_)
        | Command::Completions { .. }
        | Command::Doctor(_)
        | Command::Grant(_)
        | Command::Home(_)
        | Command::Invitation(_)
        | Command::Link(_)
        | Command::Man { .. }
        | Command::Session(_)
        | Command::Stats(_)
        | Command::Template(_)
        | Command::Token(_)
        | Command::User(_) => Ok(()),
    }
}

/// Reads the configuration or lists everything that is wrong with it.
fn load(path: &Path) -> Result<(Config, Inventory), Failure> {
    Config::load_all(path, std::env::vars()).map_err(|errors| {
        Failure::new(
            Exit::Config,
            format!("the configuration {} has errors", path.display()),
            errors,
            "correct them; `berth check-config` checks again without starting anything",
        )
    })
}

fn only_config(path: &Path) -> Result<Config, Failure> {
    load(path).map(|(config, _)| config)
}

fn check_config(config: &Config, inventory: &Inventory, path: &Path, output: OutputArgs) {
    if output.json {
        return show::print_json(inventory);
    }
    say!("# {} is fine. In force, with defaults and environment:\n\n{config}", path.display());
    say!("# {}", docker::Quota::of(&config.homes));
    for danger in &inventory.dangers {
        say!("# DANGER: {}", danger.said(Language::English));
    }
}

async fn serve(config: Config, inventory: Inventory, path: &Path) -> Result<(), Failure> {
    log(&config)?;
    app::serve(config, inventory, path).await
}

async fn spawner(config: Config, arguments: SpawnerArgs) -> Result<(), Failure> {
    log(&config)?;
    app::spawner(config, arguments.socket, arguments.exit_with_parent).await
}

fn log(config: &Config) -> Result<(), Failure> {
    telemetry::init_logging(&config.telemetry).map_err(|error| {
        Failure::new(Exit::Config, "nothing can be logged", chain(&error), "correct BERTH_LOG or log.filter")
    })?;
    for danger in config.dangers() {
        let danger = danger.said(Language::English);
        tracing::warn!(danger, "the configuration weakens security");
    }
    Ok(())
}
