//! `berth setup --from-env`: a configuration out of the `.env` file of a system that Berth replaces.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::args::SetupArgs;
use super::failure::{Exit, Failure};
use super::out::say;
use super::show::print_json;
use crate::config::Config;
use crate::fault::chain;
use crate::migration::env::EnvFile;
use crate::migration::plan::{Became, Plan, Said};

/// A file that is to be written.
struct Output {
    path: PathBuf,
    text: String,
    secret: bool,
    /// Whether it is fine to leave one that is there as it is.
    optional: bool,
}

/// Converts `file` into a configuration at `config` and beside it.
pub(super) fn convert(file: &Path, config: &Path, arguments: &SetupArgs) -> Result<(), Failure> {
    let beside = config.parent().unwrap_or(Path::new("")).to_owned();
    let token_file = beside.join("secrets").join("api-token");
    let plan = plan(file, arguments, &token_file)?;
    let outputs = outputs(&plan, config, &beside, &token_file);
    check(&outputs)?;
    let kept: Vec<&Output> = outputs.iter().filter(|output| output.path.exists()).collect();
    let in_the_way: Vec<String> = kept
        .iter()
        .filter(|output| !output.optional)
        .map(|output| output.path.display().to_string())
        .collect();
    if !arguments.dry_run {
        if !in_the_way.is_empty() && !arguments.force {
            return Err(Failure::new(
                Exit::Refused,
                "nothing was written",
                format!("there is already {}", in_the_way.join(" and ")),
                "give --force to keep each as FILE.old and write anew, or name another place with --config",
            ));
        }
        for output in outputs.iter().filter(|output| !(output.optional && output.path.exists())) {
            write(output).map_err(|error| failed(&output.path, &error))?;
        }
    }
    if arguments.json {
        print_json(&plan.report);
    } else {
        tell(&plan, &outputs, arguments.dry_run);
    }
    Ok(())
}

fn plan(file: &Path, arguments: &SetupArgs, token_file: &Path) -> Result<Plan, Failure> {
    let text = fs::read_to_string(file).map_err(|error| {
        let what = format!("{} cannot be read", file.display());
        Failure::new(Exit::Missing, what, error, "name the .env file of the system that you move from")
    })?;
    let unfit = |error: &dyn std::error::Error| {
        let todo = "correct the line, or say whose file it is with --system kiosk, manager or portal";
        Failure::new(Exit::Refused, format!("{} cannot be converted", file.display()), chain(error), todo)
    };
    let read = EnvFile::read(&text).map_err(|error| unfit(&error))?;
    let system = match arguments.system {
        Some(system) => system.into(),
        None => read.system().map_err(|error| unfit(&error))?,
    };
    Ok(Plan::of(&read, system, &token_file.display().to_string()))
}

fn outputs(plan: &Plan, config: &Path, beside: &Path, token_file: &Path) -> Vec<Output> {
    let main = Output { path: config.to_owned(), text: plan.main.clone(), secret: false, optional: false };
    let templates = plan.templates.iter().map(|file| Output {
        path: beside.join("templates.d").join(file.name),
        text: file.text.clone(),
        secret: false,
        optional: !file.own,
    });
    let token = plan.token.as_ref().map(|token| Output {
        path: token_file.to_owned(),
        text: format!("{}\n", token.expose()),
        secret: true,
        optional: false,
    });
    [main].into_iter().chain(templates).chain(token).collect()
}

/// Reads what is about to be written as the gateway will, so that nothing is written that would
/// not start.
fn check(outputs: &[Output]) -> Result<(), Failure> {
    let unfit = |why: String| {
        let todo = "correct the variable that the line comes from, or leave it out";
        Failure::new(Exit::Config, "the variables make no configuration together", why, todo)
    };
    let folder = scratch().map_err(|error| unfit(error.to_string()))?;
    let checked = (|| {
        fs::create_dir(folder.join("templates.d")).map_err(|error| unfit(error.to_string()))?;
        for output in outputs.iter().filter(|output| !output.secret) {
            let name = output.path.file_name().unwrap_or_default();
            let place = if output.path == outputs[0].path {
                folder.join("berth.toml")
            } else {
                folder.join("templates.d").join(name)
            };
            fs::write(place, &output.text).map_err(|error| unfit(error.to_string()))?;
        }
        let path = folder.join("berth.toml");
        Config::load(&path, std::iter::empty())
            .map(drop)
            .map_err(|errors| unfit(errors.to_string().replace(&format!("{}/", folder.display()), "")))
    })();
    let _ = fs::remove_dir_all(&folder);
    checked
}

/// A directory of this process alone.
fn scratch() -> io::Result<PathBuf> {
    let name = format!("berth-setup-{}", crate::secret::random_token().expose());
    let folder = std::env::temp_dir().join(name);
    fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

/// Writes a file whole or not at all; what was there is kept beside it.
fn write(output: &Output) -> io::Result<()> {
    let path = &output.path;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        let mode = if output.secret { 0o700 } else { 0o755 };
        fs::DirBuilder::new().recursive(true).mode(mode).create(parent)?;
    }
    let mode = if output.secret { 0o600 } else { 0o644 };
    let fresh = beside(path, ".new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&fresh)?;
    file.write_all(output.text.as_bytes())?;
    file.sync_all()?;
    if path.exists() {
        fs::rename(path, beside(path, ".old"))?;
    }
    fs::rename(&fresh, path)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    let todo = "check the directory's permissions and the space on its disk, then run it again with --force";
    Failure::new(Exit::Failed, format!("{} cannot be written", path.display()), error, todo)
}

fn tell(plan: &Plan, outputs: &[Output], dry_run: bool) {
    say!("This is the .env file of {}.\n", plan.system.title());
    for Said { name, became } in &plan.report {
        match became {
            Became::Key { key, value, note } => say!("  {name:<28} {key} = {value}  ({note})"),
            Became::Named { instead: "nothing", note } => say!("  {name:<28} not needed: {note}"),
            Became::Named { instead, note } => say!("  {name:<28} in its place {instead}: {note}"),
            Became::Own => say!("  {name:<28} is Berth's own; leave it in the environment"),
            Became::Said { key } => say!("  {name:<28} says {key} once more; the first one counts"),
            Became::Unknown => say!("  {name:<28} NOT KNOWN: nothing was made of it"),
            Became::Unusable { key, why } => say!("  {name:<28} NOT TAKEN for {key}: {why}"),
        }
    }
    say!("");
    for output in outputs {
        let word = match (output.optional && output.path.exists(), dry_run) {
            (true, _) => "is there already",
            (false, true) => "would be written",
            (false, false) => "written",
        };
        say!("  {} {word}", output.path.display());
    }
    if !dry_run {
        say!("\nNext: `berth check-config`, then `berth setup` for the certificate and the first users.");
    }
}
