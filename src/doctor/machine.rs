//! The clock, the disks, and the viewer's library.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::{Finding, Hop};
use crate::app;
use crate::clock;
use crate::config::Config;
use crate::engine::Space;
use crate::fault::chain;
use crate::web::novnc;

const MIB: u64 = 1024 * 1024;
/// Less than this, and soon nothing can be written.
const SCARCE: u64 = 1024 * MIB;
/// Less than this, and nothing works.
const OUT: u64 = 100 * MIB;
/// A clock behind the configuration's own file by more than this is wrong.
const SLACK: Duration = Duration::from_mins(5);

/// The wall clock against what was written by it: certificates and logins live by it.
pub(super) fn clock(config: &Config) -> Finding {
    let now = clock::now();
    let written = [app::store_path(config).ok(), Some(config.tls.certificate.clone())]
        .into_iter()
        .flatten()
        .filter_map(|path| written_at(&path).map(|at| (at, path)))
        .max_by_key(|(at, _)| *at);
    match written {
        Some((at, path)) if at > clock::later(now, SLACK) => Finding::broken(
            Hop::Clock,
            format!("it says {now}, but {} was written at {at}", path.display()),
            "set the clock; let the machine keep it (systemd-timesyncd or chrony)",
        ),
        Some(_) | None => Finding::ok(Hop::Clock, format!("it says {now:.0}")),
    }
}

fn written_at(path: &Path) -> Option<Timestamp> {
    Timestamp::try_from(std::fs::metadata(path).ok()?.modified().ok()?).ok()
}

/// Room on the disk of the store and, where it is seen from here, of the engine's storage.
pub(super) fn disks(config: &Config) -> Finding {
    let store = app::store_path(config).ok().map(|path| existing(&path));
    let places = [("the store", store), ("containers", Some(PathBuf::from("/var/lib/docker")))];
    let seen = places.into_iter().filter_map(|(what, path)| {
        let path = path.filter(|path| path.exists())?;
        // A file system of the kernel's own has no room at all.
        let space = Space::of(&path).filter(|space| space.total_bytes > 0)?;
        Some((what, path, space))
    });
    let seen: Vec<_> = seen.collect();
    let said = |(what, path, space): &(&str, PathBuf, Space)| {
        let free = space.available_bytes / MIB;
        format!("{free} MiB are free for {what} ({})", path.display())
    };
    let scarcest = seen.iter().min_by_key(|(_, _, space)| space.available_bytes);
    let todo = "remove what is not needed: old images (`docker image prune`), copies of homes, logs";
    match scarcest {
        Some(scarcest) if scarcest.2.available_bytes < OUT => {
            Finding::broken(Hop::Disk, said(scarcest), todo)
        }
        Some(scarcest) if scarcest.2.available_bytes < SCARCE => {
            Finding::warning(Hop::Disk, said(scarcest), todo)
        }
        Some(_) => Finding::ok(Hop::Disk, seen.iter().map(said).collect::<Vec<_>>().join("; ")),
        None => Finding::skipped(Hop::Disk, "no disk is seen from here"),
    }
}

/// The nearest part of a path that is there.
fn existing(path: &Path) -> PathBuf {
    let found = path.ancestors().find(|part| part.exists() && !part.as_os_str().is_empty());
    found.unwrap_or(Path::new(".")).to_owned()
}

/// noVNC, without which no desktop is shown.
pub(super) fn viewer(config: &Config) -> Finding {
    let folder = app::novnc(config);
    match novnc::check(&folder) {
        Ok(()) => Finding::ok(Hop::Viewer, format!("noVNC is in {}", folder.display())),
        Err(error) => Finding::broken(
            Hop::Viewer,
            chain(&error),
            "run `images/build novnc` or install the package novnc, or name its directory in viewer.novnc",
        ),
    }
}
