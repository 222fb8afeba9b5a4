//! Limits that the file system keeps: project quotas of ext4 and XFS, for homes in a directory.
//!
//! Everything goes through the system's own tools (`chattr` of e2fsprogs, `setquota` of quota),
//! which the spawner may use only as root and where it sees the directory. Where any of that is
//! missing homes are measured and warned of, and the reason is said at the start.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio::process::Command;
use tracing::{info, warn};

use super::homes::{HomeSettings, below};
use crate::engine::HomeOrder;

/// Whether something keeps homes within their limit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Quota {
    /// There is no limit.
    Off,
    /// The file system mounted here refuses what is too much.
    Enforced(PathBuf),
    /// Homes are measured and warned of, because of this.
    Measured(String),
}

impl std::fmt::Display for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => f.write_str("homes have no limit (homes.quota_mib = 0)"),
            Self::Enforced(mount) => {
                write!(f, "homes.quota_mib is enforced by the file system of {}", mount.display())
            }
            Self::Measured(why) => {
                write!(f, "homes.quota_mib is not enforced but measured and warned of: {why}")
            }
        }
    }
}

impl Quota {
    /// What is possible on this machine for this process.
    #[must_use]
    pub fn of(settings: &HomeSettings) -> Self {
        if settings.quota_mib == 0 {
            return Self::Off;
        }
        let Some(directory) = &settings.directory else {
            return Self::Measured("homes are volumes of the engine; set homes.directory".to_owned());
        };
        if !rustix::process::geteuid().is_root() {
            return Self::Measured("the spawner does not run as root".to_owned());
        }
        let Ok(directory) = directory.canonicalize() else {
            return Self::Measured("the spawner does not see homes.directory".to_owned());
        };
        let missing = ["chattr", "lsattr", "setquota"].into_iter().find(|tool| !is_installed(tool));
        if let Some(tool) = missing {
            return Self::Measured(format!("{tool} is not installed (packages e2fsprogs and quota)"));
        }
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        match mount_of(&mounts, &directory) {
            Some((mount, true)) => Self::Enforced(mount),
            Some((mount, false)) => Self::Measured(format!(
                "the file system of {} is not ext4 or XFS mounted with prjquota",
                mount.display()
            )),
            None => Self::Measured("the file system of homes.directory is not known".to_owned()),
        }
    }

    /// Puts a home under its limit, where that is possible; a failure is told and costs nobody
    /// their start.
    pub(super) async fn apply(&self, settings: &HomeSettings, home: &HomeOrder) {
        let (Self::Enforced(mount), Some(base)) = (self, &settings.directory) else { return };
        let path = base.join(below(home));
        match limit(mount, &path, settings.quota_mib).await {
            Ok(()) => info!(home = %home.key, quota_mib = settings.quota_mib, "home.limited"),
            Err(why) => warn!(home = %home.key, why, "a home could not be put under its limit"),
        }
    }
}

async fn limit(mount: &Path, path: &Path, quota_mib: u64) -> Result<(), String> {
    let inode = tokio::fs::metadata(path).await.map_err(|error| error.to_string())?.ino();
    let project = project_of(inode).to_string();
    let path = path.to_string_lossy();
    let attributes = said("lsattr", &["-pd", "--", &path]).await?;
    // Once per home: whatever is in it already has to count too, and later files inherit. The home
    // itself comes last, so that its project says that all of it is done.
    if attributes.split_whitespace().next() != Some(project.as_str()) {
        let within = ["find", &path, "-xdev", "-mindepth", "1"];
        let all =
            ["(", "-type", "f", "-o", "-type", "d", ")", "-exec", "chattr", "-f", "-p", &project, "{}", "+"];
        let directories = ["-type", "d", "-exec", "chattr", "-f", "+P", "{}", "+"];
        said(within[0], &[&within[1..], &all[..]].concat()).await?;
        said(within[0], &[&within[1..], &directories[..]].concat()).await?;
        said("chattr", &["-p", &project, "+P", "--", &path]).await?;
    }
    let kib = quota_mib.saturating_mul(1024).to_string();
    said("setquota", &["-P", &project, "0", &kib, "0", "0", &mount.to_string_lossy()]).await.map(drop)
}

/// A home's project, away from the small numbers that others give out. A hash of the whole inode:
/// on large file systems many directories' inodes differ in their upper bits alone.
fn project_of(inode: u64) -> u32 {
    let hash = Sha256::digest(inode.to_le_bytes());
    u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]) | 0x8000_0000
}

async fn said(tool: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(tool).args(arguments).kill_on_drop(true).output().await;
    let output = output.map_err(|error| format!("{tool}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{tool}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

fn is_installed(tool: &str) -> bool {
    let folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    folders.iter().any(|folder| Path::new(folder).join(tool).is_file())
}

/// Where the file system of a directory is mounted, and whether it keeps project quotas
/// (proc(5), `/proc/pid/mountinfo`).
fn mount_of(mountinfo: &str, directory: &Path) -> Option<(PathBuf, bool)> {
    let parsed = mountinfo.lines().filter_map(|line| {
        let (own, system) = line.split_once(" - ")?;
        let point = PathBuf::from(own.split(' ').nth(4)?.replace("\\040", " "));
        let mut system = system.split(' ');
        let (kind, options) = (system.next()?, system.nth(1)?);
        let keeps = matches!(kind, "ext4" | "xfs")
            && options.split(',').any(|option| matches!(option, "prjquota" | "pquota"));
        Some((point, keeps))
    });
    // The longest that leads to it; of several on one point the last covers the others.
    parsed.filter(|(point, _)| directory.starts_with(point)).max_by_key(|(point, _)| point.as_os_str().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
        30 22 8:2 / /srv rw shared:2 - xfs /dev/vdb rw,attr2,prjquota\n\
        31 30 8:3 / /srv/with\\040space rw - ext4 /dev/vdc rw,prjquota\n\
        32 30 8:4 / /srv/tmp rw - tmpfs none rw,prjquota\n";

    #[test]
    fn only_a_file_system_that_keeps_project_quotas_counts() {
        let at = |path| mount_of(MOUNTS, Path::new(path));
        assert_eq!(at("/home"), Some(("/".into(), false)));
        assert_eq!(at("/srv/homes"), Some(("/srv".into(), true)));
        assert_eq!(at("/srvx"), Some(("/".into(), false)));
        assert_eq!(at("/srv/with space/a"), Some(("/srv/with space".into(), true)));
        assert_eq!(at("/srv/tmp"), Some(("/srv/tmp".into(), false)));
        assert_eq!(mount_of("", Path::new("/srv")), None);
    }

    #[test]
    fn projects_are_apart_from_each_other_and_from_small_numbers() {
        assert!(project_of(2) >= 0x8000_0000);
        assert_ne!(project_of(12), project_of(13));
        assert_ne!(project_of(0x8000_0080), project_of(0x1_0000_0080));
    }

    #[test]
    fn what_cannot_be_enforced_says_why() {
        let volumes = HomeSettings { directory: None, quota_mib: 5 };
        let said = Quota::of(&volumes).to_string();
        assert!(said.contains("not enforced") && said.contains("homes.directory"), "{said}");
        assert_eq!(Quota::of(&HomeSettings::default()), Quota::Off);
    }
}
