//! What containers use, read from the kernel: a handful of small files each, instead of a question to
//! the engine that takes it a millisecond or more per container.
//!
//! Both layouts of control groups and both of the engine's ways to name them are known. Where a
//! container's group cannot be seen (this process is in a container of its own without the
//! machine's `/sys/fs/cgroup`), the engine is asked instead; see [`super::sample`].

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the kernel shows its control groups.
const ROOT: &str = "/sys/fs/cgroup";

/// What the kernel counts of one container.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counted {
    pub(super) cpu: Duration,
    pub(super) memory_bytes: u64,
    pub(super) tasks: u64,
    /// Read from and written to disks.
    pub(super) io: Option<(u64, u64)>,
    /// Received and sent over the network.
    pub(super) net: Option<(u64, u64)>,
}

/// The control groups of this machine.
#[derive(Clone, Debug)]
pub(super) struct Cgroups {
    root: PathBuf,
    proc: PathBuf,
    unified: bool,
}

impl Cgroups {
    /// Those that this process sees.
    pub(super) fn of_this_machine() -> Self {
        Self::at(Path::new(ROOT), Path::new("/proc"))
    }

    fn at(root: &Path, proc: &Path) -> Self {
        let unified = root.join("cgroup.controllers").exists();
        Self { root: root.to_owned(), proc: proc.to_owned(), unified }
    }

    /// What a container uses; `None` if its group cannot be seen.
    pub(super) fn read(&self, container: &str) -> Option<Counted> {
        if self.unified { self.read_unified(container) } else { self.read_split(container) }
    }

    /// One tree with everything (version 2).
    fn read_unified(&self, container: &str) -> Option<Counted> {
        let group = group(&self.root, container)?;
        let cpu = field(&text(&group.join("cpu.stat"))?, "usage_usec")?;
        let memory = number(&group.join("memory.current"))?;
        let idle = field(&text(&group.join("memory.stat"))?, "inactive_file").unwrap_or_default();
        Some(Counted {
            cpu: Duration::from_micros(cpu),
            memory_bytes: memory.saturating_sub(idle),
            tasks: number(&group.join("pids.current")).unwrap_or_default(),
            io: text(&group.join("io.stat")).map(|stat| unified_io(&stat)),
            net: self.net(&group),
        })
    }

    /// A tree for each controller (version 1).
    fn read_split(&self, container: &str) -> Option<Counted> {
        let of = |controller: &str| group(&self.root.join(controller), container);
        let cpu = number(&of("cpuacct").or_else(|| of("cpu,cpuacct"))?.join("cpuacct.usage"))?;
        let group = of("memory")?;
        let memory = number(&group.join("memory.usage_in_bytes"))?;
        let idle = field(&text(&group.join("memory.stat"))?, "total_inactive_file").unwrap_or_default();
        let tasks = of("pids").and_then(|pids| number(&pids.join("pids.current")));
        let io = of("blkio").and_then(|blkio| text(&blkio.join("blkio.throttle.io_service_bytes")));
        Some(Counted {
            cpu: Duration::from_nanos(cpu),
            memory_bytes: memory.saturating_sub(idle),
            tasks: tasks.unwrap_or_default(),
            io: io.map(|stat| split_io(&stat)),
            net: self.net(&group),
        })
    }

    /// What went over the network of a group's first process: all of them share one.
    fn net(&self, group: &Path) -> Option<(u64, u64)> {
        let processes = text(&group.join("cgroup.procs"))?;
        let first = processes.lines().next()?;
        Some(net_of(&text(&self.proc.join(first).join("net/dev"))?))
    }
}

/// A container's group below a tree, as the engine names it with its own driver or with systemd's.
fn group(tree: &Path, container: &str) -> Option<PathBuf> {
    let own = tree.join("docker").join(container);
    let systemd = tree.join("system.slice").join(format!("docker-{container}.scope"));
    [own, systemd].into_iter().find(|path| path.is_dir())
}

fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn number(path: &Path) -> Option<u64> {
    text(path)?.trim().parse().ok()
}

/// The value after a name at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

/// `8:0 rbytes=1 wbytes=2 …` per disk.
fn unified_io(stat: &str) -> (u64, u64) {
    let sum = |key: &str| {
        stat.split_whitespace().filter_map(|word| word.strip_prefix(key)?.parse::<u64>().ok()).sum()
    };
    (sum("rbytes="), sum("wbytes="))
}

/// `8:0 Read 1` and so on per disk.
fn split_io(stat: &str) -> (u64, u64) {
    let sum = |kind: &str| {
        stat.lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace().skip(1);
                (words.next()? == kind).then(|| words.next()?.parse::<u64>().ok())?
            })
            .sum()
    };
    (sum("Read"), sum("Write"))
}

/// Bytes received and sent over every interface but the loopback.
fn net_of(dev: &str) -> (u64, u64) {
    let mut sums = (0, 0);
    for line in dev.lines() {
        let Some((name, counters)) = line.split_once(':') else { continue };
        if name.trim() == "lo" {
            continue;
        }
        let at = |nth: usize| {
            counters.split_whitespace().nth(nth).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0)
        };
        sums = (sums.0 + at(0), sums.1 + at(8));
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123abcd";

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Cgroups) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let cgroups = Cgroups::at(&folder.path().join("cgroup"), &folder.path().join("proc"));
        (folder, cgroups)
    }

    const NET: &str = "Inter-|   Receive                                                |  Transmit\n \
                       face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n    \
                       lo:     900 9 0 0 0 0 0 0 900 9 0 0 0 0 0 0\n  \
                       eth0:    1000 9 0 0 0 0 0 0 2000 9 0 0 0 0 0 0\n";

    fn counted(io: Option<(u64, u64)>) -> Counted {
        Counted { cpu: Duration::from_millis(1500), memory_bytes: 900, tasks: 7, io, net: Some((1000, 2000)) }
    }

    #[test]
    fn version_one_with_the_engines_own_names() {
        let (_folder, cgroups) = tree(&[
            ("cgroup/cpuacct/docker/0123abcd/cpuacct.usage", "1500000000\n"),
            ("cgroup/memory/docker/0123abcd/memory.usage_in_bytes", "1000\n"),
            (
                "cgroup/memory/docker/0123abcd/memory.stat",
                "cache 1\ninactive_file 5\ntotal_inactive_file 100\n",
            ),
            ("cgroup/memory/docker/0123abcd/cgroup.procs", "41\n42\n"),
            ("cgroup/pids/docker/0123abcd/pids.current", "7\n"),
            (
                "cgroup/blkio/docker/0123abcd/blkio.throttle.io_service_bytes",
                "8:0 Read 10\n8:0 Write 20\n8:0 Total 30\n8:16 Read 1\n8:16 Write 2\nTotal 33\n",
            ),
            ("proc/41/net/dev", NET),
        ]);
        assert_eq!(cgroups.read(ID), Some(counted(Some((11, 22)))));
        assert_eq!(cgroups.read("another"), None);
    }

    #[test]
    fn version_two_with_systemds_names() {
        let group = "cgroup/system.slice/docker-0123abcd.scope";
        let file = |name: &str| format!("{group}/{name}");
        let files = [
            ("cgroup/cgroup.controllers".to_owned(), "cpu io memory pids\n"),
            (file("cpu.stat"), "usage_usec 1500000\nuser_usec 1\n"),
            (file("memory.current"), "1000\n"),
            (file("memory.stat"), "anon 1\ninactive_file 100\n"),
            (file("pids.current"), "7\n"),
            (file("cgroup.procs"), "41\n"),
            (file("io.stat"), "8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2\n"),
            ("proc/41/net/dev".to_owned(), NET),
        ];
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let (_folder, cgroups) = tree(&files);
        assert_eq!(cgroups.read(ID), Some(counted(Some((11, 22)))));
    }

    #[test]
    fn what_cannot_be_seen_is_left_out() {
        let (_folder, cgroups) = tree(&[
            ("cgroup/cpu,cpuacct/docker/0123abcd/cpuacct.usage", "1500000000"),
            ("cgroup/memory/docker/0123abcd/memory.usage_in_bytes", "900"),
            ("cgroup/memory/docker/0123abcd/memory.stat", ""),
        ]);
        assert_eq!(cgroups.read(ID), Some(Counted { tasks: 0, net: None, ..counted(None) }));
    }
}
