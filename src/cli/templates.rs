//! Templates and their images: through the running gateway, or on the engine when none runs.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::args::{OutputArgs, TemplateCommand};
use super::desk::Desk;
use super::failure::{Exit, Failure};
use super::here::ask_gateway;
use super::out::put;
use super::remote::Remote;
use super::show::{print, print_json, refusal};
use crate::app::Offline;
use crate::broker::Installed;
use crate::config::Config;
use crate::control::{self, ImageRow, Performer, PullRow, Reply, Request, TemplateRow};

/// Time between two looks at how far a pull is.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) async fn template(
    desk: &Desk,
    command: TemplateCommand,
    output: OutputArgs,
) -> Result<(), Failure> {
    match command {
        TemplateCommand::List => {
            let rows = rows(desk).await?;
            print(output, &rows, || show(&rows));
            Ok(())
        }
        TemplateCommand::Pull { names, all } => {
            let puller = Puller::open(desk).await?;
            let pulled = pull(&puller, names, all, output).await;
            puller.close().await;
            pulled
        }
    }
}

/// Whoever fetches images and says how far they are: a gateway, or this process on the engine itself.
enum Puller<'a> {
    Elsewhere(&'a Remote),
    Gateway(&'a Config),
    Here { performer: Performer, offline: Offline },
}

impl<'a> Puller<'a> {
    async fn open(desk: &'a Desk) -> Result<Self, Failure> {
        let config = match desk {
            Desk::Here(config) => config,
            Desk::There(remote) => return Ok(Self::Elsewhere(remote)),
        };
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
            Self::Elsewhere(remote) => remote.ask(request).await,
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
            other => Err(refusal(other)),
        }
    }

    async fn close(self) {
        if let Self::Here { offline, .. } = self {
            offline.tasks.drain().await;
        }
    }
}

async fn rows(desk: &Desk) -> Result<Vec<TemplateRow>, Failure> {
    let failure = match Puller::open(desk).await {
        Ok(puller) => {
            let rows = puller.templates(Request::TemplateList).await;
            puller.close().await;
            return rows;
        }
        Err(failure) => failure,
    };
    let Desk::Here(config) = desk else { return Err(failure) };
    // What is configured is known without an engine.
    eprintln!("{failure}\n");
    let row = |template| TemplateRow::of(template, &Installed::Unknown, None);
    Ok(config.templates.iter().map(row).collect())
}

fn show(rows: &[TemplateRow]) {
    put(format_args!("{:<14} {:<9} {:<13} {:>9} {:<12} IMAGE", "NAME", "INSTALLED", "ID", "SIZE", "VERSION"));
    for row in rows {
        put(line(row));
        put(format_args!("               {}: {}", row.title, limits(row)));
        if !row.description.is_empty() {
            put(format_args!("               {}", row.description));
        }
        if row.installed == Some(false) {
            put(format_args!("               install it with: {}", row.command));
        }
    }
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

async fn pull(
    puller: &Puller<'_>,
    mut names: Vec<String>,
    all: bool,
    output: OutputArgs,
) -> Result<(), Failure> {
    if all {
        let rows = puller.templates(Request::TemplateProgress).await?;
        let fetched = |row: &TemplateRow| row.command.starts_with("berth ");
        names = rows.into_iter().filter(fetched).map(|row| row.name).collect();
        if names.is_empty() && !output.json {
            put("nothing to fetch: every template's image is built on this machine (images/build)");
        }
    }
    for name in &names {
        if let Reply::Refused { code, text } =
            puller.ask(Request::TemplatePull { name: name.clone() }).await?
        {
            let todo = "`berth template list` names the templates and how each image gets here";
            return Err(Failure::new(Exit::Refused, text, code, todo));
        }
    }
    let pulled = watch(puller, &names, output).await?;
    if output.json {
        print_json(&pulled);
    }
    match pulled.iter().filter(|row| state(row) == Some("failed")).count() {
        0 => Ok(()),
        failed => Err(Failure::new(
            Exit::Failed,
            format!("{failed} of {} images could not be fetched", names.len()),
            "see above, in the engine's own words",
            "check the image's name in the template, the registry, and this machine's way to it; then repeat",
        )),
    }
}

/// Shows how the pulls go until all have ended; how each one did.
async fn watch(
    puller: &Puller<'_>,
    names: &[String],
    output: OutputArgs,
) -> Result<Vec<TemplateRow>, Failure> {
    let bars = MultiProgress::new();
    let mut running: BTreeMap<&str, ProgressBar> =
        names.iter().map(|name| (name.as_str(), bars.add(bar(name)))).collect();
    let mut ended = Vec::new();
    while !running.is_empty() {
        for row in puller.templates(Request::TemplateProgress).await? {
            let Some(bar) = running.get(row.name.as_str()) else { continue };
            match &row.pull {
                Some(pull) if matches!(pull.state.as_str(), "done" | "failed") => {
                    bar.finish_and_clear();
                    running.remove(row.name.as_str());
                    if !output.json {
                        tell(&row, pull);
                    }
                    ended.push(row);
                }
                Some(pull) => advance(bar, pull),
                None => bar.tick(),
            }
        }
        if !running.is_empty() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    Ok(ended)
}

/// Says how a pull ended.
fn tell(row: &TemplateRow, pull: &PullRow) {
    if pull.state == "failed" {
        eprintln!("{}: {}: {}", row.name, row.image, pull.detail.as_deref().unwrap_or_default());
    } else {
        let id = row.found.as_ref().map_or("-", short_id);
        put(format_args!("{}: {} is there ({id})", row.name, row.image));
    }
}

fn state(row: &TemplateRow) -> Option<&str> {
    row.pull.as_ref().map(|pull| pull.state.as_str())
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
