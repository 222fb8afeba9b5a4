//! Templates and their images: through the running gateway, or on the engine when none runs.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::args::{OutputArgs, TemplateCommand};
use super::data::{ask_gateway, print_json};
use super::desk::{done, refusal};
use super::failure::{Exit, Failure};
use super::remote::Remote;
use super::table::Table;
use crate::app::Offline;
use crate::broker::Installed;
use crate::config::Config;
use crate::control::{self, ImageRow, Performer, PullRow, Reply, Request, TemplateRow};

/// Time between two looks at how far a pull is.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) async fn template(config: &Config, command: TemplateCommand) -> Result<(), Failure> {
    match command {
        TemplateCommand::List(output) => list(config, output).await,
        TemplateCommand::Pull { names, all } => pull(config, names, all).await,
    }
}

/// Templates of a gateway elsewhere, through its API.
pub(super) async fn elsewhere(remote: &Remote, command: TemplateCommand) -> Result<(), Failure> {
    let templates = match remote.items("/api/v1/templates").await? {
        Ok(templates) => templates,
        Err(refused) => return Err(refusal(refused)),
    };
    let output = match command {
        TemplateCommand::List(output) => output,
        TemplateCommand::Pull { names, all } => {
            let every = templates.iter().filter_map(|template| template["name"].as_str());
            let names = if all { every.map(str::to_owned).collect() } else { names };
            return pull_elsewhere(remote, &names, all).await;
        }
    };
    if output.json {
        print_json(&templates);
        return Ok(());
    }
    let mut table = Table::new(&["NAME", "TITLE", "INSTALLED", "IMAGE"]);
    for template in &templates {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
        let installed = match template["installed"].as_bool() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        let image = &template["image"];
        let image = if image.is_object() { &image["name"] } else { image };
        table.row([text(&template["name"]), text(&template["title"]), installed.to_owned(), text(image)]);
    }
    table.print("no templates");
    Ok(())
}

/// Begins what is asked for; of every template, those that are built on the machine are left out.
async fn pull_elsewhere(remote: &Remote, names: &[String], all: bool) -> Result<(), Failure> {
    for name in names {
        match remote.pull(name).await? {
            Reply::Refused { code, .. } if all && code == "image_built_here" => {}
            reply => done(reply)?,
        }
    }
    Ok(())
}

/// Whoever answers: the running gateway, or this process on the engine itself.
enum Desk<'a> {
    Gateway(&'a Config),
    Here { performer: Performer, offline: Offline },
}

impl<'a> Desk<'a> {
    async fn open(config: &'a Config) -> Result<Self, Failure> {
        if ask_gateway(config, &Request::TemplateProgress).await?.is_some() {
            return Ok(Self::Gateway(config));
        }
        let offline = Offline::open(config)?;
        let broker = Some(offline.broker(config).await?);
        let performer =
            Performer { auth: offline.auth.clone(), broker, store: offline.store.clone(), stats: None };
        Ok(Self::Here { performer, offline })
    }

    async fn ask(&self, request: Request) -> Result<Reply, Failure> {
        match self {
            Self::Here { performer, .. } => Ok(control::perform(performer, request).await),
            Self::Gateway(config) => ask_gateway(config, &request).await?.ok_or_else(|| {
                let todo = "look with `berth template list` whether it is done, and repeat what is not";
                Failure::new(Exit::Failed, "the gateway ended meanwhile", "its control socket is gone", todo)
            }),
        }
    }

    async fn templates(&self, request: Request) -> Result<Vec<TemplateRow>, Failure> {
        match self.ask(request).await? {
            Reply::Templates { templates } => Ok(templates),
            _ => {
                let todo = "use the binary that runs, or restart the gateway";
                let why = "it gave another answer than was asked for";
                Err(Failure::new(Exit::Failed, "the gateway is of another version", why, todo))
            }
        }
    }

    async fn close(self) {
        if let Self::Here { offline, .. } = self {
            offline.tasks.drain().await;
        }
    }
}

async fn list(config: &Config, output: OutputArgs) -> Result<(), Failure> {
    let rows = match Desk::open(config).await {
        Ok(desk) => {
            let rows = desk.templates(Request::TemplateList).await;
            desk.close().await;
            rows?
        }
        // What is configured is known without an engine.
        Err(failure) => {
            eprintln!("{failure}\n");
            config
                .templates
                .iter()
                .map(|template| TemplateRow::of(template, &Installed::Unknown, None))
                .collect()
        }
    };
    if output.json {
        print_json(&rows);
        return Ok(());
    }
    println!("{:<14} {:<9} {:<13} {:>9} {:<12} IMAGE", "NAME", "INSTALLED", "ID", "SIZE", "VERSION");
    for row in &rows {
        println!("{}", line(row));
        println!("               {}: {}", row.title, limits(row));
        if !row.description.is_empty() {
            println!("               {}", row.description);
        }
        if row.installed == Some(false) {
            println!("               install it with: {}", row.command);
        }
    }
    Ok(())
}

fn line(row: &TemplateRow) -> String {
    let installed = match row.installed {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    let found = row.found.as_ref();
    let id = found.map_or("-", short_id);
    let size = found.map_or_else(|| "-".to_owned(), |found| size(found.size_bytes));
    let version = found.and_then(|found| found.version.as_deref()).unwrap_or("-");
    format!("{:<14} {installed:<9} {id:<13} {size:>9} {version:<12} {}", row.name, row.image)
}

fn limits(row: &TemplateRow) -> String {
    use crate::session::{Home, NetworkPolicy};
    let network = match row.network {
        NetworkPolicy::Internal => "no internet",
        NetworkPolicy::Egress => "internet",
    };
    let home = match row.home {
        Home::Persistent => "home kept",
        Home::Session => "home kept with the machine",
        Home::Ephemeral => "nothing kept",
    };
    let away = row.away_s.map(|away| format!(", frozen after {away} s away")).unwrap_or_default();
    format!("CPUs {}, memory {} MiB, {network}, {home}{away}", row.cpus, row.memory_mib)
}

fn short_id(image: &ImageRow) -> &str {
    let hash = image.id.strip_prefix("sha256:").unwrap_or(&image.id);
    hash.get(..12).unwrap_or(hash)
}

/// Bytes the way the engine's own command shows them.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes / 1000),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10),
    }
}

async fn pull(config: &Config, names: Vec<String>, all: bool) -> Result<(), Failure> {
    let desk = Desk::open(config).await?;
    let outcome = pull_with(&desk, names, all).await;
    desk.close().await;
    outcome
}

async fn pull_with(desk: &Desk<'_>, mut names: Vec<String>, all: bool) -> Result<(), Failure> {
    if all {
        let rows = desk.templates(Request::TemplateProgress).await?;
        let fetched = |row: &TemplateRow| row.command.starts_with("berth ");
        names = rows.into_iter().filter(fetched).map(|row| row.name).collect();
        if names.is_empty() {
            println!("nothing to fetch: every template's image is built on this machine (images/build)");
            return Ok(());
        }
    }
    for name in &names {
        if let Reply::Refused { code, text } = desk.ask(Request::TemplatePull { name: name.clone() }).await? {
            let todo = "`berth template list` names the templates and how each image gets here";
            return Err(Failure::new(Exit::Refused, text, code, todo));
        }
    }
    let failed = watch(desk, &names).await?;
    if failed == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Failed,
        format!("{failed} of {} images could not be fetched", names.len()),
        "see above, in the engine's own words",
        "check the image's name in the template, the registry, and this machine's way to it; then repeat",
    ))
}

/// Shows how the pulls go until all have ended; how many failed.
async fn watch(desk: &Desk<'_>, names: &[String]) -> Result<usize, Failure> {
    let bars = MultiProgress::new();
    let mut running: BTreeMap<&str, ProgressBar> =
        names.iter().map(|name| (name.as_str(), bars.add(bar(name)))).collect();
    let mut failed = 0;
    while !running.is_empty() {
        let rows = desk.templates(Request::TemplateProgress).await?;
        let mut ended = Vec::new();
        for (name, bar) in &running {
            let row = rows.iter().find(|row| row.name == *name);
            match row.and_then(|row| Some((row, row.pull.as_ref()?))) {
                Some((row, pull)) if pull.state == "done" => {
                    bar.finish_and_clear();
                    let id = row.found.as_ref().map_or("-", short_id);
                    println!("{name}: {} is there ({id})", row.image);
                    ended.push(*name);
                }
                Some((row, pull)) if pull.state == "failed" => {
                    bar.finish_and_clear();
                    eprintln!("{name}: {}: {}", row.image, pull.detail.as_deref().unwrap_or_default());
                    failed += 1;
                    ended.push(*name);
                }
                Some((_, pull)) => advance(bar, pull),
                None => bar.tick(),
            }
        }
        running.retain(|name, _| !ended.contains(name));
        if !running.is_empty() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    Ok(failed)
}

fn bar(name: &str) -> ProgressBar {
    let style = "{prefix:<14} {wide_bar} {bytes:>10}/{total_bytes:<10} {msg}";
    let style = ProgressStyle::with_template(style).expect("a template of ours");
    ProgressBar::new(0).with_style(style).with_prefix(name.to_owned())
}

fn advance(bar: &ProgressBar, pull: &PullRow) {
    bar.set_length(pull.total_bytes);
    bar.set_position(pull.bytes);
    bar.set_message(match pull.state.as_str() {
        "waiting" => "waits for others".to_owned(),
        _ => format!("{} of {} layers", pull.layers_done, pull.layers),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_the_engines_command_shows_them() {
        for (bytes, said) in [(900, "0 kB"), (77_100_000, "77 MB"), (1_250_000_000, "1.2 GB")] {
            assert_eq!(size(bytes), said);
        }
    }
}
