//! How many more sessions the machine has room for, and what bounds them.
//!
//! Pure: from what the machine has, what runs reserves, and the operator's word on how much may be promised
//! twice. A reservation is what a session's template allows it, not what it happens to use: what is free
//! now is of no use to somebody whose session needs it in a minute. Nothing is refused by it; only
//! `limits.max_sessions` refuses.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::language::Language;
use crate::session::{Capability, NetworkPolicy, StateKind, Template};

const MIB: f64 = 1024.0 * 1024.0;

/// How much may be promised: `[capacity]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Each core is promised this many times. Default 4: desktops mostly wait for people.
    pub cpu_overcommit: f64,
    /// Each byte of memory is promised this many times. Default 1: whoever is promised memory gets it.
    pub memory_overcommit: f64,
    /// Each process is promised this many times. Default 4: the limit is there to stop runaways.
    pub pids_overcommit: f64,
    /// Memory kept for the system and the gateway; more if more is in use beside sessions. Default 1024 MiB.
    pub reserve_memory_mib: u64,
    /// Disk kept free. Default 2048 MiB.
    pub reserve_disk_mib: u64,
    /// What one more session is expected to write. Default 512 MiB.
    pub session_disk_mib: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cpu_overcommit: 4.0,
            memory_overcommit: 1.0,
            pids_overcommit: 4.0,
            reserve_memory_mib: 1024,
            reserve_disk_mib: 2048,
            session_disk_mib: 512,
        }
    }
}

/// What a session needs of the machine.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Memory, in bytes.
    Memory,
    /// Cores.
    Cpu,
    /// Places under `limits.max_sessions`.
    Sessions,
    /// Processes and threads.
    Pids,
    /// The disk of the engine's storage, in bytes.
    Disk,
    /// Addresses of the network without a way out.
    AddressesInternal,
    /// Addresses of the network that leads outwards.
    AddressesEgress,
    /// Networks for one session alone.
    AddressesOwn,
}

impl Resource {
    /// All of them, in the order in which they are shown; of several that bind, the first is named.
    pub const ALL: [Self; 8] = [
        Self::Memory,
        Self::Cpu,
        Self::Sessions,
        Self::Pids,
        Self::Disk,
        Self::AddressesInternal,
        Self::AddressesEgress,
        Self::AddressesOwn,
    ];

    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Sessions => "sessions",
            Self::Pids => "pids",
            Self::Disk => "disk",
            Self::AddressesInternal => "addresses_internal",
            Self::AddressesEgress => "addresses_egress",
            Self::AddressesOwn => "addresses_own",
        }
    }

    /// What it is counted in.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Memory | Self::Disk => "bytes",
            Self::Cpu => "cores",
            Self::Sessions => "sessions",
            Self::Pids => "processes",
            Self::AddressesInternal | Self::AddressesEgress => "addresses",
            Self::AddressesOwn => "networks",
        }
    }
}

/// What there is of each resource, and what of it is in use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Machine {
    /// Cores.
    pub cores: f64,
    /// CPU in use, in cores; `None` while there is only one sample.
    pub busy_cores: Option<f64>,
    /// Memory in bytes: all, in use, and the part of it that sessions use.
    pub memory: (f64, f64, f64),
    /// Processes and threads: how many there can be, are, and are sessions'.
    pub pids: (f64, f64, f64),
    /// Disk in bytes, all and in use; `None` where it is not seen.
    pub disk: Option<(f64, f64)>,
    /// Addresses, all and taken: internal, egress, own.
    pub addresses: [(f64, f64); 3],
    /// `limits.max_sessions`.
    pub max_sessions: usize,
}

/// What one resource has left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// Which.
    pub resource: Resource,
    /// What it is counted in.
    pub unit: String,
    /// What the machine has.
    pub total: f64,
    /// What may be promised to sessions: the total, as often as it may be promised, less what is kept back.
    pub promised: f64,
    /// What is kept back for the system, or in use beside sessions.
    pub kept: f64,
    /// What the limits of the sessions that run add up to.
    pub reserved: f64,
    /// What is in use now, by anybody; `null` where it is not known.
    pub used: Option<f64>,
    /// What may still be promised.
    pub free: f64,
}

/// How many more sessions of one template there is room for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Room {
    /// The template.
    pub template: String,
    /// What people call it.
    pub title: String,
    /// So many more.
    pub more: u64,
    /// What bounds them.
    pub bound_by: Resource,
    /// How many more each resource has room for.
    pub by_resource: Vec<Fits>,
}

/// How many more sessions one resource has room for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Fits {
    /// Which.
    pub resource: Resource,
    /// What one session takes of it.
    pub each: f64,
    /// So many more.
    pub more: u64,
}

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Capacity {
    /// Each resource.
    pub resources: Vec<Line>,
    /// Each template, in the order of the configuration.
    pub templates: Vec<Room>,
}

/// What there is room for, beside the sessions that occupy the engine, each with its template and state.
#[must_use]
pub fn compute<'a>(
    machine: &Machine,
    settings: &Settings,
    occupying: &[(&Template, StateKind)],
    templates: impl IntoIterator<Item = &'a Template>,
) -> Capacity {
    let resources: Vec<Line> = Resource::ALL
        .into_iter()
        .filter_map(|resource| line(resource, machine, settings, occupying))
        .collect();
    let templates = templates.into_iter().map(|template| room(template, &resources, settings)).collect();
    Capacity { resources, templates }
}

fn line(
    resource: Resource,
    machine: &Machine,
    settings: &Settings,
    occupying: &[(&Template, StateKind)],
) -> Option<Line> {
    let mib = |mib: u64| precise(mib) * MIB;
    let reserved: f64 =
        occupying.iter().map(|(template, state)| holds(resource, template, *state, settings)).sum();
    // Total, how often it may be promised, what is kept back, what is in use.
    let (total, times, kept, used) = match resource {
        Resource::Memory => {
            let (total, used, sessions) = machine.memory;
            let beside = (used - sessions).max(0.0);
            (total, settings.memory_overcommit, beside.max(mib(settings.reserve_memory_mib)), Some(used))
        }
        Resource::Cpu => (machine.cores, settings.cpu_overcommit, 0.0, machine.busy_cores),
        Resource::Sessions => {
            let total = precise(machine.max_sessions as u64);
            (total, 1.0, 0.0, Some(reserved))
        }
        Resource::Pids => {
            let (total, used, sessions) = machine.pids;
            (total, settings.pids_overcommit, (used - sessions).max(0.0), Some(used))
        }
        // What is written is written: the room that is left counts, whoever took the rest.
        Resource::Disk => {
            let (total, used) = machine.disk?;
            (total, 1.0, used + mib(settings.reserve_disk_mib), Some(used))
        }
        Resource::AddressesInternal | Resource::AddressesEgress | Resource::AddressesOwn => {
            let (total, taken) = machine.addresses[pool(resource)];
            // A stopped session keeps a network of its own: what is taken may be more than what is reserved.
            (total, 1.0, (taken - reserved).max(0.0), Some(taken))
        }
    };
    let promised = (total * times - kept).max(0.0);
    let free = (promised - reserved).max(0.0);
    Some(Line { resource, unit: resource.unit().to_owned(), total, promised, kept, reserved, used, free })
}

/// What a session that occupies the engine keeps from others. Frozen, it keeps everything but the CPU.
fn holds(resource: Resource, template: &Template, state: StateKind, settings: &Settings) -> f64 {
    match (resource, state) {
        (Resource::Cpu, StateKind::Paused) => 0.0,
        // What it has written is in the disk's own number.
        (Resource::Disk, _) => 0.0,
        (_, _) => needs(resource, template, settings),
    }
}

/// What one session of a template takes of a resource; zero where it takes none.
fn needs(resource: Resource, template: &Template, settings: &Settings) -> f64 {
    let on = |wanted: Resource| if addresses_of(template) == wanted { 1.0 } else { 0.0 };
    match resource {
        Resource::Memory => precise(template.memory_mib) * MIB,
        Resource::Cpu => template.cpus,
        Resource::Sessions => 1.0,
        Resource::Pids => f64::from(template.pids),
        Resource::Disk => precise(settings.session_disk_mib) * MIB,
        Resource::AddressesInternal | Resource::AddressesEgress | Resource::AddressesOwn => on(resource),
    }
}

/// Where a template's sessions get their addresses.
fn addresses_of(template: &Template) -> Resource {
    if template.capabilities.contains(&Capability::NetRaw) {
        return Resource::AddressesOwn;
    }
    match template.network {
        NetworkPolicy::Internal => Resource::AddressesInternal,
        NetworkPolicy::Egress => Resource::AddressesEgress,
    }
}

fn pool(resource: Resource) -> usize {
    match resource {
        Resource::AddressesEgress => 1,
        Resource::AddressesOwn => 2,
        Resource::AddressesInternal
        | Resource::Cpu
        | Resource::Disk
        | Resource::Memory
        | Resource::Pids
        | Resource::Sessions => 0,
    }
}

fn room(template: &Template, resources: &[Line], settings: &Settings) -> Room {
    let fits = |line: &Line| {
        let each = needs(line.resource, template, settings);
        (each > 0.0).then(|| Fits { resource: line.resource, each, more: whole(line.free / each) })
    };
    let by_resource: Vec<Fits> = resources.iter().filter_map(fits).collect();
    let least = by_resource.iter().min_by_key(|fits| fits.more);
    Room {
        template: template.name.to_string(),
        title: template.title.of(Language::English).to_owned(),
        more: least.map_or(0, |fits| fits.more),
        bound_by: least.map_or(Resource::Sessions, |fits| fits.resource),
        by_resource,
    }
}

/// Exact up to eight pebibytes.
#[allow(clippy::cast_precision_loss)]
fn precise(number: u64) -> f64 {
    number as f64
}

/// Whole sessions; a hair below a whole number is that number.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(number: f64) -> u64 {
    (number + 1e-9).floor() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fake::template;
    use crate::session::Protocol;

    const GIB: f64 = 1024.0 * MIB;

    fn desktop() -> Template {
        let name = "desktop".parse().unwrap();
        Template { cpus: 2.0, memory_mib: 2048, pids: 512, ..template(name, Protocol::Rfb) }
    }

    /// 8 cores, 16 GiB, of which 1 GiB is in use beside sessions.
    fn machine() -> Machine {
        Machine {
            cores: 8.0,
            busy_cores: Some(1.0),
            memory: (16.0 * GIB, GIB, 0.0),
            pids: (32_768.0, 300.0, 0.0),
            disk: Some((200.0 * GIB, 50.0 * GIB)),
            addresses: [(1023.0, 0.0), (1023.0, 0.0), (4096.0, 0.0)],
            max_sessions: 100,
        }
    }

    fn answer(machine: &Machine, settings: &Settings, running: usize, state: StateKind) -> (u64, Resource) {
        let desktop = desktop();
        let occupying = vec![(&desktop, state); running];
        let capacity = compute(machine, settings, &occupying, [&desktop]);
        (capacity.templates[0].more, capacity.templates[0].bound_by)
    }

    #[test]
    fn each_resource_can_be_the_one_that_binds() {
        let (usual, plain) = (machine(), Settings::default());
        let cases: [(&str, Machine, Settings, (u64, Resource)); 10] = [
            ("15 GiB for 2 GiB each", usual, plain, (7, Resource::Memory)),
            (
                "more beside sessions than is kept for it",
                Machine { memory: (16.0 * GIB, 6.0 * GIB, 0.0), ..usual },
                plain,
                (5, Resource::Memory),
            ),
            (
                "memory promised twice: 31 GiB",
                usual,
                Settings { memory_overcommit: 2.0, ..plain },
                (15, Resource::Memory),
            ),
            ("cores promised once", usual, Settings { cpu_overcommit: 1.0, ..plain }, (4, Resource::Cpu)),
            ("a limit of three", Machine { max_sessions: 3, ..usual }, plain, (3, Resource::Sessions)),
            (
                "1324 processes, of which 300 are in use",
                Machine { pids: (1324.0, 300.0, 0.0), ..usual },
                Settings { pids_overcommit: 1.0, ..plain },
                (2, Resource::Pids),
            ),
            (
                "4 GiB of disk are left, 2 are kept free",
                Machine { disk: Some((54.0 * GIB, 50.0 * GIB)), ..usual },
                plain,
                (4, Resource::Disk),
            ),
            (
                "a small pool",
                Machine { addresses: [(5.0, 3.0), (1.0, 0.0), (1.0, 0.0)], ..usual },
                plain,
                (2, Resource::AddressesInternal),
            ),
            (
                "a disk that is not seen binds nothing",
                Machine { disk: None, ..usual },
                plain,
                (7, Resource::Memory),
            ),
            (
                "a machine that is too small",
                Machine { memory: (GIB, GIB, 0.0), ..usual },
                plain,
                (0, Resource::Memory),
            ),
        ];
        for (what, machine, settings, expected) in cases {
            assert_eq!(answer(&machine, &settings, 0, StateKind::Ready), expected, "{what}");
        }
    }

    #[test]
    fn what_runs_reserves_its_limits_and_not_what_it_uses() {
        let mut machine = machine();
        // Three desktops use half a gibibyte together, beside the one gibibyte of others.
        machine.memory = (16.0 * GIB, 1.5 * GIB, 0.5 * GIB);
        assert_eq!(answer(&machine, &Settings::default(), 3, StateKind::Ready), (4, Resource::Memory));
        let tight = Settings { cpu_overcommit: 1.0, ..Settings::default() };
        assert_eq!(answer(&machine, &tight, 3, StateKind::Starting), (1, Resource::Cpu));
        assert_eq!(answer(&machine, &tight, 3, StateKind::Paused), (4, Resource::Memory), "frozen: no CPU");
        assert_eq!(answer(&machine, &Settings::default(), 20, StateKind::Ready).0, 0, "never below nothing");
    }

    #[test]
    fn addresses_are_counted_where_a_template_gets_them() {
        let egress = Template { network: NetworkPolicy::Egress, ..desktop() };
        let own = Template { capabilities: vec![Capability::NetRaw], ..desktop() };
        let machine = Machine { addresses: [(9.0, 0.0), (2.0, 0.0), (4.0, 3.0)], ..machine() };
        let capacity =
            compute(&machine, &Settings::default(), &[(&egress, StateKind::Ready)], [&egress, &own]);
        let bound = |nth: usize| (capacity.templates[nth].more, capacity.templates[nth].bound_by);
        assert_eq!(bound(0), (1, Resource::AddressesEgress));
        assert_eq!(bound(1), (1, Resource::AddressesOwn), "stopped sessions keep theirs");
        let fits = |nth: usize| capacity.templates[nth].by_resource.iter().map(|fits| fits.resource);
        assert!(fits(0).all(|resource| resource != Resource::AddressesOwn), "only what it needs is named");
    }

    #[test]
    fn the_lines_add_up() {
        let desktop = desktop();
        let capacity = compute(&machine(), &Settings::default(), &[(&desktop, StateKind::Ready)], [&desktop]);
        assert_eq!(capacity.resources.len(), Resource::ALL.len());
        for line in &capacity.resources {
            assert!((line.promised - line.reserved - line.free).abs() < 1.0, "{line:?}");
        }
        let memory = &capacity.resources[0];
        assert_eq!((memory.total, memory.promised, memory.reserved), (16.0 * GIB, 15.0 * GIB, 2.0 * GIB));
    }
}
