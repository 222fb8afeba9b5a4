//! From tables to each module's settings.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use ipnet::Ipv4Net;
use jiff::tz::TimeZone;
use toml::Value;

use super::section::{Parsed, Section, Wrong};
use super::settings::{AuthSettings, EngineKind, EngineSettings, StoreSettings, ViewerSettings, WebSettings};
use super::value::{
    address, choice, domain, filled, flag, inside, list, number, object_name, optional, parsed, path,
    routing, seconds, seconds_or_none, text, whole,
};
use crate::audit;
use crate::broker;
use crate::capacity;
use crate::engine::docker;
use crate::secret::Secret;
use crate::server;
use crate::session::ClosingTime;
use crate::session::reap::Policy;
use crate::stats;
use crate::telemetry;
use crate::web::Landing;

/// `[server]`, and the address of the metrics, which belongs to telemetry.
pub(super) fn server(mut table: Section) -> (server::Settings, Option<SocketAddr>) {
    let default = server::Settings::default();
    let settings = server::Settings {
        listen: table.take("listen", default.listen, listen),
        public_port: table
            .take("public_port", default.public_port, |value| whole(0..=65535)(value).map(NonZeroU16::new)),
        domain: table.take("domain", default.domain, domain),
        routing: table.take("routing", default.routing, routing),
        trusted_proxies: table.take("trusted_proxies", default.trusted_proxies, list(parsed("10.0.0.0/8"))),
        max_connections: table.take("max_connections", default.max_connections, whole(1..=1_000_000)),
        handshake: table.take("handshake_s", default.handshake, seconds(1)),
        header: table.take("header_s", default.header, seconds(1)),
        idle: table.take("idle_s", default.idle, seconds(1)),
        drain: table.take("drain_s", default.drain, seconds(0)),
        control: table.take("control", default.control, path),
    };
    let metrics = table.take("metrics", telemetry::Settings::default().metrics, optional(address));
    table.finish();
    (settings, metrics)
}

fn listen(value: &Value) -> Parsed<Vec<SocketAddr>> {
    let addresses = list(address)(value)?;
    if addresses.is_empty() {
        return Err(Wrong::Value("there must be at least one address to listen on".to_owned()));
    }
    Ok(addresses)
}

pub(super) fn tls(mut table: Section) -> server::tls::Settings {
    let default = server::tls::Settings::default();
    let settings = server::tls::Settings {
        certificate: table.take("certificate", default.certificate, path),
        key: table.take("key", default.key, path),
        dev_ca: table.take("dev_ca", default.dev_ca, flag),
    };
    table.finish();
    settings
}

pub(super) fn telemetry(mut table: Section, metrics: Option<SocketAddr>) -> telemetry::Settings {
    const FORMATS: &[(&str, telemetry::Format)] =
        &[("text", telemetry::Format::Text), ("json", telemetry::Format::Json)];
    let default = telemetry::Settings::default();
    let settings = telemetry::Settings {
        format: table.take("format", default.format, choice(FORMATS)),
        filter: table.take("filter", default.filter, |value| {
            let filter = filled(value)?;
            telemetry::check_filter(&filter).map_err(Wrong::Value)?;
            Ok(filter)
        }),
        metrics,
    };
    table.finish();
    settings
}

pub(super) fn store(mut table: Section) -> StoreSettings {
    let url = table.take("url", StoreSettings::default().url, |value| {
        let url = filled(value)?;
        if url.starts_with("redis://") || url.starts_with("rediss://") {
            return Err(Wrong::Value("Redis is not built in yet; name a file with sqlite:PATH".to_owned()));
        }
        match url.strip_prefix("sqlite:") {
            Some(file) if !file.is_empty() => Ok(Secret::new(url)),
            Some(_) | None => Err(Wrong::Value("it must be sqlite: and the path of a file".to_owned())),
        }
    });
    table.finish();
    StoreSettings { url }
}

/// `[engine]`, and the time between two reconciliations, which belongs to the broker.
pub(super) fn engine(mut table: Section) -> (EngineSettings, Duration) {
    let default = EngineSettings::default();
    let settings = EngineSettings {
        kind: table.take("kind", default.kind, engine_kind),
        socket: table.take("socket", default.socket, path),
        network: table.take("network", default.network, object_name),
        subnet: table.take("subnet", default.subnet, subnet),
        spawner: table.take("spawner", default.spawner, optional(path)),
        probe_image: table.take("probe_image", default.probe_image, filled),
        danger_skip_isolation: table.take("danger_skip_isolation", default.danger_skip_isolation, flag),
    };
    let every = table.take("reconcile_s", broker::Settings::default().reconcile_every, seconds(1));
    table.finish();
    (settings, every)
}

fn engine_kind(value: &Value) -> Parsed<EngineKind> {
    const KINDS: &[(&str, EngineKind)] = &[("docker", EngineKind::Docker)];
    match value.as_str() {
        Some("swarm") => Err(Wrong::Value("swarm is not built in yet; write \"docker\"".to_owned())),
        Some(_) | None => choice(KINDS)(value),
    }
}

fn subnet(value: &Value) -> Parsed<Ipv4Net> {
    let subnet: Ipv4Net = parsed("10.201.0.0/16")(value)?;
    if subnet.trunc() != subnet {
        return Err(Wrong::Value(format!(
            "the address has bits outside its prefix; the subnet is {}",
            subnet.trunc()
        )));
    }
    if !(8..=28).contains(&subnet.prefix_len()) {
        return Err(Wrong::Value("the prefix must be from /8 to /28".to_owned()));
    }
    Ok(subnet)
}

/// `[homes]`: what the engine's side and what the broker needs of it.
pub(super) fn homes(mut table: Section) -> (docker::HomeSettings, broker::HomeSettings) {
    let (kept, watched) = (docker::HomeSettings::default(), broker::HomeSettings::default());
    let absolute = |value: &Value| {
        let directory = filled(value)?;
        inside(&directory)?;
        Ok(directory.into())
    };
    let engine = docker::HomeSettings {
        directory: table.take("directory", kept.directory, optional(absolute)),
        quota_mib: table.take("quota_mib", kept.quota_mib, whole(0..=1_073_741_824)),
    };
    let broker = broker::HomeSettings {
        warn_percent: table.take("warn_percent", watched.warn_percent, whole(1..=100)),
        measure_every: table.take("measure_s", watched.measure_every, seconds(1)),
        keep_copies: table.take("keep_copies", watched.keep_copies, whole(1..=1000)),
    };
    table.finish();
    (engine, broker)
}

pub(super) fn limits(mut table: Section, reconcile_every: Duration) -> broker::Settings {
    let default = broker::Settings::default();
    let count = || whole(1..=1_000_000);
    let (time_zone, zone) = time_zone(&mut table);
    let settings = broker::Settings {
        max_sessions: table.take("max_sessions", default.max_sessions, count()),
        max_sessions_per_user: table.take("max_sessions_per_user", default.max_sessions_per_user, count()),
        cpus_per_user: table.take("cpus_per_user", default.cpus_per_user, some_number(1024.0)),
        memory_mib_per_user: table.take("memory_mib_per_user", default.memory_mib_per_user, |value| {
            whole(0..=1 << 40)(value).map(|most: u64| (most > 0).then_some(most))
        }),
        max_parallel_starts: table.take("max_parallel_starts", default.max_parallel_starts, whole(1..=1000)),
        start_deadline: table.take("start_deadline_s", default.start_deadline, seconds(1)),
        queue_deadline: table.take("queue_deadline_s", default.queue_deadline, seconds(1)),
        stop_grace: table.take("stop_grace_s", default.stop_grace, seconds(0)),
        reap: policy(&mut table),
        closing: closing(&mut table, &time_zone, zone),
        time_zone,
        reconcile_every,
        ..default
    };
    if let Some(total) = settings.reap.total.filter(|total| *total < settings.start_deadline) {
        let why = format!(
            "a session would live {} s but may take limits.start_deadline_s = {} s to start",
            total.as_secs(),
            settings.start_deadline.as_secs()
        );
        table.contradicts("total_s", why, "raise total_s, or set it to 0 for no limit");
    }
    if settings.max_sessions_per_user > settings.max_sessions {
        let why = format!(
            "one user may have {} sessions but everyone together only limits.max_sessions = {}",
            settings.max_sessions_per_user, settings.max_sessions
        );
        table.contradicts("max_sessions_per_user", why, "lower it, or raise max_sessions");
    }
    table.finish();
    settings
}

/// A number up to `most`; 0 is none.
fn some_number(most: f64) -> impl Fn(&Value) -> Parsed<Option<f64>> {
    move |value| number(0.0..=most)(value).map(|number| (number > 0.0).then_some(number))
}

/// When sessions lapse.
fn policy(table: &mut Section) -> Policy {
    let default = Policy::default();
    let policy = Policy {
        away: table.take("away_s", default.away, seconds(1)),
        no_viewer: table.take("no_viewer_s", default.no_viewer, seconds_or_none),
        frozen: table.take("frozen_s", default.frozen, seconds(1)),
        total: table.take("total_s", default.total, seconds_or_none),
        extend: table.take("extend_s", default.extend, seconds(0)),
        extend_max: table.take("extend_max_s", default.extend_max, seconds(0)),
        remove_stopped: table.take("remove_stopped_s", default.remove_stopped, seconds(1)),
        ..default
    };
    if let Some(no_viewer) = policy.no_viewer.filter(|no_viewer| *no_viewer >= policy.away) {
        let why = format!(
            "limits.away_s = {} s freezes a session no later, with or without a viewer (here {} s)",
            policy.away.as_secs(),
            no_viewer.as_secs()
        );
        table.contradicts("no_viewer_s", why, "lower it, or set it to 0 for no such limit");
    }
    if policy.extend > policy.extend_max {
        let why = format!(
            "all requests together give only limits.extend_max_s = {} s",
            policy.extend_max.as_secs()
        );
        table.contradicts("extend_s", why, "lower it, or raise extend_max_s");
    }
    policy
}

/// A time zone by its name, which is looked up here, once; none is the machine's.
fn time_zone(table: &mut Section) -> (String, Option<TimeZone>) {
    table.take("time_zone", (String::new(), None), |value| {
        let name = text(value)?;
        if name.is_empty() {
            return Ok((name, None));
        }
        let unknown = |why| Wrong::Value(format!("there is no such time zone: {why}"));
        let zone = TimeZone::get(&name).map_err(unknown)?;
        Ok((name, Some(zone)))
    })
}

fn closing(table: &mut Section, name: &str, zone: Option<TimeZone>) -> Option<ClosingTime> {
    table.take("closing_at", None, |value| {
        let text = text(value)?;
        if text.is_empty() {
            return Ok(None);
        }
        let system = || {
            let unknown =
                |why| Wrong::Value(format!("this machine's time zone is not known ({why}); set time_zone"));
            TimeZone::try_system().map_err(unknown)
        };
        let zone = zone.clone().map_or_else(system, Ok)?;
        ClosingTime::new(&text, zone, name).map(Some).map_err(|why| Wrong::Value(why.to_string()))
    })
}

pub(super) fn auth(mut table: Section) -> AuthSettings {
    let default = AuthSettings::default();
    let settings = AuthSettings {
        login_ttl: table.take("login_ttl_s", default.login_ttl, seconds(60)),
        api_tokens_from_env: table.take("api_tokens_from_env", default.api_tokens_from_env, optional(filled)),
    };
    table.finish();
    settings
}

pub(super) fn capacity(mut table: Section) -> capacity::Settings {
    let default = capacity::Settings::default();
    let times = || number(0.1..=100.0);
    let mib = || whole(0..=1_073_741_824);
    let settings = capacity::Settings {
        cpu_overcommit: table.take("cpu_overcommit", default.cpu_overcommit, times()),
        memory_overcommit: table.take("memory_overcommit", default.memory_overcommit, times()),
        pids_overcommit: table.take("pids_overcommit", default.pids_overcommit, times()),
        reserve_memory_mib: table.take("reserve_memory_mib", default.reserve_memory_mib, mib()),
        reserve_disk_mib: table.take("reserve_disk_mib", default.reserve_disk_mib, mib()),
        session_disk_mib: table.take("session_disk_mib", default.session_disk_mib, mib()),
    };
    table.finish();
    settings
}

pub(super) fn audit(mut table: Section) -> audit::Settings {
    let default = audit::Settings::default();
    let settings =
        audit::Settings { keep_days: table.take("keep_days", default.keep_days, whole(0..=36_500)) };
    table.finish();
    settings
}

pub(super) fn stats(mut table: Section) -> stats::Settings {
    let every = table.take("every_s", stats::Settings::default().every, |value| {
        whole(1..=300)(value).map(Duration::from_secs)
    });
    table.finish();
    stats::Settings { every }
}

pub(super) fn viewer(mut table: Section) -> ViewerSettings {
    let novnc = table.take("novnc", None, optional(path));
    table.finish();
    ViewerSettings { novnc }
}

pub(super) fn web(mut table: Section) -> WebSettings {
    const LANDINGS: &[(&str, Landing)] = &[("dashboard", Landing::Dashboard), ("desktop", Landing::Desktop)];
    let landing = table.take("landing", WebSettings::default().landing, choice(LANDINGS));
    table.finish();
    WebSettings { landing }
}
