//! The gateway end to end on loopback: what a request, a round trip, a gigabyte, a viewer and a
//! handshake cost its process, beside the peers that are installed and beside no gateway at all.
//!
//! The gateway is the real binary, with its own store, logins, log and metrics; behind its spawner's
//! socket stands a fake one whose "containers" are servers in this process. No Docker, no address
//! but loopback. `cargo bench --bench gateway -- --test` is a smoke of a few seconds.
//! `docs/benchmarks.md` says what each number means.

mod door;
mod gateway;
mod load;
mod peers;
mod process;
mod report;
mod spawner;
mod upstream;

use std::path::Path;
use std::time::{Duration, Instant};

use berth::tasks::Tasks;

use self::door::{Door, Groups};
use self::load::Work;
use self::process::Process;
use self::report::{Cell, Report, Row};
use self::upstream::Upstreams;

/// No step begins after this much of a run; with the steps' own bounds it ends within three minutes.
const WHOLE: Duration = Duration::from_secs(140);

/// The bound of one step.
const STEP: Duration = Duration::from_secs(30);

/// How much of everything.
#[derive(Clone, Copy, Debug)]
struct Scale {
    rounds: usize,
    requests: usize,
    echoes: usize,
    frames: usize,
    handshakes: usize,
    viewers: usize,
}

const FULL: Scale =
    Scale { rounds: 3, requests: 40_000, echoes: 40_000, frames: 16_000, handshakes: 2_500, viewers: 1_000 };

const SMOKE: Scale = Scale { rounds: 1, requests: 320, echoes: 320, frames: 64, handshakes: 16, viewers: 16 };

/// Something that stands between browser and container, or nothing.
struct Subject {
    name: &'static str,
    /// Whose CPU and memory count; `None` for the direct way.
    process: Option<Process>,
    /// The way to the HTTP upstream.
    app: Door,
    /// The way to the RFB upstream, where the subject speaks WebSocket for it.
    desktop: Option<Door>,
}

/// The rows of the table, in its order: work, which way, unit, budget.
const STEPS: [(Work, Unit, Option<f64>); 6] = [
    (Work::Get, Unit::MicrosPerOperation, Some(20.0)),
    (Work::Echo, Unit::MicrosPerOperation, Some(13.0)),
    (Work::AppStream, Unit::SecondsPerGigabyte, Some(0.8)),
    (Work::DesktopStream, Unit::SecondsPerGigabyte, Some(0.9)),
    (Work::Handshake(Groups::Classical), Unit::MicrosPerOperation, Some(180.0)),
    (Work::Handshake(Groups::Hybrid), Unit::MicrosPerOperation, None),
];

/// What a number counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Unit {
    MicrosPerOperation,
    SecondsPerGigabyte,
    KibibytesPerViewer,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // Cargo says `--bench` when it benches; anything else is a test of the bench.
    let benching = arguments.iter().any(|argument| argument == "--bench");
    let smoke = !benching || arguments.iter().any(|argument| argument == "--test");
    let scale = if smoke { SMOKE } else { FULL };
    let pinned = process::pin_self();
    // One thread: pinned or not, load and upstreams take one core at most.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let report = runtime.block_on(run(scale, pinned));
    println!("{report}");
}

async fn run(scale: Scale, pinned: bool) -> Report {
    let begun = Instant::now();
    let tasks = Tasks::new();
    let folder = tempfile::Builder::new().prefix("berth-bench").tempdir().expect("a temporary directory");
    let upstreams = Upstreams::serve(&tasks).await;
    let stage = Stage { folder: folder.path(), upstreams, pinned, tasks };
    let mut report = Report::new(pinned, scale.rounds > 1);

    let subjects = stage.subjects("cpu", &mut report).await;
    for (work, unit, budget) in STEPS {
        let mut row = Row::new(work.name(), unit, budget);
        // Rounds go round: what else happens on the machine meets everyone alike.
        for _ in 0..scale.rounds {
            for subject in &subjects {
                if begun.elapsed() < WHOLE {
                    row.add(subject.name, measure(subject, work, scale).await);
                }
            }
        }
        report.add(row);
    }
    drop(subjects);
    for work in [Work::AppViewers, Work::DesktopViewers] {
        let mut row = Row::new(work.name(), Unit::KibibytesPerViewer, Some(12.0));
        // Fresh ones each time: what an allocator kept from earlier work would hide what this one needs.
        for subject in stage.subjects(work.name(), &mut report).await {
            if begun.elapsed() < WHOLE {
                row.add(subject.name, memory(&subject, work, scale).await);
            }
        }
        report.add(row);
    }
    report.took(begun.elapsed());
    report
}

/// What subjects are started with.
struct Stage<'a> {
    folder: &'a Path,
    upstreams: Upstreams,
    pinned: bool,
    tasks: Tasks,
}

impl Stage<'_> {
    /// Starts the gateway and every peer that is installed, in a folder of their own.
    async fn subjects(&self, name: &str, report: &mut Report) -> Vec<Subject> {
        let folder = self.folder.join(name);
        std::fs::create_dir(&folder).expect("the bench's own directory");
        let (app, desktop) = (self.upstreams.app, self.upstreams.desktop);
        let mut subjects = vec![gateway::start(&folder, &self.upstreams, self.pinned, &self.tasks).await];
        let peers =
            [peers::nginx(&folder, app, self.pinned).await, peers::haproxy(&folder, app, self.pinned).await];
        for peer in peers {
            match peer {
                Ok(peer) => subjects.push(peer),
                Err(why) => report.note(why),
            }
        }
        let (app, desktop) = (Door::direct(app), Some(Door::direct(desktop)));
        subjects.push(Subject { name: "direct", process: None, app, desktop });
        subjects
    }
}

/// One round of one step through one subject.
async fn measure(subject: &Subject, work: Work, scale: Scale) -> Option<Cell> {
    let door = if work.is_desktop() { subject.desktop.as_ref()? } else { &subject.app };
    if matches!(work, Work::Handshake(_)) && !door.is_tls() {
        return None;
    }
    let cpu = || subject.process.as_ref().map(Process::cpu);
    let (before, begun) = (cpu(), Instant::now());
    let done = tokio::time::timeout(STEP, load::run(door, work, scale)).await;
    let took = begun.elapsed();
    match done {
        Ok(Ok(amount)) => {
            let spent = cpu().zip(before).map(|(after, before)| after.saturating_sub(before));
            Some(Cell::of(amount, spent, took))
        }
        Ok(Err(error)) => {
            eprintln!("{}: {}: {error}", subject.name, work.name());
            None
        }
        Err(_) => {
            eprintln!("{}: {}: not done within {} s", subject.name, work.name(), STEP.as_secs());
            None
        }
    }
}

/// What idle viewers add to the resident memory of a subject.
async fn memory(subject: &Subject, work: Work, scale: Scale) -> Option<Cell> {
    let door = if work.is_desktop() { subject.desktop.as_ref()? } else { &subject.app };
    let process = subject.process.as_ref()?;
    let viewers = scale.viewers.min(process::affordable_viewers());
    // The first one pays for what is shared by all.
    drop(load::viewers(door, work, 1).await.ok()?);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = process.resident();
    let open = match tokio::time::timeout(STEP, load::viewers(door, work, viewers)).await {
        Ok(Ok(open)) => open,
        Ok(Err(error)) => {
            eprintln!("{}: {}: {error}", subject.name, work.name());
            return None;
        }
        Err(_) => return None,
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    let grown = process.resident().saturating_sub(before);
    drop(open);
    Some(Cell::memory(grown, viewers))
}
