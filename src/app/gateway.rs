//! The gateway: wires every part, serves until told to stop, drains.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::open::{auth_settings, open_store, sessions_turn, store_path};
use super::spawner::DEFAULT_SOCKET;
use crate::api::{self, Api};
use crate::audit::{Actor, Audit, AuditEvent, Record};
use crate::auth::Auth;
use crate::broker::Broker;
use crate::cli::{Exit, Failure};
use crate::config::Config;
use crate::control::{self, Performer};
use crate::engine::spawner::SpawnerEngine;
use crate::engine::{Engine, EngineCheck, EngineStatus};
use crate::fault::chain;
use crate::inventory::Inventory;
use crate::kiosk::Kiosk;
use crate::language::Language;
use crate::people::Imports;
use crate::proxy::{self, Proxy};
use crate::server::dispatch::Dispatch;
use crate::server::tls::{self, Certificates};
use crate::server::{self, Drain, Drained};
use crate::spawner::child::Child;
use crate::stats::{self, Stats};
use crate::store::Store;
use crate::tasks::Tasks;
use crate::telemetry;
use crate::thumbnail::{self, Thumbnails};
use crate::web::{self, Web};

/// How often lapsed logins are ended.
const PURGE_EVERY: Duration = Duration::from_secs(1);

/// How often it is noticed what a command line beside this gateway has ended in the store.
const RESYNC_EVERY: Duration = Duration::from_secs(5);

/// How long background work may take to finish after the last connection.
const FINISH: Duration = Duration::from_secs(5);

/// Runs the gateway until a signal, then drains.
///
/// # Errors
/// Whatever it needs is not there: certificate, store, viewer library, spawner, port.
pub async fn serve(config: Config, mut inventory: Inventory, config_path: &Path) -> Result<(), Failure> {
    tls::provider();
    let (tasks, drain) = (Tasks::new(), Drain::new());
    let certificates = certificates(&config, &tasks)?;
    tls::mark_development(&config.tls, &mut inventory);
    let inventory = Arc::new(inventory);
    let novnc = novnc(&config);
    let (store, _turn) = (open_store(&config)?, sessions_turn(&config)?);
    let audit = Audit::new(store.clone());
    let auth = Arc::new(Auth::new(store.clone(), audit.clone(), auth_settings(&config.auth)?));
    // Bound before anything is changed: a second gateway must not touch the first one's sessions.
    metrics(&config, &tasks).await?;
    let engine = engine(&config, config_path, &tasks).await?;
    let broker = Broker::new(
        store.clone(),
        engine.clone(),
        audit.clone(),
        config.templates.clone(),
        config.limits.clone(),
        tasks.clone(),
    );
    let stats = statistics(&config, &broker, &engine, &store)?;
    let draining = draining(&drain, &tasks);
    let kiosk = Kiosk::new(broker.clone(), auth.clone(), store.clone(), config.compat.clone());
    let known = (audit.clone(), inventory.clone(), kiosk.clone());
    let web = pages(&config, novnc, &broker, &auth, &store, &engine, &stats, (&draining, &tasks), known)?;
    let api = Api::new(api::State {
        inventory,
        broker: broker.clone(),
        kiosk,
        auth: auth.clone(),
        store: store.clone(),
        engine: engine_check(&engine, config.engine.danger_skip_isolation),
        stats: stats.clone(),
        thumbnails: Thumbnails::new(&broker, engine.clone(), tasks.clone(), thumbnail::Settings::default()),
        tasks: tasks.clone(),
        draining: draining.clone(),
        imports: Imports::default(),
        origin: web.origin().to_owned(),
        routing: config.server.routing,
        version: env!("CARGO_PKG_VERSION"),
    });
    let proxy = Proxy::new(
        broker.clone(),
        auth.clone(),
        engine.clone(),
        proxy::Settings::default(),
        tasks.clone(),
        draining,
    );
    // Routes are open before the listener is: whoever reconnects finds their desktop.
    broker.recover().await.map_err(|error| store_failed(&error))?;
    background(&broker, &auth, &tasks);
    tasks.spawn("statistics", stats.clone().run_forever(tasks.stopping()));
    control(&config, &auth, &broker, &store, &stats, &tasks).await?;
    tasks.spawn("audit", audit.clone().trim_forever(config.audit.clone(), tasks.stopping()));
    let dispatch = Dispatch::new((web, api, proxy), auth, broker, (&config.server, tasks.clone()));
    let bound =
        server::listen(config.server.clone(), certificates, dispatch, &drain, &tasks).map_err(|error| {
            Failure::new(
                Exit::Missing,
                "the gateway cannot listen",
                chain(&error),
                "see above; `berth check-config` shows what is in force",
            )
        })?;
    tell_of_start(&audit, &config).await;
    let url = portal_at(&config, public_port(&config, &bound));
    info!(%url, "Berth is ready");
    println!("Berth is ready at {url}");

    let drained = drain.on_signal(config.server.drain).await;
    audit.record(Record::new(Actor::system(), AuditEvent::GatewayStopped)).await;
    if tokio::time::timeout(FINISH, tasks.drain()).await.is_err() {
        warn!(tasks = tasks.running(), "some background work was cut");
    }
    match drained {
        Ok(Drained::Finished | Drained::Cut(_)) => Ok(()),
        Err(error) => {
            Err(Failure::new(Exit::Failed, "signals cannot be received", error, "restart the process"))
        }
    }
}

async fn tell_of_start(audit: &Audit, config: &Config) {
    for danger in config.dangers() {
        audit
            .record(Record::new(
                Actor::system(),
                AuditEvent::ConfigDanger { key: danger.said(Language::English) },
            ))
            .await;
    }
    audit.record(Record::new(Actor::system(), AuditEvent::GatewayStarted)).await;
}

fn certificates(config: &Config, tasks: &Tasks) -> Result<Arc<Certificates>, Failure> {
    let certificates = Certificates::open(&config.tls, &config.server.domain).map_err(|error| {
        Failure::new(
            Exit::Missing,
            "the gateway has no certificate it could use",
            chain(&error),
            "put a matching pair where [tls] says, or remove both for a development certificate",
        )
    })?;
    certificates.watch(tasks);
    Ok(certificates)
}

/// Where noVNC is: as configured, else as built here, else as Debian installs it.
#[must_use]
pub fn novnc(config: &Config) -> PathBuf {
    let built = PathBuf::from("var/novnc");
    config.viewer.novnc.clone().unwrap_or_else(|| {
        if built.join("core").is_dir() { built } else { PathBuf::from("/usr/share/novnc") }
    })
}

async fn metrics(config: &Config, tasks: &Tasks) -> Result<(), Failure> {
    let failed = |error: &dyn std::error::Error| {
        let todo = "stop what uses that address, or change server.metrics (\"\" for none)";
        Failure::new(Exit::Missing, "metrics cannot be served", chain(error), todo)
    };
    let handle = telemetry::install_metrics().map_err(|error| failed(&error))?;
    if let Some(address) = config.telemetry.metrics {
        telemetry::serve_metrics(address, handle, tasks).await.map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// The engine behind a spawner: one that runs apart, or a child of this process.
async fn engine(config: &Config, config_path: &Path, tasks: &Tasks) -> Result<Arc<dyn Engine>, Failure> {
    if let Some(socket) = &config.engine.spawner {
        return Ok(Arc::new(SpawnerEngine::new(socket.clone())));
    }
    let socket = PathBuf::from(DEFAULT_SOCKET);
    let failed = |why: String| {
        Failure::new(Exit::Missing, "no session could be run", why, "see the spawner's own message above")
    };
    let executable = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let child =
        Child::launch(&executable, config_path, &socket).await.map_err(|error| failed(chain(&error)))?;
    tasks.spawn("spawner child", child.keep_running(tasks.stopping()));
    Ok(Arc::new(SpawnerEngine::new(socket)))
}

/// The statistics, which begin empty.
fn statistics(
    config: &Config,
    broker: &Broker,
    engine: &Arc<dyn Engine>,
    store: &Arc<dyn Store>,
) -> Result<Stats, Failure> {
    let sources = stats::Sources {
        broker: broker.clone(),
        engine: engine.clone(),
        store: store.clone(),
        store_path: store_path(config)?,
    };
    Ok(Stats::new(sources, config.stats.clone(), config.capacity))
}

#[allow(clippy::too_many_arguments, reason = "the composition root hands everything to the pages once")]
fn pages(
    config: &Config,
    novnc: PathBuf,
    broker: &Broker,
    auth: &Arc<Auth>,
    store: &Arc<dyn Store>,
    engine: &Arc<dyn Engine>,
    stats: &Stats,
    (draining, tasks): (&CancellationToken, &Tasks),
    (audit, inventory, kiosk): (Audit, Arc<Inventory>, Kiosk),
) -> Result<Web, Failure> {
    let settings = web::Settings {
        domain: config.server.domain.clone(),
        routing: config.server.routing,
        public_port: public_port(config, &config.server.listen),
        landing: config.web.landing,
        novnc,
    };
    let state = web::State {
        tasks: tasks.clone(),
        broker: broker.clone(),
        kiosk,
        auth: auth.clone(),
        store: store.clone(),
        engine: engine_check(engine, config.engine.danger_skip_isolation),
        stats: stats.clone(),
        draining: draining.clone(),
        audit,
        inventory,
        settings,
    };
    Web::new(state).map_err(|error| {
        Failure::new(
            Exit::Missing,
            "the viewer library noVNC is not there",
            chain(&error),
            "run `images/build novnc` or install the package novnc, or name its directory in viewer.novnc",
        )
    })
}

/// A spawner answers only after it has proven the isolation, unless it was told to skip that.
fn engine_check(engine: &Arc<dyn Engine>, skipped: bool) -> EngineCheck {
    let engine = engine.clone();
    Arc::new(move || {
        let engine = engine.clone();
        async move {
            match engine.ping().await {
                Ok(version) => EngineStatus {
                    version: Some(version.version),
                    isolation_proven: !skipped,
                    isolation_required: !skipped,
                },
                Err(_) => EngineStatus { isolation_required: !skipped, ..EngineStatus::default() },
            }
        }
        .boxed()
    })
}

/// A token that is cancelled when the drain begins.
fn draining(drain: &Drain, tasks: &Tasks) -> CancellationToken {
    let token = CancellationToken::new();
    let (begun, stop, drain) = (token.clone(), tasks.stopping(), drain.clone());
    tasks.spawn("drain", async move {
        tokio::select! {
            () = drain.draining() => {}
            () = stop.cancelled() => {}
        }
        begun.cancel();
    });
    token
}

/// The clocks of the gateway.
fn background(broker: &Broker, auth: &Arc<Auth>, tasks: &Tasks) {
    tasks.spawn("reaper", broker.clone().reap_forever());
    tasks.spawn("reconciler", broker.clone().reconcile_forever());
    tasks.spawn("images", broker.clone().watch_images_forever());
    tasks.spawn("pulls", broker.clone().pull_due_forever());
    tasks.spawn("homes", broker.clone().measure_homes_forever());
    tasks.spawn("grants", broker.clone().lapse_grants_forever());
    tasks.spawn("engine events", broker.clone().follow_engine_forever());
    let (auth, stop) = (auth.clone(), tasks.stopping());
    tasks.spawn("logins", async move {
        let (mut ticks, mut resync_at) = (interval(PURGE_EVERY), Instant::now());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = auth.purge().await {
                warn!(%error, "lapsed logins could not be ended");
            }
            if resync_at > Instant::now() {
                continue;
            }
            resync_at = Instant::now() + RESYNC_EVERY;
            if let Err(error) = auth.resync().await {
                warn!(%error, "logins that another process ended could not be looked for");
            }
        }
    });
    telemetry_of(broker, tasks);
}

fn telemetry_of(broker: &Broker, tasks: &Tasks) {
    let (broker, stop) = (broker.clone(), tasks.stopping());
    tasks.spawn("session metrics", async move {
        let mut ticks = interval(Duration::from_secs(5));
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            for (kind, count) in broker.count_by_state() {
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                metrics::gauge!(telemetry::names::SESSIONS, "state" => kind.name()).set(f64::from(count));
            }
            let small = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
            metrics::gauge!(telemetry::names::STARTS_QUEUED).set(small(broker.queued()));
            metrics::gauge!(telemetry::names::SESSIONS_MAX).set(small(broker.settings().max_sessions));
            for (idle, count) in broker.count_by_idle() {
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                metrics::gauge!(telemetry::names::SESSIONS_IDLE, "idle" => idle).set(f64::from(count));
            }
        }
    });
}

async fn control(
    config: &Config,
    auth: &Arc<Auth>,
    broker: &Broker,
    store: &Arc<dyn Store>,
    stats: &Stats,
    tasks: &Tasks,
) -> Result<(), Failure> {
    let path = config.server.control.clone();
    let performer = Performer {
        auth: auth.clone(),
        broker: Some(broker.clone()),
        store: store.clone(),
        stats: Some(stats.clone()),
    };
    control::serve(path.clone(), performer, tasks.clone()).await.map_err(|error| {
        Failure::new(
            Exit::Missing,
            format!("the control socket {} cannot be made", path.display()),
            error,
            "stop the other gateway, or choose another path in server.control",
        )
    })
}

fn store_failed(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Exit::Missing,
        "the sessions cannot be read from the store",
        chain(error),
        "mend the database or restore a backup",
    )
}

/// The port that browsers use: as configured, else the first that is listened on.
fn public_port(config: &Config, listened: &[SocketAddr]) -> u16 {
    let first = || listened.first().map_or(443, SocketAddr::port);
    config.server.public_port.map_or_else(first, NonZeroU16::get)
}

/// The port that browsers use, as far as the configuration tells.
#[must_use]
pub fn portal_port(config: &Config) -> u16 {
    public_port(config, &config.server.listen)
}

fn portal_at(config: &Config, port: u16) -> String {
    match port {
        443 => format!("https://{}/", config.server.domain),
        port => format!("https://{}:{port}/", config.server.domain),
    }
}

/// The portal as browsers name it, with a slash at the end.
#[must_use]
pub fn portal_url(config: &Config) -> String {
    portal_at(config, public_port(config, &config.server.listen))
}
