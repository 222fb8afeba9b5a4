//! The effective configuration as a file again, secrets hidden.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use toml::Value;

use super::{Config, EngineKind};
use crate::language::Language;
use crate::session::{ClosingTime, Home, NetworkPolicy, Protocol, Routing, Template, Wording};
use crate::telemetry;
use crate::web::Landing;

impl Display for Config {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.show_server(f)?;
        self.show_rest(f)?;
        self.show_limits(f)?;
        self.templates.iter().try_for_each(|template| show_template(template, f))
    }
}

impl Config {
    fn show_server(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let server = &self.server;
        writeln!(f, "[server]")?;
        line(f, "listen", list(&server.listen))?;
        line(f, "public_port", server.public_port.map_or(0, |port| whole(port.get())))?;
        line(f, "domain", server.domain.as_str())?;
        line(f, "routing", routing(server.routing))?;
        line(f, "metrics", self.telemetry.metrics.map(|metrics| metrics.to_string()).unwrap_or_default())?;
        line(f, "trusted_proxies", list(&server.trusted_proxies))?;
        line(f, "max_connections", whole(server.max_connections))?;
        line(f, "handshake_s", seconds(server.handshake))?;
        line(f, "header_s", seconds(server.header))?;
        line(f, "idle_s", seconds(server.idle))?;
        line(f, "drain_s", seconds(server.drain))?;
        line(f, "control", server.control.display().to_string())?;
        writeln!(f, "\n[tls]")?;
        line(f, "certificate", self.tls.certificate.display().to_string())?;
        line(f, "key", self.tls.key.display().to_string())?;
        line(f, "dev_ca", self.tls.dev_ca)
    }

    fn show_rest(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n[store]")?;
        line(f, "url", without_password(self.store.url.expose()))?;
        let engine = &self.engine;
        writeln!(f, "\n[engine]")?;
        line(
            f,
            "kind",
            match engine.kind {
                EngineKind::Docker => "docker",
            },
        )?;
        line(f, "socket", engine.socket.display().to_string())?;
        line(f, "network", engine.network.as_str())?;
        line(f, "subnet", engine.subnet.to_string())?;
        line(
            f,
            "spawner",
            engine.spawner.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        )?;
        line(f, "probe_image", engine.probe_image.as_str())?;
        line(f, "reconcile_s", seconds(self.limits.reconcile_every))?;
        line(f, "danger_skip_isolation", engine.danger_skip_isolation)?;
        writeln!(f, "\n[homes]")?;
        let (homes, watched) = (&self.homes, &self.limits.homes);
        let directory = homes.directory.as_ref().map(|path| path.display().to_string());
        line(f, "directory", directory.unwrap_or_default())?;
        line(f, "quota_mib", whole(homes.quota_mib))?;
        line(f, "warn_percent", whole(watched.warn_percent))?;
        line(f, "measure_s", seconds(watched.measure_every))?;
        line(f, "keep_copies", whole(watched.keep_copies))?;
        writeln!(f, "\n[stats]")?;
        line(f, "every_s", seconds(self.stats.every))?;
        let capacity = &self.capacity;
        writeln!(f, "\n[capacity]")?;
        line(f, "cpu_overcommit", capacity.cpu_overcommit)?;
        line(f, "memory_overcommit", capacity.memory_overcommit)?;
        line(f, "pids_overcommit", capacity.pids_overcommit)?;
        line(f, "reserve_memory_mib", whole(capacity.reserve_memory_mib))?;
        line(f, "reserve_disk_mib", whole(capacity.reserve_disk_mib))?;
        line(f, "session_disk_mib", whole(capacity.session_disk_mib))?;
        writeln!(f, "\n[auth]")?;
        line(f, "login_ttl_s", seconds(self.auth.login_ttl))?;
        line(f, "api_tokens_from_env", self.auth.api_tokens_from_env.clone().unwrap_or_default())?;
        writeln!(f, "\n[audit]")?;
        line(f, "keep_days", whole(self.audit.keep_days))?;
        writeln!(f, "\n[viewer]")?;
        line(
            f,
            "novnc",
            self.viewer.novnc.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        )?;
        writeln!(f, "\n[web]")?;
        line(
            f,
            "landing",
            match self.web.landing {
                Landing::Dashboard => "dashboard",
                Landing::Desktop => "desktop",
            },
        )?;
        writeln!(f, "\n[log]")?;
        line(
            f,
            "format",
            match self.telemetry.format {
                telemetry::Format::Text => "text",
                telemetry::Format::Json => "json",
            },
        )?;
        line(f, "filter", self.telemetry.filter.as_str())
    }

    fn show_limits(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let limits = &self.limits;
        writeln!(f, "\n[limits]")?;
        line(f, "max_sessions", whole(limits.max_sessions))?;
        line(f, "max_sessions_per_user", whole(limits.max_sessions_per_user))?;
        line(f, "cpus_per_user", limits.cpus_per_user.unwrap_or_default())?;
        line(f, "memory_mib_per_user", whole(limits.memory_mib_per_user.unwrap_or_default()))?;
        line(f, "max_parallel_starts", whole(limits.max_parallel_starts))?;
        line(f, "start_deadline_s", seconds(limits.start_deadline))?;
        line(f, "queue_deadline_s", seconds(limits.queue_deadline))?;
        line(f, "stop_grace_s", seconds(limits.stop_grace))?;
        let (reap, closing) = (&limits.reap, limits.closing.as_ref());
        line(f, "away_s", seconds(reap.away))?;
        line(f, "no_viewer_s", seconds(reap.no_viewer.unwrap_or_default()))?;
        line(f, "frozen_s", seconds(reap.frozen))?;
        line(f, "total_s", seconds(reap.total.unwrap_or_default()))?;
        line(f, "closing_at", closing.map(ClosingTime::time).unwrap_or_default())?;
        line(f, "time_zone", limits.time_zone.as_str())?;
        line(f, "extend_s", seconds(reap.extend))?;
        line(f, "extend_max_s", seconds(reap.extend_max))?;
        line(f, "remove_stopped_s", seconds(reap.remove_stopped))
    }
}

fn show_template(template: &Template, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "\n[[template]]")?;
    line(f, "name", template.name.as_str())?;
    line(f, "title", wording(&template.title))?;
    line(f, "description", wording(&template.description))?;
    line(f, "icon", template.icon.name())?;
    line(f, "image", template.image.as_str())?;
    line(f, "pull", template.pull.name())?;
    line(
        f,
        "protocol",
        match template.protocol {
            Protocol::Rfb => "rfb",
            Protocol::Http => "http",
        },
    )?;
    line(f, "port", whole(template.port))?;
    line(f, "routing", template.routing.map(routing).unwrap_or_default())?;
    line(f, "cpus", template.cpus)?;
    line(f, "memory_mib", whole(template.memory_mib))?;
    line(f, "pids", whole(template.pids))?;
    line(f, "shm_mib", whole(template.shm_mib))?;
    line(
        f,
        "network",
        match template.network {
            NetworkPolicy::Internal => "internal",
            NetworkPolicy::Egress => "egress",
        },
    )?;
    line(
        f,
        "home",
        match template.home {
            Home::Persistent => "persistent",
            Home::Session => "session",
            Home::Ephemeral => "ephemeral",
        },
    )?;
    line(f, "home_dir", template.home_dir.as_str())?;
    let hidden = |name: &String| (name.clone(), Value::from("(hidden)"));
    line(f, "env", Value::Table(template.env.keys().map(hidden).collect()))?;
    line(f, "away_s", seconds(template.limits.away.unwrap_or_default()))?;
    line(f, "total_s", seconds(template.limits.total.unwrap_or_default()))?;
    line(f, "busy_cpu_percent", whole(template.limits.busy_cpu_percent))?;
    line(f, "busy_max_s", seconds(template.limits.busy_max))?;
    line(f, "password_env", template.password_env.clone().unwrap_or_default())?;
    line(f, "read_only", template.read_only)?;
    let names: Vec<&str> = template.capabilities.iter().map(|capability| capability.name()).collect();
    line(f, "capabilities", list(&names))?;
    let volumes: Vec<String> =
        template.volumes.iter().map(|volume| format!("{}:{}", volume.source, volume.target)).collect();
    line(f, "volumes", list(&volumes))?;
    line(f, "danger_share_origin", template.danger_share_origin)
}

fn wording(wording: &Wording) -> Value {
    match wording {
        Wording::One(text) => Value::from(text.as_str()),
        Wording::Each(texts) => {
            let entry = |(language, text): (&Language, &String)| {
                (language.tag().to_owned(), Value::from(text.as_str()))
            };
            Value::Table(texts.iter().map(entry).collect())
        }
    }
}

fn line(f: &mut Formatter<'_>, key: &str, value: impl Into<Value>) -> fmt::Result {
    match value.into() {
        Value::Table(table) => {
            let entries: Vec<String> =
                table.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            writeln!(f, "{key} = {{ {} }}", entries.join(", "))
        }
        value => writeln!(f, "{key} = {value}"),
    }
}

fn list(items: &[impl Display]) -> Value {
    Value::Array(items.iter().map(|item| Value::from(item.to_string())).collect())
}

fn whole(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

fn seconds(duration: Duration) -> i64 {
    whole(duration.as_secs())
}

fn routing(routing: Routing) -> &'static str {
    match routing {
        Routing::Path => "path",
        Routing::Subdomain => "subdomain",
    }
}

/// `scheme://user:password@host` without the password.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((user, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:(hidden)@{host}")
}
