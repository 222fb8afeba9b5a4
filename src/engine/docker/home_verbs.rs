//! What is done with homes: measured, set aside, restored, removed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bollard::models::{Mount, Volume, VolumeCreateRequest};
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;
use tracing::warn;

use super::errand::{self, Errand, mounted};
use super::homes::{self, COPY, COPY_OF, HOME, Place, below, copies_below, copy_volume_name, sessions_below};
use super::make::{INSTALLATION, NETWORK};
use super::{DockerEngine, Failure, ownership};
use crate::engine::{EngineError, HomeOrder, Homes};
use crate::session::{CopyName, HomeKey, HomeUse, SessionId};

/// The bound of a measurement of several homes.
const MEASURE: Duration = Duration::from_secs(300);
/// The bound of whatever copies or removes files.
const COPYING: Duration = Duration::from_secs(3600);
/// How long a start waits for another change of the same home: one that was given up is just
/// being undone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads everything, changes nothing.
pub(super) const READS: &[&str] = &["DAC_READ_SEARCH"];
/// Copies files with owners and modes.
pub(super) const WRITES: &[&str] = &["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"];

/// One line per home: bytes used, block size, blocks that are free.
const MEASURE_SCRIPT: &str = r#"
for home in "$@"; do
    if [ -d "$home" ]; then
        used=$(nice timeout 15 du -sx --block-size=1 -- "$home" 2>/dev/null | cut -f1)
        echo "${used:--} $(stat -f -c '%S %a' -- "$home")"
    else
        echo none
    fi
done
"#;

/// The order makes it safe to be cut off anywhere: nothing is taken away before the copy is whole
/// and on the disk. It ends with [`NOT_COPIED`] if the home is as it was.
const ASIDE_VOLUME: &str = r#"
set -eu
if [ -z "$(ls -A /home-now)" ]; then echo empty; exit 0; fi
cp -a /home-now/. /home-copy/ || exit 3
sync -f /home-copy || exit 3
find /home-now -mindepth 1 -delete
"#;

/// The exit code of [`ASIDE_VOLUME`] that says so.
const NOT_COPIED: i64 = 3;

/// home, folder of copies, copy, how many stay
const ASIDE_DIRECTORY: &str = r#"
set -eu
cd /homes
if [ ! -d "$1" ] || [ -z "$(ls -A -- "$1")" ]; then echo empty; exit 0; fi
mkdir -p -m 0755 -- "$2"
owner=$(stat -L -c %u:%g -- "$1") mode=$(stat -L -c %a -- "$1")
mv -T -- "$1" "$2/$3"
mkdir -m "$mode" -- "$1" || { mv -T -- "$2/$3" "$1"; exit 1; }
chown -- "$owner" "$1"
ls -1 -- "$2" | grep -xE '[0-9]{8}-[0-9]{6}' | sort | head -n "-$4" | while read -r old; do
    rm -rf -- "$2/$old" || true
done
"#;

const RESTORE_VOLUME: &str = r#"
set -eu
[ -z "$(ls -A /home-now)" ] || { echo "the home is not empty"; exit 1; }
cp -a /home-copy/. /home-now/
sync -f /home-now
"#;

/// home, copy
const RESTORE_DIRECTORY: &str = r#"
set -eu
cd /homes
[ -d "$2" ] || { echo "there is no such copy"; exit 1; }
[ ! -e "$1" ] || [ -z "$(ls -A -- "$1")" ] || { echo "the home is not empty"; exit 1; }
mkdir -p -m 0755 -- "$(dirname -- "$1")"
cp -aT -- "$2" "$1"
sync -f -- "$1"
"#;

/// home, owner
pub(super) const LAY_DIRECTORY: &str = r#"
set -eu
cd /homes
mkdir -p -m 0755 -- "$(dirname -- "$1")"
if [ ! -e "$1" ]; then
    mkdir -m 0700 -- "$1"
    chown -- "$2" "$1"
fi
"#;

const REMOVE_DIRECTORIES: &str = r#"
set -eu
cd /homes
rm -rf --one-file-system -- "$@"
"#;

const COPIES_DIRECTORY: &str = r#"
cd "/homes/$1" 2>/dev/null && ls -1 | grep -xE '[0-9]{8}-[0-9]{6}' | sort
exit 0
"#;

impl DockerEngine {
    /// The right to begin using or changing a home, held by one call at a time.
    pub(super) async fn home_turn(&self, key: HomeKey) -> Result<OwnedMutexGuard<()>, EngineError> {
        let lock = self.home_turns.entry(key).or_default().clone();
        timeout(PATIENCE, lock.lock_owned()).await.map_err(|_| EngineError::HomeInUse)
    }

    /// Makes an owner's or session's directory for whoever runs as `owner` (`uid:gid`), unless it
    /// is there.
    pub(super) async fn lay_home(&self, home: &HomeOrder, owner: &str) -> Result<(), EngineError> {
        let arguments = vec![below(home), owner.to_owned()];
        let about = format!("lay-{}", home.key);
        self.in_directory("lay", about, LAY_DIRECTORY, arguments).await?.check("a home cannot be made")?;
        Ok(())
    }

    /// Runs a script over the directory of all homes.
    pub(super) async fn in_directory(
        &self,
        kind: &'static str,
        about: String,
        script: &'static str,
        arguments: Vec<String>,
    ) -> Result<errand::Outcome, EngineError> {
        let errand = Errand {
            kind,
            about,
            script,
            arguments,
            mounts: vec![self.directory_mount(false)?],
            capabilities: WRITES,
            changes: None,
            bound: COPYING,
        };
        errand::run(self, errand).await
    }

    /// The directory of all homes as a mount.
    pub(super) fn directory_mount(&self, read_only: bool) -> Result<Mount, EngineError> {
        let base = self.settings.homes.directory.clone();
        let base =
            base.ok_or_else(|| EngineError::Refused { detail: "homes.directory is not set".to_owned() })?;
        Ok(mounted(&Place::Directory { base, below: String::new() }, "/homes", read_only))
    }

    /// The volumes of this installation's network with this label.
    async fn volumes(&self, label: String) -> Result<Vec<Volume>, EngineError> {
        Ok(self.api.volumes(vec![format!("{NETWORK}={}", self.settings.network), label]).await?)
    }

    async fn make_copy_volume(&self, home: &HomeOrder, copy: &CopyName) -> Result<String, EngineError> {
        let name = copy_volume_name(home.key, copy);
        let labels = HashMap::from([
            (COPY.to_owned(), copy.to_string()),
            (COPY_OF.to_owned(), home.key.to_string()),
            (INSTALLATION.to_owned(), home.installation.clone()),
            (NETWORK.to_owned(), self.settings.network.clone()),
        ]);
        let request =
            VolumeCreateRequest { name: Some(name.clone()), labels: Some(labels), ..Default::default() };
        self.api.create_volume(request).await?;
        Ok(name)
    }

    async fn volume_aside(&self, home: &HomeOrder, copy: &CopyName) -> Result<(), EngineError> {
        let now = homes::volume_name(home.key);
        if self.api.volume(&now).await?.is_none() {
            return Ok(());
        }
        let volume = self.make_copy_volume(home, copy).await?;
        let errand = Errand {
            kind: "set a home aside",
            about: home.key.to_string(),
            script: ASIDE_VOLUME,
            arguments: Vec::new(),
            mounts: vec![
                mounted(&Place::Volume(now), "/home-now", false),
                mounted(&Place::Volume(volume.clone()), "/home-copy", false),
            ],
            capabilities: WRITES,
            changes: Some((home.key, Some(copy.clone()))),
            bound: COPYING,
        };
        let outcome = match errand::run(self, errand).await {
            Ok(outcome) => outcome,
            // Not begun: an empty volume must not pass for a copy.
            Err(error) if !matches!(error, EngineError::Slow { .. } | EngineError::Down { .. }) => {
                if let Err(failure) = self.api.remove_volume(&volume).await {
                    let failure = EngineError::from(failure);
                    warn!(volume, error = %failure, "an empty copy of a home could not be removed");
                }
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let used = outcome.copy.clone().unwrap_or_else(|| copy.clone());
        if used != *copy {
            // An earlier errand was joined, so nothing is in the volume that was made for this one.
            self.api.remove_volume(&volume).await?;
        }
        // Only where it says so: of an errand that was cut off nobody knows how far it came.
        if outcome.said("empty") || outcome.code == NOT_COPIED {
            self.api.remove_volume(&copy_volume_name(home.key, &used)).await?;
        }
        outcome.check("a home cannot be set aside").map(drop)
    }

    async fn directory_aside(
        &self,
        home: &HomeOrder,
        copy: &CopyName,
        keep: usize,
    ) -> Result<(), EngineError> {
        let arguments = vec![below(home), copies_below(home), copy.to_string(), keep.max(1).to_string()];
        let errand = Errand {
            kind: "set a home aside",
            about: home.key.to_string(),
            script: ASIDE_DIRECTORY,
            arguments,
            mounts: vec![self.directory_mount(false)?],
            capabilities: WRITES,
            changes: Some((home.key, None)),
            bound: COPYING,
        };
        errand::run(self, errand).await?.check("a home cannot be set aside").map(drop)
    }

    async fn prune_copies(&self, home: &HomeOrder, keep: usize) -> Result<(), EngineError> {
        let copies = self.home_copies(home).await?;
        let surplus = copies.len().saturating_sub(keep.max(1));
        for old in &copies[..surplus] {
            self.api.remove_volume(&copy_volume_name(home.key, old)).await?;
        }
        Ok(())
    }

    async fn remove_own_home(&self, installation: &str, session: SessionId) -> Result<(), EngineError> {
        let key = HomeKey::Session(session);
        let home = HomeOrder { installation: installation.to_owned(), key, owner_name: String::new() };
        // What an interrupted start or reset left behind holds the home, too.
        self.api.remove(&ownership::carrier_name(session)).await?;
        if let Some(base) = &self.settings.homes.directory {
            let sessions = base.join(sessions_below(installation));
            if tokio::fs::read_dir(&sessions).await.is_ok()
                && !tokio::fs::try_exists(base.join(below(&home))).await.unwrap_or(true)
            {
                return errand::forget(self, key).await;
            }
        }
        self.remove_files(&home).await
    }

    /// Removes a home and its copies; absent is success. Call it with the home's turn held.
    async fn remove_files(&self, home: &HomeOrder) -> Result<(), EngineError> {
        let key = home.key;
        errand::forget(self, key).await?;
        if self.settings.homes.directory.is_none() {
            // A volume that is being measured is in use.
            let _no_reader = self.measuring.lock().await;
            for copy in self.home_copies(home).await? {
                self.api.remove_volume(&copy_volume_name(key, &copy)).await?;
            }
            return Ok(self.api.remove_volume(&homes::volume_name(key)).await?);
        }
        let arguments = vec![copies_below(home), below(home)];
        let about = format!("remove-{key}");
        let removed = self.in_directory("remove a home", about, REMOVE_DIRECTORIES, arguments).await?;
        removed.check("a home cannot be removed").map(drop)
    }

    /// What each home is called inside the measuring container, and what that container mounts. A
    /// volume that is not there is not mounted, because that would make it.
    async fn to_measure(&self, homes: &[HomeOrder]) -> Result<(Vec<String>, Vec<Mount>), EngineError> {
        if self.settings.homes.directory.is_some() {
            let paths = homes.iter().map(|home| format!("/homes/{}", below(home))).collect();
            return Ok((paths, vec![self.directory_mount(true)?]));
        }
        let (mut paths, mut mounts) = (Vec::new(), Vec::new());
        for (at, home) in homes.iter().enumerate() {
            let (path, volume) = (format!("/homes-{at}"), homes::volume_name(home.key));
            if self.api.volume(&volume).await?.is_some() {
                mounts.push(mounted(&Place::Volume(volume), &path, true));
            }
            paths.push(path);
        }
        Ok((paths, mounts))
    }
}

#[async_trait]
impl Homes for DockerEngine {
    async fn measure_homes(&self, homes: &[HomeOrder]) -> Result<Vec<Option<HomeUse>>, EngineError> {
        let _one_at_a_time = self.measuring.lock().await;
        let (arguments, mounts) = self.to_measure(homes).await?;
        if mounts.is_empty() {
            return Ok(vec![None; homes.len()]);
        }
        let errand = Errand {
            kind: "measure homes",
            about: "measure".to_owned(),
            script: MEASURE_SCRIPT,
            arguments,
            mounts,
            capabilities: READS,
            changes: None,
            bound: MEASURE,
        };
        let outcome = errand::run(self, errand).await?.check("homes cannot be measured")?;
        let limit = self.settings.homes.limit_bytes();
        let mut uses: Vec<_> = outcome.text.lines().map(|line| measured(line, limit)).collect();
        uses.resize(homes.len(), None);
        Ok(uses)
    }

    async fn set_home_aside(
        &self,
        home: &HomeOrder,
        copy: &CopyName,
        keep: usize,
    ) -> Result<(), EngineError> {
        let _turn = self.home_turn(home.key).await?;
        if homes::in_use_by_session(self, home.key).await? {
            return Err(EngineError::HomeInUse);
        }
        if self.settings.homes.directory.is_some() {
            return self.directory_aside(home, copy, keep).await;
        }
        self.volume_aside(home, copy).await?;
        if let Err(error) = self.prune_copies(home, keep).await {
            warn!(home = %home.key, %error, "copies of a home that are too many could not be removed");
        }
        Ok(())
    }

    async fn restore_home(&self, home: &HomeOrder, copy: &CopyName) -> Result<(), EngineError> {
        let _turn = self.home_turn(home.key).await?;
        if homes::in_use_by_session(self, home.key).await? {
            return Err(EngineError::HomeInUse);
        }
        let volume = copy_volume_name(home.key, copy);
        let directory = self.settings.homes.directory.is_some();
        if !directory && self.api.volume(&volume).await?.is_none() {
            return Err(EngineError::Refused { detail: "there is no such copy".to_owned() });
        }
        let (script, arguments, mounts) = if directory {
            let copy = format!("{}/{copy}", copies_below(home));
            (RESTORE_DIRECTORY, vec![below(home), copy], vec![self.directory_mount(false)?])
        } else {
            let now = Place::Volume(homes::volume_name(home.key));
            let mounts =
                vec![mounted(&now, "/home-now", false), mounted(&Place::Volume(volume), "/home-copy", true)];
            (RESTORE_VOLUME, Vec::new(), mounts)
        };
        let errand = Errand {
            kind: "restore a home",
            about: home.key.to_string(),
            script,
            arguments,
            mounts,
            capabilities: WRITES,
            changes: Some((home.key, Some(copy.clone()))),
            bound: COPYING,
        };
        errand::run(self, errand).await?.check("a copy cannot be restored").map(drop)
    }

    async fn home_copies(&self, home: &HomeOrder) -> Result<Vec<CopyName>, EngineError> {
        let mut copies: Vec<CopyName> = if self.settings.homes.directory.is_some() {
            let about = format!("copies-{}", home.key);
            let listed = self.in_directory("list copies", about, COPIES_DIRECTORY, vec![copies_below(home)]);
            listed.await?.text.lines().filter_map(|line| line.parse().ok()).collect()
        } else {
            let volumes = self.volumes(format!("{COPY_OF}={}", home.key)).await?;
            volumes.iter().filter_map(|volume| volume.labels.get(COPY)?.parse().ok()).collect()
        };
        copies.sort();
        Ok(copies)
    }

    async fn remove_session_home(&self, installation: &str, session: SessionId) -> Result<(), EngineError> {
        let key = HomeKey::Session(session);
        let turn = self.home_turn(key).await?;
        let removed = self.remove_own_home(installation, session).await;
        drop(turn);
        self.home_turns.remove_if(&key, |_, lock| Arc::strong_count(lock) == 1);
        removed
    }

    async fn home_place(&self, home: &HomeOrder) -> Result<Option<String>, EngineError> {
        let place = Place::of(&self.settings.homes, home);
        let there = match &place {
            Place::Volume(name) => self.api.volume(name).await?.is_some(),
            // Where the spawner does not see the directory, a home may well be in it.
            Place::Directory { base, below } => {
                tokio::fs::read_dir(base).await.is_err()
                    || tokio::fs::try_exists(base.join(below)).await.unwrap_or(true)
            }
        };
        Ok(there.then(|| place.source()))
    }

    async fn remove_home(&self, home: &HomeOrder) -> Result<(), EngineError> {
        let _turn = self.home_turn(home.key).await?;
        if homes::in_use_by_session(self, home.key).await? {
            return Err(EngineError::HomeInUse);
        }
        self.remove_files(home).await
    }

    async fn session_homes(&self, installation: &str) -> Result<Vec<SessionId>, EngineError> {
        if let Some(base) = &self.settings.homes.directory {
            let mut found = Vec::new();
            // Where the spawner does not see the directory, what is left there is not looked for.
            if let Ok(mut entries) = tokio::fs::read_dir(base.join(sessions_below(installation))).await {
                while let Ok(Some(entry)) = entries.next_entry().await {
                    found.extend(entry.file_name().to_str().and_then(|name| name.parse::<SessionId>().ok()));
                }
            }
            return Ok(found);
        }
        let volumes = self.volumes(HOME.to_owned()).await?;
        let own = |volume: &Volume| {
            let known = volume.labels.get(INSTALLATION).is_some_and(|label| label == installation);
            match volume.labels.get(HOME)?.parse() {
                Ok(HomeKey::Session(session)) if known => Some(session),
                Ok(HomeKey::Session(_) | HomeKey::Owner(_)) | Err(_) => None,
            }
        };
        Ok(volumes.iter().filter_map(own).collect())
    }
}

/// A line of the measuring script.
fn measured(line: &str, limit_bytes: Option<u64>) -> Option<HomeUse> {
    let mut numbers = line.split(' ').map(|word| word.parse::<u64>().ok());
    let (used_bytes, block, free) = (numbers.next()??, numbers.next()??, numbers.next()??);
    Some(HomeUse { used_bytes, limit_bytes, free_bytes: block.saturating_mul(free) })
}

impl Failure {
    /// Whether a container was not made because the directory it would see is not there.
    pub(super) fn is_missing_source(&self) -> bool {
        matches!(self, Self::Status { code: 400, message } if message.contains("bind source path does not exist"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_is_read_as_printed() {
        let read = measured("4096 1024 10", Some(1));
        assert_eq!(read, Some(HomeUse { used_bytes: 4096, limit_bytes: Some(1), free_bytes: 10_240 }));
        for cut in ["none", "", "- 4096 10", "1 2", "x 1 2"] {
            assert_eq!(measured(cut, None), None, "{cut}");
        }
    }
}
