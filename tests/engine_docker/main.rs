//! Docker and spawner engines against the real Docker Engine; the oracle is the `docker` command.
//!
//! Every lab has a network of its own named `berth-t…` and removes what carries its label, also
//! when a test fails. Without an engine or the image `berth-test/illness` (`images/build
//! test-illness`, or another one named by `BERTH_TEST_IMAGE`) the tests say so and pass.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod confinement;
mod home_archives;
mod homes;
mod own_network;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use berth::engine::contract::{self, Plan, eventually, order, reach};
use berth::engine::docker::{DockerEngine, Settings};
use berth::engine::fake::template;
use berth::engine::spawner::SpawnerEngine;
use berth::engine::{Engine, EngineError, EngineEventKind, StartOrder};
use berth::secret::random_bytes;
use berth::session::{Home, NetworkPolicy, Protocol, SessionId, Template, TemplateName, Upstream, Volume};
use berth::spawner::server;
use berth::tasks::Tasks;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NOTHING: Duration = Duration::from_secs(1);

struct Lab {
    settings: Settings,
    engine: Arc<DockerEngine>,
}

impl Lab {
    async fn open() -> Option<Self> {
        Self::open_with(&templates()).await
    }

    async fn open_with(templates: &BTreeMap<TemplateName, Template>) -> Option<Self> {
        if docker(&["image", "inspect", &image()]).is_none() {
            eprintln!("skipped: no Docker Engine, or no image {}", image());
            return None;
        }
        let [a, b, c, d] = random_bytes::<4>();
        let settings = Settings {
            network: format!("berth-t{a:02x}{b:02x}{c:02x}{d:02x}"),
            subnet: format!("10.{}.{b}.0/24", 210 + a % 40).parse().unwrap(),
            ..Settings::default()
        };
        let engine = DockerEngine::connect(settings.clone(), templates.clone()).await.unwrap();
        let lab = Self { settings, engine: Arc::new(engine) };
        lab.engine.ensure_network().await.unwrap();
        Some(lab)
    }

    async fn another_engine(&self) -> DockerEngine {
        DockerEngine::connect(self.settings.clone(), templates()).await.unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let label = format!("label=berth.network={}", self.settings.network);
        let containers = docker(&["ps", "-aq", "--filter", &label]).unwrap_or_default();
        for id in containers.split_whitespace() {
            docker(&["rm", "-f", "-v", id]);
        }
        for kind in ["volume", "network"] {
            for id in docker(&[kind, "ls", "-q", "--filter", &label]).unwrap_or_default().split_whitespace() {
                docker(&[kind, "rm", id]);
            }
        }
        let table = format!("berth_{}", self.settings.network.replace('-', "_"));
        for family in ["inet", "arp"] {
            let _ =
                Command::new("nft").args(["delete", "table", family, &table]).stderr(Stdio::null()).status();
        }
    }
}

fn image() -> String {
    std::env::var("BERTH_TEST_IMAGE").unwrap_or_else(|_| "berth-test/illness".to_owned())
}

/// The output of the `docker` command, or `None` if it failed.
fn docker(arguments: &[&str]) -> Option<String> {
    let output = Command::new("docker").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn inspect(session: SessionId) -> Value {
    let text = docker(&["inspect", &format!("berth-{session}")]).expect("the container is there");
    serde_json::from_str::<Value>(&text).unwrap()[0].take()
}

fn name(text: &str) -> TemplateName {
    text.parse().unwrap()
}

/// Runs `script` as a child of the session's own program, made by a [`commanded`] template, and
/// returns what it printed.
async fn inside(engine: &dyn Engine, upstream: &Upstream, script: &str) -> String {
    let mut stream = reach(engine, upstream).await;
    stream.write_all(script.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut printed = String::new();
    stream.read_to_string(&mut printed).await.unwrap();
    printed
}

/// A template whose program runs what it is told, and can make packets if it may.
fn commanded(text: &str) -> Template {
    let own = |file: &str, target: &str| Volume {
        source: format!("{}/tests/engine_docker/{file}", env!("CARGO_MANIFEST_DIR")),
        target: target.to_owned(),
    };
    let volumes = vec![own("commander.pl", "/usr/local/bin/illness"), own("forge.pl", "/opt/forge.pl")];
    Template { name: name(text), volumes, ..ill("web") }
}

fn only(templates: impl IntoIterator<Item = Template>) -> BTreeMap<TemplateName, Template> {
    templates.into_iter().map(|template| (template.name.clone(), template)).collect()
}

fn ill(illness: &str) -> Template {
    let mut template = template(name(illness), Protocol::Http);
    template.image = image();
    template.env.insert("ILLNESS".into(), illness.into());
    template.memory_mib = 128;
    template
}

fn templates() -> BTreeMap<TemplateName, Template> {
    let mut all = ["web", "exits", "silent", "closes"].map(ill).to_vec();
    all.push(Template { name: name("missing"), image: "berth-test/never-built".into(), ..ill("web") });
    all.push(Template { name: name("kept"), home: Home::Persistent, ..ill("web") });
    all.push(Template { name: name("desktop"), protocol: Protocol::Rfb, ..ill("web") });
    only(all)
}

fn plan() -> Plan {
    Plan {
        healthy: name("web"),
        exits: name("exits"),
        image_missing: name("missing"),
        unknown: name("unheard-of"),
    }
}

/// A spawner in this process, in front of the lab's engine.
struct Spawner {
    engine: SpawnerEngine,
    tasks: Tasks,
    _folder: tempfile::TempDir,
}

async fn spawner(lab: &Lab) -> Spawner {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("spawner.sock");
    let listener = server::bind(&socket).await.unwrap();
    let tasks = Tasks::new();
    let (engine, inner) = (lab.engine.clone(), tasks.clone());
    let stop = tasks.stopping();
    tasks.spawn("spawner", async move { server::serve(listener, engine, &inner, stop).await });
    Spawner { engine: SpawnerEngine::new(socket), tasks, _folder: folder }
}

#[tokio::test]
async fn docker_keeps_the_contract() {
    let Some(lab) = Lab::open().await else { return };
    contract::all(lab.engine.clone(), &plan()).await;
}

#[tokio::test]
async fn the_spawner_keeps_the_contract() {
    let Some(lab) = Lab::open().await else { return };
    let spawner = spawner(&lab).await;
    contract::all(Arc::new(spawner.engine), &plan()).await;
}

/// A gateway that gave up or was killed left a container behind that nobody knew of.
#[tokio::test]
async fn a_start_that_nobody_waits_for_is_undone() {
    let Some(lab) = Lab::open().await else { return };
    let spawner = spawner(&lab).await;
    let order = order(&name("web"), 2);
    for ms in [1, 20, 60, 120] {
        let waited = tokio::time::timeout(Duration::from_millis(ms), spawner.engine.start(&order)).await;
        // All that is left is the task that accepts.
        while spawner.tasks.running() > 1 {
            tokio::task::yield_now().await;
        }
        let left = lab.engine.list().await.unwrap();
        assert!(waited.is_ok() || left.is_empty(), "{ms} ms: {left:?}");
        lab.engine.remove(order.session).await.unwrap();
    }
    let late = lab.engine.start(&StartOrder { epoch: 1, ..order.clone() }).await;
    assert!(matches!(late, Err(EngineError::Conflict { .. })), "{late:?}");
    assert!(lab.engine.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_new_engine_adopts_and_files_survive_a_stop() {
    let Some(lab) = Lab::open().await else { return };
    let order = order(&name("web"), 1);
    let first = lab.engine.start(&order).await.unwrap().upstream;
    docker(&["exec", &first.container, "sh", "-c", "echo mine > /tmp/file"]).unwrap();

    let engine = lab.another_engine().await;
    assert_eq!(engine.list().await.unwrap().len(), 1);
    assert_eq!(engine.start(&order).await.unwrap().upstream, first);
    reach(&engine, &first).await;
    engine.stop(order.session, NOTHING).await.unwrap();
    engine.start(&StartOrder { epoch: 2, ..order }).await.unwrap();
    assert_eq!(docker(&["exec", &first.container, "cat", "/tmp/file"]).as_deref(), Some("mine"));
}

#[tokio::test]
async fn a_container_of_an_older_make_is_replaced_and_its_home_kept() {
    let Some(lab) = Lab::open().await else { return };
    let order = order(&name("kept"), 1);
    let first = lab.engine.start(&order).await.unwrap().upstream.container;
    docker(&["exec", "-u", "0", &first, "sh", "-c", "echo x > /tmp/file; echo mine > /home/user/file"]);
    docker(&["exec", &first, "sh", "-c", "echo mine > /home/user/file"]).unwrap();
    let mut newer = templates();
    newer.get_mut(&name("kept")).unwrap().memory_mib = 96;
    let engine = DockerEngine::connect(lab.settings.clone(), newer).await.unwrap();

    let running = engine.start(&StartOrder { epoch: 2, ..order.clone() }).await.unwrap();
    assert_eq!(running.upstream.container, first, "a desktop that runs is not replaced under its user");
    engine.stop(order.session, NOTHING).await.unwrap();
    let second = engine.start(&StartOrder { epoch: 3, ..order }).await.unwrap().upstream.container;
    assert_ne!(second, first);
    assert_eq!(docker(&["exec", &second, "cat", "/home/user/file"]).as_deref(), Some("mine"));
    assert_eq!(docker(&["exec", &second, "cat", "/tmp/file"]), None);
}

#[tokio::test]
async fn a_container_that_is_not_ours_is_left_alone() {
    let Some(lab) = Lab::open().await else { return };
    let order = order(&name("web"), 1);
    let theirs = format!("berth-{}", order.session);
    let label = "berth.network=berth-t-other";
    docker(&["create", "--label", label, "--network", &lab.settings.network, "--name", &theirs, &image()])
        .unwrap();
    let started = lab.engine.start(&order).await;
    let removed = lab.engine.remove(order.session).await;
    let paused = lab.engine.pause(order.session).await;
    let still_there = docker(&["rm", "-f", &theirs]).is_some_and(|said| said == theirs);
    assert!(matches!(started, Err(EngineError::Conflict { .. })), "{started:?}");
    assert!(removed.is_ok() && still_there);
    assert!(matches!(paused, Err(EngineError::Gone)));
}

#[tokio::test]
async fn a_container_may_do_no_more_than_listed() {
    let Some(lab) = Lab::open().await else { return };
    let order = order(&name("kept"), 7);
    lab.engine.start(&order).await.unwrap();
    let seen = inspect(order.session);
    let host = &seen["HostConfig"];
    let expected = [
        ("CapDrop", json!(["ALL"])),
        ("CapAdd", json!(null)),
        ("SecurityOpt", json!(["no-new-privileges"])),
        ("Privileged", json!(false)),
        ("Init", json!(true)),
        ("PidsLimit", json!(128)),
        ("Memory", json!(128 * 1024 * 1024)),
        ("MemorySwap", json!(128 * 1024 * 1024)),
        ("NanoCpus", json!(1_000_000_000)),
        ("ShmSize", json!(64 * 1024 * 1024)),
        ("IpcMode", json!("private")),
        ("PidMode", json!("")),
        ("NetworkMode", json!(lab.settings.network)),
        ("PublishAllPorts", json!(false)),
        ("Dns", json!(["192.0.2.1"])),
        ("Binds", json!(null)),
        ("LogConfig", json!({"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}})),
        ("RestartPolicy", json!({"Name": "no", "MaximumRetryCount": 0})),
    ];
    for (key, value) in expected {
        assert_eq!(host[key], value, "{key}");
    }
    for ports in [&host["PortBindings"], &seen["NetworkSettings"]["Ports"]] {
        let bound = ports.as_object().is_some_and(|ports| ports.values().any(|port| !port.is_null()));
        assert!(!bound, "a port is published: {ports}");
    }
    assert!(host["MaskedPaths"].as_array().is_some_and(|paths| paths.contains(&json!("/proc/kcore"))));
    assert!(host["ReadonlyPaths"].as_array().is_some_and(|paths| paths.contains(&json!("/proc/sys"))));
    let labels = &seen["Config"]["Labels"];
    assert_eq!(labels["berth.session"], json!(order.session.to_string()));
    assert_eq!(labels["berth.owner"], json!(order.owner.to_string()));
    assert_eq!((&labels["berth.template"], &labels["berth.epoch"]), (&json!("kept"), &json!("7")));
    assert_eq!(seen["Mounts"].as_array().map(Vec::len), Some(1));
    assert_eq!(seen["Mounts"][0]["Name"], json!(format!("berth-home-{}", order.owner)));
    let container = format!("berth-{}", order.session);
    assert_ne!(docker(&["exec", &container, "id", "-u"]).as_deref(), Some("0"));
    let status = docker(&["exec", &container, "cat", "/proc/1/status"]).unwrap();
    let none = ["CapEff", "CapPrm", "CapBnd", "CapAmb"].map(|set| format!("{set}:\t0000000000000000"));
    for line in none.iter().map(String::as_str).chain(["NoNewPrivs:\t1", "Seccomp:\t2"]) {
        assert!(status.contains(line), "{line} in {status}");
    }
}

#[tokio::test]
async fn the_password_is_in_the_container_before_it_starts_and_nowhere_else() {
    let Some(lab) = Lab::open().await else { return };
    let order = order(&name("desktop"), 1);
    let upstream = lab.engine.start(&order).await.unwrap().upstream;
    let shown = docker(&["exec", &upstream.container, "stat", "-c", "%a %u:%g %s", "/etc/berth/vncpasswd"]);
    assert_eq!(shown.as_deref(), Some("400 1000:1000 8"));
    assert_eq!(
        docker(&["exec", &upstream.container, "stat", "-c", "%a %u", "/etc/berth"]).as_deref(),
        Some("755 0")
    );
    assert!(!inspect(order.session).to_string().contains(order.secret.expose().as_str()));
    let removed = docker(&["exec", &upstream.container, "sh", "-c", "rm -f /etc/berth/vncpasswd"]);
    assert_eq!(removed, None, "the user cannot remove it");
}

/// One container was removed and another user's got its address at once (RELIABILITY fact 4): a
/// remembered address showed user A the desktop of user B.
#[tokio::test]
async fn a_reused_address_never_leads_to_another_session() {
    let Some(lab) = Lab::open().await else { return };
    let spawner = spawner(&lab).await;
    let engines: [&dyn Engine; 2] = [&*lab.engine, &spawner.engine];
    for engine in engines {
        for watched in [false, true] {
            reuse_an_address(&lab, engine, watched).await;
        }
    }
}

async fn reuse_an_address(lab: &Lab, engine: &dyn Engine, watched: bool) {
    let address =
        |session| inspect(session)["NetworkSettings"]["Networks"][&lab.settings.network]["IPAddress"].clone();
    let mut events = if watched { Some(engine.events().await.unwrap()) } else { None };
    let first = order(&name("web"), 1);
    let stale = engine.start(&first).await.unwrap().upstream;
    let before = address(first.session);
    reach(engine, &stale).await;
    // Behind the engine's back, as a crash would.
    docker(&["rm", "-f", &stale.container]).unwrap();
    let second = order(&name("web"), 1);
    let fresh = lab.another_engine().await.start(&second).await.unwrap().upstream;
    assert_eq!(address(second.session), before, "the Docker Engine gives the address out again");
    if let Some(events) = &mut events {
        while events.next().await.unwrap().container != stale.container {}
    }
    let refused = engine.connect(&stale).await.unwrap_err();
    assert!(matches!(refused, EngineError::Gone), "{refused}");
    reach(engine, &fresh).await;
    engine.remove(second.session).await.unwrap();
    let refused = engine.connect(&fresh).await.unwrap_err();
    assert!(matches!(refused, EngineError::Gone), "{refused}");
}

#[tokio::test]
async fn open_and_new_viewers_outlive_the_spawner() {
    let Some(lab) = Lab::open().await else { return };
    let spawner = spawner(&lab).await;
    let order = order(&name("web"), 1);
    let upstream = spawner.engine.start(&order).await.unwrap().upstream;
    // The image serves one viewer at a time, so the first to connect is the first to ask.
    let mut open = reach(&spawner.engine, &upstream).await;
    spawner.tasks.drain().await;
    assert!(matches!(spawner.engine.ping().await, Err(EngineError::Down { .. })));
    let mut new = spawner.engine.connect(&upstream).await.unwrap();
    for viewer in [&mut open, &mut new] {
        viewer.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        viewer.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1."), "{}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn a_kill_from_outside_is_told_with_its_code() {
    let Some(lab) = Lab::open().await else { return };
    let spawner = spawner(&lab).await;
    let mut direct = lab.engine.events().await.unwrap();
    let mut told = spawner.engine.events().await.unwrap();
    let order = order(&name("silent"), 1);
    let upstream = lab.engine.start(&order).await.unwrap().upstream;
    docker(&["kill", &upstream.container]).unwrap();
    for events in [&mut direct, &mut told] {
        let event = tokio::time::timeout(Duration::from_secs(10), events.next()).await.unwrap().unwrap();
        assert_eq!((event.session, event.container.as_str()), (order.session, upstream.container.as_str()));
        assert_eq!(event.kind, EngineEventKind::Died { code: Some(137) });
    }
}

#[tokio::test]
async fn a_network_with_other_options_is_refused_with_what_to_do() {
    let Some(lab) = Lab::open().await else { return };
    lab.engine.ensure_network().await.unwrap();
    lab.engine.remove_network().await.unwrap();
    let label = format!("berth.network={}", lab.settings.network);
    docker(&["network", "create", "--label", &label, &lab.settings.network]).unwrap();
    let told = lab.engine.ensure_network().await.unwrap_err().to_string();
    for part in ["internal is not true", "enable_icc", "docker network rm"] {
        assert!(told.contains(part), "{told}");
    }
}

#[tokio::test]
async fn isolation_is_proven_and_a_missing_firewall_is_found() {
    // One of the templates has its sessions on networks of their own: these are tried too.
    let mut templates = templates();
    templates.extend(only([confinement::raw("raw")]));
    let Some(lab) = Lab::open_with(&templates).await else { return };
    let firewall = lab.engine.firewall().unwrap();
    if let Err(error) = firewall.apply().await {
        eprintln!("skipped: {error}");
        return;
    }
    firewall.apply().await.unwrap();
    assert!(firewall.verify().await.unwrap());
    let began = Instant::now();
    let isolation = lab.engine.isolation().await.unwrap();
    let took = began.elapsed();
    eprintln!("isolation took {took:?}");
    assert!(isolation.proven, "{isolation:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");

    firewall.remove().await.unwrap();
    firewall.remove().await.unwrap();
    assert!(!firewall.verify().await.unwrap());
    let isolation = lab.engine.isolation().await.unwrap();
    assert!(!isolation.proven);
    for leak in ["the host through the bridge", "the host through the bridge (from a network of its own)"] {
        assert!(isolation.leaks.iter().any(|found| found == leak), "{isolation:?}");
    }
    assert!(!isolation.leaks.iter().any(|leak| leak.contains("another session")), "{isolation:?}");
    let label = format!("label=berth.network={}", lab.settings.network);
    assert_eq!(docker(&["ps", "-aq", "--filter", &label]).as_deref(), Some(""), "the probe leaves nothing");
    let networks = docker(&["network", "ls", "-q", "--filter", &label]).unwrap();
    assert_eq!(networks.lines().count(), 1, "the shared one");
}

#[tokio::test]
async fn egress_leads_outwards_only() {
    let out = Template { name: name("out"), network: NetworkPolicy::Egress, ..ill("web") };
    let Some(lab) = Lab::open_with(&BTreeMap::from([(out.name.clone(), out)])).await else { return };
    let firewall = lab.engine.firewall().unwrap();
    if let Err(error) = firewall.apply().await {
        eprintln!("skipped: {error}");
        return;
    }
    let order = order(&name("out"), 1);
    let upstream = lab.engine.start(&order).await.unwrap().upstream;
    reach(&*lab.engine, &upstream).await;
    let neighbour = contract::order(&name("out"), 1);
    lab.engine.start(&neighbour).await.unwrap();
    let network = format!("{}-egress", lab.settings.network);
    let theirs = inspect(neighbour.session)["NetworkSettings"]["Networks"][&network].take();
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let reached = |address: &str, port: u16| {
        let script = format!("timeout 1 bash -c '</dev/tcp/{address}/{port}'");
        docker(&["exec", &upstream.container, "bash", "-c", &script]).is_some()
    };
    assert!(!reached(theirs["IPAddress"].as_str().unwrap(), 8080), "another session");
    assert!(!reached(theirs["Gateway"].as_str().unwrap(), port), "the host");
    assert!(!reached("172.17.0.1", port), "the host on another bridge");
    assert!(reached("127.0.0.1", 8080), "the control: itself");
}

#[tokio::test]
async fn a_missing_probe_image_names_the_command_that_builds_it() {
    let Some(lab) = Lab::open().await else { return };
    let settings = Settings { probe_image: "berth-test/never-built".into(), ..lab.settings.clone() };
    let engine = DockerEngine::connect(settings, templates()).await.unwrap();
    let told = engine.isolation().await.unwrap_err().to_string();
    assert!(told.contains("make images"), "{told}");
}

#[tokio::test]
async fn output_is_the_last_words() {
    let Some(lab) = Lab::open().await else { return };
    let order = order(&name("exits"), 1);
    match lab.engine.start(&order).await {
        Err(EngineError::Exited { code, output }) => assert!(code != Some(0) && !output.is_empty()),
        Err(error) => panic!("{error}"),
        Ok(_) => {
            eventually("the words are there", || async {
                let output = lab.engine.output(order.session).await.unwrap();
                (!output.is_empty()).then_some(output)
            })
            .await;
        }
    }
}

#[tokio::test]
async fn no_engine_is_down() {
    let settings = Settings { socket: "/nonexistent/docker.sock".into(), ..Settings::default() };
    let down = DockerEngine::connect(settings, BTreeMap::new()).await;
    assert!(matches!(down, Err(EngineError::Down { .. })), "{down:?}");
}
