//! Backups and restorations, with a bar while they go.

use indicatif::{ProgressBar, ProgressStyle};

use super::args::{BackupArgs, RestoreArgs};
use super::failure::Failure;
use super::templates::size;
use crate::app::{self, Extent, Restoration, Told};
use crate::backup::Manifest;
use crate::config::Config;

pub(super) async fn backup(config: &Config, arguments: BackupArgs) -> Result<(), Failure> {
    let extent = Extent { images: arguments.images, force: arguments.force };
    let mut bar = Bar::default();
    let made = app::backup(config, &arguments.file, extent, &mut |told| bar.hear(told)).await;
    bar.clear();
    println!("{}: {}", arguments.file.display(), contents(&made?));
    Ok(())
}

pub(super) async fn restore(config: &Config, arguments: RestoreArgs) -> Result<(), Failure> {
    let wanted = Restoration { only: arguments.only.map(Into::into), replace: arguments.replace };
    let mut bar = Bar::default();
    let restored = app::restore(config, &arguments.file, wanted, &mut |told| bar.hear(told)).await;
    bar.clear();
    let manifest = restored?;
    let what = match arguments.only {
        Some(only) => format!("its {} alone", only.name()),
        None => contents(&manifest),
    };
    println!("restored from the backup of {}: {what}", manifest.created_at);
    Ok(())
}

fn contents(manifest: &Manifest) -> String {
    let members = manifest.members.iter().map(|member| format!("{} {}", member.name, size(member.bytes)));
    let images = manifest.images.iter().map(|image| image.name.clone());
    members.chain(images).collect::<Vec<_>>().join(", ")
}

/// The bar of whatever goes on; nothing is drawn where nobody watches.
#[derive(Default)]
struct Bar(Option<ProgressBar>);

impl Bar {
    fn hear(&mut self, told: Told) {
        match told {
            Told::Begins(what, bytes) => {
                self.clear();
                let style = ProgressStyle::with_template(
                    "{prefix:<9} {wide_bar} {bytes:>10}/{total_bytes:<10} {eta}",
                );
                let style = style.expect("a template of ours");
                self.0 = Some(ProgressBar::new(bytes).with_style(style).with_prefix(what));
            }
            Told::Bytes(bytes) => {
                if let Some(bar) = &self.0 {
                    bar.inc(bytes);
                }
            }
            Told::Note(text) => match &self.0 {
                Some(bar) => bar.suspend(|| eprintln!("{text}")),
                None => eprintln!("{text}"),
            },
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}
