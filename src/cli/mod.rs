//! The command line: parses, runs, prints, and ends with a documented exit code.

mod args;
mod backup;
mod data;
mod failure;
mod setup;
mod templates;
mod tokens;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

pub use self::args::Cli;
use self::args::{Command, SpawnerArgs};
pub use self::failure::{Exit, Failure};
use crate::app;
use crate::config::{Config, DEFAULT_PATH};
use crate::engine::docker;
use crate::fault::chain;
use crate::telemetry;

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    if let Command::Completions { shell } = cli.command {
        clap_complete::generate(shell, &mut Cli::command(), "berth", &mut std::io::stdout());
        return Ok(());
    }
    let path = cli.config.unwrap_or_else(|| PathBuf::from(DEFAULT_PATH));
    let config = load(&path)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::new(Exit::Failed, "the process cannot start", error, "free some memory or raise its limits")
    })?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve => serve(config, &path).await,
            Command::CheckConfig => {
                check_config(&config, &path);
                Ok(())
            }
            Command::Setup => setup::setup(&config).await,
            Command::Spawner(arguments) => spawner(config, arguments).await,
            Command::User(command) => data::user(&config, command).await,
            Command::Token(command) => tokens::token(&config, command).await,
            Command::Session(command) => data::session(&config, command).await,
            Command::Template(command) => templates::template(&config, command).await,
            Command::Backup(arguments) => backup::backup(&config, arguments).await,
            Command::Restore(arguments) => backup::restore(&config, arguments).await,
            Command::Home(command) => data::home(&config, command).await,
            Command::Audit(command) => data::audit(&config, command).await,
            Command::Completions { .. } => Ok(()),
        }
    })
}

/// Reads the configuration or lists everything that is wrong with it.
fn load(path: &Path) -> Result<Config, Failure> {
    Config::load(path, std::env::vars()).map_err(|errors| {
        Failure::new(
            Exit::Config,
            format!("the configuration {} has errors", path.display()),
            errors,
            "correct them; `berth check-config` checks again without starting anything",
        )
    })
}

fn check_config(config: &Config, path: &Path) {
    println!("# {} is fine. In force, with defaults and environment:\n\n{config}", path.display());
    println!("# {}", docker::Quota::of(&config.homes));
    for danger in config.dangers() {
        println!("# DANGER: {danger}");
    }
}

async fn serve(config: Config, path: &Path) -> Result<(), Failure> {
    log(&config)?;
    app::serve(config, path).await
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
        tracing::warn!(danger, "the configuration weakens security");
    }
    Ok(())
}
