//! Backups and restorations, with a bar while they go.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::ctrl_c;

use super::args::{BackupArgs, RestoreArgs};
use super::failure::{Exit, Failure};
use super::out::{put, say, tell};
use super::show::print_json;
use super::templates::size;
use crate::app::{self, Extent, Restoration, Told};
use crate::backup::{Kind, Manifest};
use crate::config::Config;

pub(super) async fn backup(config: &Config, path: &Path, arguments: BackupArgs) -> Result<(), Failure> {
    let BackupArgs { file, list, check, homes, images, force, output } = arguments;
    let mut bar = Bar::default();
    let manifest = if list {
        app::look(&file)
    } else if check {
        app::check(&file, &mut |told| bar.hear(told))
    } else {
        let extent = Extent { homes, images, force };
        let mut tell = |told| bar.hear(told);
        // Dropped where it is: what was written so far goes with it.
        tokio::select! {
            made = app::backup(config, path, &file, extent, &mut tell) => made,
            Ok(()) = ctrl_c() => Err(given_up("the backup was not made")),
        }
    };
    bar.clear();
    let manifest = manifest?;
    if output.json {
        print_json(&manifest);
    } else if list {
        print_list(&manifest);
    } else {
        let whole = if check { " is whole" } else { "" };
        say!("{}{whole}: {}", file.display(), contents(&manifest));
    }
    Ok(())
}

pub(super) async fn restore(config: &Config, path: &Path, arguments: RestoreArgs) -> Result<(), Failure> {
    let wanted = Restoration {
        only: arguments.only.iter().copied().map(Into::into).collect(),
        replace: arguments.replace,
        existing: arguments.existing_homes.into(),
    };
    let mut bar = Bar::default();
    let restored = app::restore((config, path), &arguments.file, &wanted, &mut |told| bar.hear(told)).await;
    bar.clear();
    let restored = restored?;
    if arguments.output.json {
        print_json(&serde_json::json!({ "restored": restored.parts, "manifest": restored.manifest }));
        return Ok(());
    }
    let made_at = restored.manifest.created_at;
    say!("restored from the backup of {made_at}: {}", restored.parts.join(", "));
    if restored.parts.contains(&Kind::Store.name()) {
        say!("everybody logs in again; passwords, roles, grants and tokens are as they were then");
    }
    Ok(())
}

fn given_up(what: &str) -> Failure {
    Failure::new(Exit::Failed, what, "it was interrupted", "repeat it; nothing of it is left")
}

fn contents(manifest: &Manifest) -> String {
    let homes: Vec<_> = manifest.members.iter().filter(|member| member.kind == Kind::Home).collect();
    let members = manifest.members.iter().filter(|member| member.kind != Kind::Home);
    let mut said: Vec<_> = members.map(|member| format!("{} {}", member.name, size(member.bytes))).collect();
    if !homes.is_empty() {
        let bytes = homes.iter().map(|member| member.bytes).sum();
        said.push(format!("{} homes and copies {}", homes.len(), size(bytes)));
    }
    said.extend(manifest.images.iter().map(|image| image.name.clone()));
    said.join(", ")
}

fn print_list(manifest: &Manifest) {
    let schema = manifest.schema.map(|schema| format!(", store schema {schema}")).unwrap_or_default();
    put(format_args!(
        "made {} by Berth {}, format {}{schema}",
        manifest.created_at, manifest.berth, manifest.format
    ));
    for member in &manifest.members {
        let what = match member.kind {
            Kind::Store => "users, logins, tokens, sessions, grants, audit".to_owned(),
            Kind::Config => "the configuration's files".to_owned(),
            Kind::Images => {
                manifest.images.iter().map(|image| image.name.as_str()).collect::<Vec<_>>().join(", ")
            }
            Kind::Home => {
                let home = manifest.homes.iter().find(|home| home.member == member.name);
                home.map_or_else(String::new, |home| {
                    format!("{}{}", home.title(), if home.in_use { " (in use)" } else { "" })
                })
            }
        };
        put(format_args!("{:<22} {:>9}  {what}", member.name, size(member.bytes)));
    }
}

/// The bar of whatever goes on; where nobody watches, a line for whatever begins.
#[derive(Default)]
struct Bar(Option<ProgressBar>);

impl Bar {
    fn hear(&mut self, told: Told) {
        match told {
            Told::Begins(what, _) if !std::io::stderr().is_terminal() => tell!("{what}"),
            Told::Begins(what, bytes) => {
                self.clear();
                let (bar, style) = match bytes {
                    0 => (ProgressBar::new_spinner(), "{spinner} {msg}  {bytes}"),
                    _ => (ProgressBar::new(bytes), "{msg}  {wide_bar} {bytes:>10}/{total_bytes:<10} {eta}"),
                };
                let bar = bar.with_style(ProgressStyle::with_template(style).expect("a template of ours"));
                bar.set_message(what);
                bar.enable_steady_tick(Duration::from_millis(120));
                self.0 = Some(bar);
            }
            Told::Bytes(bytes) => {
                if let Some(bar) = &self.0 {
                    bar.inc(bytes);
                }
            }
            Told::Note(text) => match &self.0 {
                Some(bar) => bar.suspend(|| tell!("{text}")),
                None => tell!("{text}"),
            },
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}
