//! An engine in memory that falls ill on demand, for tests of everything above it.
//!
//! It keeps the promises of [`Engine`] as the contract suite checks them. All waiting is tokio
//! time, so tests may pause it. A healthy container answers with a tiny server: RFB 3.8 with the
//! order's password, or HTTP, as its template says.

mod homes;
mod images;
mod server;
mod usage;

use std::collections::{BTreeMap, HashMap};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep};
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;

use self::homes::FakeHome;
pub use self::images::Registry;
use self::images::Shelf;
use self::server::Received;
use super::{
    Connection, Container, ContainerStatus, Engine, EngineError, EngineEvent, EngineEventKind, EngineVersion,
    Machine, PullSteps, Sample, StartOrder, Started, Stats, TemplateImage,
};
use crate::secret::Secret;
use crate::session::{
    Home, HomeKey, Icon, NetworkPolicy, NodeName, Protocol, PullPolicy, SessionId, Template, TemplateLimits,
    TemplateName, Upstream,
};
use crate::tasks::Tasks;

/// What is wrong with a container or its engine.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Illness {
    /// Nothing.
    #[default]
    Healthy,
    /// Its start takes this long.
    SlowStart(Duration),
    /// It runs and never listens.
    NeverReady,
    /// It accepts and hangs up.
    ClosesAtOnce,
    /// It greets its first viewer, hears the answer and dies.
    DiesAfterReady,
    /// It lets viewers in and never shows them its screen.
    NeverDraws,
    /// Its start never returns.
    Hangs,
    /// Something else has its name.
    Conflict,
    /// Its image is not there.
    ImageMissing,
    /// It ends as soon as it is started, with code 1 and a line of output.
    Exits,
    /// The engine does not answer.
    Down,
}

/// How often each verb was called.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[allow(missing_docs, reason = "each is named after its verb")]
pub struct Calls {
    pub start: usize,
    pub connect: usize,
    pub stop: usize,
    pub pause: usize,
    pub resume: usize,
    pub remove: usize,
    pub list: usize,
    pub events: usize,
    pub ping: usize,
    pub images: usize,
    pub pull: usize,
    pub output: usize,
    pub stats: usize,
    pub sample: usize,
    pub measure: usize,
    pub aside: usize,
    pub copies: usize,
}

/// The engine in memory. Clones share the same containers.
#[derive(Clone, Debug)]
pub struct FakeEngine {
    templates: Arc<BTreeMap<TemplateName, Template>>,
    state: Arc<Mutex<State>>,
    tasks: Tasks,
}

/// Never locked over an await.
#[derive(Debug)]
struct State {
    containers: BTreeMap<SessionId, Fake>,
    by_session: HashMap<SessionId, Illness>,
    by_template: HashMap<TemplateName, Illness>,
    calls: Calls,
    homes: BTreeMap<HomeKey, FakeHome>,
    copies_fail: bool,
    made: u64,
    down: bool,
    shelf: Shelf,
    machine: Machine,
    events: broadcast::Sender<EngineEvent>,
}

#[derive(Debug)]
struct Fake {
    container: Container,
    /// The home it uses.
    home: Option<HomeKey>,
    protocol: Protocol,
    secret: Secret<String>,
    illness: Illness,
    /// How many cores it uses, since when, and the CPU time it had used by then.
    work: (f64, Instant, Duration),
    /// Cancelled when its processes end.
    life: CancellationToken,
    received: Received,
    /// Connections to a frozen container: accepted by the kernel, answered by nobody.
    frozen: Vec<DuplexStream>,
}

/// A template for tests: ephemeral, internal, port 5900 for RFB and 8080 for HTTP.
#[must_use]
pub fn template(name: TemplateName, protocol: Protocol) -> Template {
    Template {
        title: name.to_string().into(),
        icon: Icon::Desktop,
        image: format!("fake/{name}"),
        pull: PullPolicy::default(),
        name,
        description: String::new().into(),
        protocol,
        port: match protocol {
            Protocol::Rfb => 5900,
            Protocol::Http => 8080,
        },
        routing: None,
        cpus: 1.0,
        memory_mib: 256,
        pids: 128,
        shm_mib: 64,
        network: NetworkPolicy::Internal,
        home: Home::Ephemeral,
        home_dir: "/home/user".to_owned(),
        env: BTreeMap::new(),
        password_env: None,
        read_only: false,
        capabilities: Vec::new(),
        volumes: Vec::new(),
        danger_share_origin: false,
        limits: TemplateLimits::default(),
    }
}

impl FakeEngine {
    /// A healthy engine without containers.
    #[must_use]
    pub fn new(templates: impl IntoIterator<Item = Template>) -> Self {
        let state = State {
            containers: BTreeMap::new(),
            by_session: HashMap::new(),
            by_template: HashMap::new(),
            calls: Calls::default(),
            homes: BTreeMap::new(),
            copies_fail: false,
            made: 0,
            down: false,
            shelf: Shelf::default(),
            machine: usage::machine(),
            events: broadcast::channel(1024).0,
        };
        let templates = templates.into_iter().map(|template| (template.name.clone(), template)).collect();
        Self { templates: Arc::new(templates), state: Arc::new(Mutex::new(state)), tasks: Tasks::new() }
    }

    /// Makes every later start of a template's sessions fall ill.
    pub fn infect_template(&self, template: &TemplateName, illness: Illness) {
        self.lock().by_template.insert(template.clone(), illness);
    }

    /// Makes a session's container fall ill, now and at later starts; wins over its template's.
    pub fn infect(&self, session: SessionId, illness: Illness) {
        let mut state = self.lock();
        state.by_session.insert(session, illness);
        if let Some(fake) = state.containers.get_mut(&session) {
            fake.illness = illness;
        }
    }

    /// Makes the whole engine stop or resume answering. Open connections stay open.
    pub fn set_down(&self, down: bool) {
        self.lock().down = down;
    }

    /// Ends a session's processes as a crash would (code 137), with an event.
    pub fn crash(&self, session: SessionId) {
        self.lock().end(session, 137);
    }

    /// Ends a container and forgets it without any event, as an engine that lost its state would.
    pub fn lose(&self, session: SessionId) {
        if let Some(fake) = self.lock().containers.remove(&session) {
            fake.life.cancel();
        }
    }

    /// Makes a session's container use this many cores from now on, while it runs.
    pub fn work(&self, session: SessionId, cores: f64) {
        if let Some(fake) = self.lock().containers.get_mut(&session) {
            fake.work = (cores, Instant::now(), fake.used());
        }
    }

    /// Makes the machine another one.
    pub fn set_machine(&self, change: impl FnOnce(&mut Machine)) {
        change(&mut self.lock().machine);
    }

    /// Ends every event stream; later ones work.
    pub fn cut_events(&self) {
        self.lock().events = broadcast::channel(1024).0;
    }

    /// How often each verb was called.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.lock().calls
    }

    /// Every container, in any state.
    #[must_use]
    pub fn containers(&self) -> Vec<Container> {
        self.lock().containers.values().map(|fake| fake.container.clone()).collect()
    }

    /// What viewers sent a session after the handshake, in order; the first MiB.
    #[must_use]
    pub fn received(&self, session: SessionId) -> Vec<u8> {
        self.lock().containers.get(&session).map(|fake| fake.received.bytes()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and refuses it while the engine is down.
    fn called(&self, count: impl FnOnce(&mut Calls)) -> Result<MutexGuard<'_, State>, EngineError> {
        let mut state = self.lock();
        count(&mut state.calls);
        if state.down { Err(down()) } else { Ok(state) }
    }

    async fn sicken(&self, illness: Illness, template: &Template) -> Result<(), EngineError> {
        match illness {
            Illness::Healthy
            | Illness::NeverReady
            | Illness::ClosesAtOnce
            | Illness::DiesAfterReady
            | Illness::NeverDraws => Ok(()),
            Illness::SlowStart(delay) => {
                sleep(delay).await;
                Ok(())
            }
            Illness::Hangs => pending().await,
            Illness::Conflict => Err(EngineError::Conflict { detail: "the name is in use".to_owned() }),
            Illness::ImageMissing => Err(EngineError::ImageMissing { image: template.image.clone() }),
            Illness::Exits => {
                Err(EngineError::Exited { code: Some(1), output: "it did not feel well".to_owned() })
            }
            Illness::Down => Err(down()),
        }
    }

    /// Sets a container's processes to a state it is not in yet.
    fn freeze(
        &self,
        session: SessionId,
        from: ContainerStatus,
        to: ContainerStatus,
    ) -> Result<(), EngineError> {
        let mut state = self.lock();
        let fake = state.containers.get_mut(&session).ok_or(EngineError::Gone)?;
        if fake.container.status != from && fake.container.status != to {
            return Err(EngineError::Gone);
        }
        // Frozen, it uses nothing.
        fake.work = (fake.work.0, Instant::now(), fake.used());
        fake.container.status = to;
        fake.frozen.clear();
        Ok(())
    }

    fn serve(&self, session: SessionId, fake: &Fake, stream: DuplexStream) {
        let (life, received, password) = (fake.life.clone(), fake.received.clone(), fake.secret.clone());
        let (protocol, illness) = (fake.protocol, fake.illness);
        let engine = self.clone();
        self.tasks.spawn("fake container", async move {
            let talk = async {
                match (illness, protocol) {
                    (Illness::DiesAfterReady, _) => {
                        server::greet(stream, protocol).await;
                        engine.crash(session);
                    }
                    (_, Protocol::Rfb) => {
                        let draws = illness != Illness::NeverDraws;
                        server::rfb(stream, &password, &received, draws).await;
                    }
                    (_, Protocol::Http) => server::http(stream, &received).await,
                }
            };
            tokio::select! {
                () = life.cancelled() => {}
                () = talk => {}
            }
        });
    }
}

impl Fake {
    /// The CPU time used so far.
    fn used(&self) -> Duration {
        let (cores, since, before) = self.work;
        match self.container.status {
            ContainerStatus::Running => before + since.elapsed().mul_f64(cores),
            ContainerStatus::Created | ContainerStatus::Paused | ContainerStatus::Exited => before,
        }
    }
}

impl State {
    fn illness(&self, order: &StartOrder) -> Illness {
        let of_template = || self.by_template.get(&order.template).copied();
        self.by_session.get(&order.session).copied().or_else(of_template).unwrap_or_default()
    }

    fn run(
        &mut self,
        order: &StartOrder,
        template: &Template,
        illness: Illness,
    ) -> Result<(String, String), EngineError> {
        let home = self.take_home(order, template)?;
        let spec = template.spec_hash();
        let old = self.containers.get(&order.session).map(|fake| fake.container.clone());
        if let Some(old) = &old {
            let running = matches!(old.status, ContainerStatus::Running | ContainerStatus::Paused);
            if old.epoch > order.epoch {
                return Err(EngineError::Conflict { detail: format!("start {} came too late", order.epoch) });
            }
            if running && let Some(fake) = self.containers.get_mut(&order.session) {
                fake.container.status = ContainerStatus::Running;
                return Ok((old.id.clone(), old.image.clone()));
            }
        }
        let image = self.shelf.id_of(template);
        let kept =
            old.filter(|old| old.spec == spec && image.as_ref().is_none_or(|image| *image == old.image));
        let container = match (kept, image) {
            (Some(kept), _) => kept,
            (None, Some(image)) => self.make(order, spec, image),
            (None, None) => return Err(EngineError::ImageMissing { image: template.image.clone() }),
        };
        let made = (container.id.clone(), container.image.clone());
        let fake = Fake {
            container: Container { status: ContainerStatus::Running, ..container },
            home,
            protocol: template.protocol,
            secret: order.secret.clone(),
            illness,
            work: (0.0, Instant::now(), Duration::ZERO),
            life: CancellationToken::new(),
            received: Received::default(),
            frozen: Vec::new(),
        };
        self.containers.insert(order.session, fake);
        Ok(made)
    }

    fn make(&mut self, order: &StartOrder, spec: String, image: String) -> Container {
        self.made += 1;
        Container {
            installation: order.installation.clone(),
            session: order.session,
            id: format!("{:064x}", self.made),
            name: format!("berth-{}", order.session),
            epoch: order.epoch,
            spec,
            image,
            status: ContainerStatus::Created,
        }
    }

    fn end(&mut self, session: SessionId, code: i64) {
        let Some(fake) = self.containers.get_mut(&session) else { return };
        let was = std::mem::replace(&mut fake.container.status, ContainerStatus::Exited);
        fake.life.cancel();
        fake.frozen.clear();
        if matches!(was, ContainerStatus::Running | ContainerStatus::Paused) {
            let kind = EngineEventKind::Died { code: Some(code) };
            // Nobody listening is fine: events are a hint.
            let _ = self.events.send(EngineEvent { session, container: fake.container.id.clone(), kind });
        }
    }
}

#[async_trait]
impl Engine for FakeEngine {
    async fn start(&self, order: &StartOrder) -> Result<Started, EngineError> {
        let illness = self.called(|calls| calls.start += 1)?.illness(order);
        let template = self.templates.get(&order.template);
        let template =
            template.ok_or_else(|| EngineError::TemplateGone { template: order.template.clone() })?;
        self.sicken(illness, template).await?;
        let (container, image) = self.lock().run(order, template, illness)?;
        let node = NodeName("fake".to_owned());
        let upstream = Upstream { node, container, port: template.port, epoch: order.epoch };
        Ok(Started { upstream, image })
    }

    async fn connect(&self, upstream: &Upstream) -> Result<Connection, EngineError> {
        // What runs stays reachable while the engine is down.
        let mut state = self.lock();
        state.calls.connect += 1;
        let found = state.containers.iter_mut().find(|(_, fake)| fake.container.id == upstream.container);
        let (session, fake) = found.ok_or(EngineError::Gone)?;
        let refused = || Err(EngineError::Unreachable { detail: "connection refused".to_owned() });
        match fake.container.status {
            ContainerStatus::Created => return refused(),
            ContainerStatus::Exited => {
                return Err(EngineError::Exited { code: Some(137), output: String::new() });
            }
            ContainerStatus::Running | ContainerStatus::Paused => {}
        }
        let (near, far) = duplex(64 * 1024);
        match (fake.container.status, fake.illness) {
            (_, Illness::NeverReady) => return refused(),
            (_, Illness::ClosesAtOnce) => drop(far),
            (ContainerStatus::Paused, _) => fake.frozen.push(far),
            _ => self.serve(*session, fake, far),
        }
        Ok(Connection::Memory(near))
    }

    async fn stop(&self, session: SessionId, _grace: Duration) -> Result<(), EngineError> {
        self.called(|calls| calls.stop += 1)?.end(session, 143);
        Ok(())
    }

    async fn pause(&self, session: SessionId) -> Result<(), EngineError> {
        drop(self.called(|calls| calls.pause += 1)?);
        self.freeze(session, ContainerStatus::Running, ContainerStatus::Paused)
    }

    async fn resume(&self, session: SessionId) -> Result<(), EngineError> {
        drop(self.called(|calls| calls.resume += 1)?);
        self.freeze(session, ContainerStatus::Paused, ContainerStatus::Running)
    }

    async fn remove(&self, session: SessionId) -> Result<(), EngineError> {
        let mut state = self.called(|calls| calls.remove += 1)?;
        state.end(session, 137);
        state.containers.remove(&session);
        Ok(())
    }

    async fn list(&self) -> Result<Vec<Container>, EngineError> {
        let state = self.called(|calls| calls.list += 1)?;
        Ok(state.containers.values().map(|fake| fake.container.clone()).collect())
    }

    async fn events(&self) -> Result<BoxStream<'static, EngineEvent>, EngineError> {
        let events = self.called(|calls| calls.events += 1)?.events.subscribe();
        // A listener that lags misses events, as the trait allows.
        Ok(BroadcastStream::new(events).filter_map(|event| std::future::ready(event.ok())).boxed())
    }

    async fn ping(&self) -> Result<EngineVersion, EngineError> {
        drop(self.called(|calls| calls.ping += 1)?);
        Ok(EngineVersion { version: "Fake 1".to_owned(), api: "1".to_owned() })
    }

    async fn stats(&self, session: SessionId) -> Result<Stats, EngineError> {
        let state = self.called(|calls| calls.stats += 1)?;
        let fake = state.containers.get(&session).ok_or(EngineError::Gone)?;
        match fake.container.status {
            ContainerStatus::Running | ContainerStatus::Paused => Ok(Stats { cpu: fake.used() }),
            ContainerStatus::Created | ContainerStatus::Exited => Err(EngineError::Gone),
        }
    }

    async fn sample(&self) -> Result<Sample, EngineError> {
        Ok(self.called(|calls| calls.sample += 1)?.sample())
    }

    async fn output(&self, session: SessionId) -> Result<String, EngineError> {
        let state = self.called(|calls| calls.output += 1)?;
        Ok(state.containers.get(&session).map(|_| "hello".to_owned()).unwrap_or_default())
    }

    async fn images(&self) -> Result<Vec<TemplateImage>, EngineError> {
        let state = self.called(|calls| calls.images += 1)?;
        Ok(self.templates.values().map(|template| state.shelf.look(template)).collect())
    }

    async fn pull(&self, template: &TemplateName) -> Result<PullSteps, EngineError> {
        drop(self.called(|calls| calls.pull += 1)?);
        let gone = || EngineError::TemplateGone { template: template.clone() };
        images::pull(self, self.templates.get(template).ok_or_else(gone)?)
    }
}

fn down() -> EngineError {
    EngineError::Down { detail: "the fake engine is down".to_owned() }
}

#[cfg(test)]
mod tests;
