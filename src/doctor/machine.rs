//! The clock, the disks, and the viewer's library.

use std::fmt;
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
    let newest = [app::store_path(config).ok(), Some(config.tls.certificate.clone())]
        .into_iter()
        .flatten()
        .filter_map(|path| written_at(&path).map(|at| (at, path)))
        .max_by_key(|(at, _)| *at);
    judge_clock(clock::now(), newest)
}

fn judge_clock(now: Timestamp, newest: Option<(Timestamp, PathBuf)>) -> Finding {
    match newest {
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
        Some(Room { what, path, free: space.available_bytes })
    });
    judge_disks(&seen.collect::<Vec<_>>())
}

/// What is left of a disk, in bytes.
struct Room {
    what: &'static str,
    path: PathBuf,
    free: u64,
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MiB are free for {} ({})", self.free / MIB, self.what, self.path.display())
    }
}

fn judge_disks(seen: &[Room]) -> Finding {
    let todo = "remove what is not needed: old images (`docker image prune`), copies of homes, logs";
    match seen.iter().min_by_key(|room| room.free) {
        Some(scarcest) if scarcest.free < OUT => Finding::broken(Hop::Disk, scarcest.to_string(), todo),
        Some(scarcest) if scarcest.free < SCARCE => Finding::warning(Hop::Disk, scarcest.to_string(), todo),
        Some(_) => Finding::ok(Hop::Disk, seen.iter().map(Room::to_string).collect::<Vec<_>>().join("; ")),
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

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_clock_behind_what_was_written_by_it_is_broken() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let written = |at: &str| Some((at.parse().unwrap(), PathBuf::from("var/berth.db")));
        for plausible in [None, written("2026-03-01T11:00:00Z"), written("2026-03-01T12:05:00Z")] {
            let found = judge_clock(now, plausible);
            assert_eq!((found.hop, found.verdict), (Hop::Clock, Verdict::Ok), "{found}");
        }
        let behind = judge_clock(now, written("2026-03-01T12:05:01Z"));
        assert_eq!((behind.hop, behind.verdict), (Hop::Clock, Verdict::Broken));
        for part in ["2026-03-01T12:00:00Z", "var/berth.db", "2026-03-01T12:05:01Z"] {
            assert!(behind.why.contains(part), "{part}: {behind}");
        }
        assert!(behind.todo.is_some_and(|todo| todo.contains("set the clock")));
    }

    #[test]
    fn the_scarcest_disk_is_named() {
        let room = |what, path: &str, mib: u64| Room { what, path: PathBuf::from(path), free: mib * MIB };
        for (store, containers, verdict) in [
            (1024, 1024, Verdict::Ok),
            (1023, 4096, Verdict::Warning),
            (4096, 100, Verdict::Warning),
            (4096, 99, Verdict::Broken),
            (0, 1023, Verdict::Broken),
        ] {
            let seen = [room("the store", "var", store), room("containers", "/var/lib/docker", containers)];
            let found = judge_disks(&seen);
            assert_eq!((found.hop, found.verdict), (Hop::Disk, verdict), "{found}");
            let scarcest = if store < containers { store } else { containers };
            assert!(found.why.contains(&format!("{scarcest} MiB are free for")), "{found}");
            let blamed = if store < containers { "(var)" } else { "(/var/lib/docker)" };
            assert!(found.why.contains(blamed), "{found}");
            let todo = found.todo.as_deref().is_some_and(|todo| todo.contains("remove what is not needed"));
            assert_eq!(todo, verdict != Verdict::Ok, "{found}");
        }
        assert_eq!(judge_disks(&[]).verdict, Verdict::Skipped);
    }
}
