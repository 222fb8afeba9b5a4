//! Templates and their images: through the running gateway, or on the engine when none runs.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;

use super::args::{OutputArgs, TemplateCommand};
use super::desk::Desk;
use super::failure::{Exit, Failure};
use super::here::ask_gateway;
use super::out::{put, tell};
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
        // An image is no session: what is fetched is nobody's yet.
        let broker = Some(offline.onlooker(config).await?);
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
    tell!("{failure}\n");
    let row = |template| TemplateRow::of(template, &config.limits.reap, &Installed::Unknown, None);
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
        if let (Some(false), Some(command)) = (row.installed, &row.command) {
            put(format_args!("               install it with: {command}"));
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
    let (cpus, memory, away) = (row.cpus, row.memory_mib, row.away_s);
    format!("CPUs {cpus}, memory {memory} MiB, {network}, {home}, frozen after {away} s away")
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

/// How the pull of one template's image ended.
#[derive(Serialize)]
struct Pulled {
    name: String,
    image: Option<String>,
    /// What is on the machine now.
    id: Option<String>,
    /// Why it did not come, in the words of whoever refused it or failed.
    error: Option<String>,
}

async fn pull(
    puller: &Puller<'_>,
    mut names: Vec<String>,
    all: bool,
    output: OutputArgs,
) -> Result<(), Failure> {
    if all {
        let rows = puller.templates(Request::TemplateProgress).await?;
        let fetched =
            |row: &TemplateRow| row.command.as_ref().is_none_or(|command| command.starts_with("berth "));
        names = rows.into_iter().filter(fetched).map(|row| row.name).collect();
        if names.is_empty() && !output.json {
            put("nothing to fetch: every template's image is built on this machine (images/build)");
        }
    }
    let (mut begun, mut ended) = (Vec::new(), Vec::new());
    for name in names {
        match puller.ask(Request::TemplatePull { name: name.clone() }).await? {
            Reply::Refused { code, text } => {
                let error = Some(format!("{text} ({code})"));
                ended.push(Pulled { name, image: None, id: None, error });
            }
            _ => begun.push(name),
        }
    }
    let watched = watch(puller, &begun, &mut ended).await;
    if output.json {
        print_json(&ended);
    } else {
        ended.iter().for_each(told);
    }
    watched?;
    match ended.iter().filter(|pulled| pulled.error.is_some()).count() {
        0 => Ok(()),
        failed => Err(Failure::new(
            if begun.is_empty() { Exit::Refused } else { Exit::Failed },
            format!("{failed} of {} images could not be fetched", ended.len()),
            "see above, each with its own reason",
            "`berth template list` says how each image gets here; check the image's name in the template, the \
             registry, and this machine's way to it; then repeat",
        )),
    }
}

/// Shows how the pulls go until all have ended.
async fn watch(puller: &Puller<'_>, names: &[String], ended: &mut Vec<Pulled>) -> Result<(), Failure> {
    let bars = MultiProgress::new();
    let mut running: BTreeMap<&str, ProgressBar> =
        names.iter().map(|name| (name.as_str(), bars.add(bar(name)))).collect();
    while !running.is_empty() {
        let rows = puller.templates(Request::TemplateProgress).await?;
        running.retain(|name, bar| {
            let over = outcome(name, rows.iter().find(|row| row.name == *name), bar);
            let goes_on = over.is_none();
            ended.extend(over);
            goes_on
        });
        if !running.is_empty() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    Ok(())
}

/// How a pull ended, if it has; else its bar moves on.
fn outcome(name: &str, row: Option<&TemplateRow>, bar: &ProgressBar) -> Option<Pulled> {
    let image = row.map(|row| row.image.clone());
    let ended = |id, error| Some(Pulled { name: name.to_owned(), image, id, error });
    let Some((row, pull)) = row.and_then(|row| Some((row, row.pull.as_ref()?))) else {
        bar.finish_and_clear();
        // It was begun: a gateway that was restarted since knows nothing of it.
        return ended(None, Some("the gateway has forgotten it, as after a restart".to_owned()));
    };
    match pull.state.as_str() {
        "done" => {
            bar.finish_and_clear();
            ended(row.found.as_ref().map(|found| short_id(found).to_owned()), None)
        }
        "failed" => {
            bar.finish_and_clear();
            ended(None, Some(pull.detail.clone().unwrap_or_default()))
        }
        _ => {
            advance(bar, pull);
            None
        }
    }
}

/// Says how a pull ended.
fn told(pulled: &Pulled) {
    let Pulled { name, image, id, error } = pulled;
    let image = image.as_deref().unwrap_or("its image");
    match error {
        Some(error) => tell!("{name}: {image}: {error}"),
        None => put(format_args!("{name}: {image} is there ({})", id.as_deref().unwrap_or("-"))),
    }
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

    #[test]
    fn a_pull_that_nobody_knows_any_more_has_ended() {
        let bar = ProgressBar::hidden();
        let forgotten = outcome("lab", None, &bar).unwrap();
        assert!(forgotten.error.is_some_and(|error| error.contains("forgotten")));
        let pull = |state: &str| {
            let pull = serde_json::json!({
                "state": state, "layers_done": 0, "layers": 0, "bytes": 0, "total_bytes": 0, "detail": "no such tag",
            });
            let row = serde_json::json!({
                "name": "lab", "title": "", "description": "", "icon": "", "cpus": 1.0, "memory_mib": 1, "away_s": 1,
                "total_s": null, "network": "internal", "home": "ephemeral", "image": "r/lab", "pull_policy": "",
                "installed": true, "found": null, "command": null, "pull": pull,
            });
            let row: TemplateRow = serde_json::from_value(row).unwrap();
            outcome("lab", Some(&row), &bar).map(|pulled| pulled.error)
        };
        assert_eq!(pull("running"), None);
        assert_eq!(pull("waiting"), None);
        assert_eq!(pull("done"), Some(None));
        assert_eq!(pull("failed"), Some(Some("no such tag".to_owned())));
    }
}
