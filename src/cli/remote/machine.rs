//! Templates, images and statistics of a gateway elsewhere.

use http::Method;
use serde_json::{Value, json};

use super::{Remote, another_version, done, each, read, segment, text};
use crate::cli::failure::Failure;
use crate::control::{HostRow, Reply, TemplateRow, UseRow};

const TEMPLATES: &str = "/api/v1/templates";
const STATS: &str = "/api/v1/stats";

impl Remote {
    pub(super) async fn templates(&self) -> Result<Reply, Failure> {
        Ok(match self.items(TEMPLATES).await? {
            Ok(items) => Reply::Templates { templates: each(&items, |item| template(item.clone()))? },
            Err(refused) => refused,
        })
    }

    /// Begins to fetch a template's image.
    pub(super) async fn pull(&self, name: &str) -> Result<Reply, Failure> {
        let begun = self.call(Method::POST, &format!("{TEMPLATES}/{}/pull", segment(name)), None).await?;
        Ok(done(begun, |_| format!("the image of {name} is being fetched")))
    }

    /// What there is room for.
    pub(super) async fn capacity(&self) -> Result<Reply, Failure> {
        let shown = match self.call(Method::GET, "/api/v1/capacity", None).await? {
            Ok(shown) => shown.get("capacity").cloned().unwrap_or_default(),
            Err(refused) => return Ok(refused),
        };
        if shown.is_null() {
            let text = "the machine was not looked at yet; try again in a moment".to_owned();
            return Ok(Reply::Refused { code: "not_sampled".to_owned(), text });
        }
        read(shown).map(|capacity| Reply::Capacity { capacity }).ok_or_else(another_version)
    }

    /// The machines, and the sessions that run, the busiest first.
    pub(super) async fn stats(&self) -> Result<Reply, Failure> {
        let shown = (self.items(STATS).await?, self.items("/api/v1/sessions").await?);
        let (hosts, sessions) = match shown {
            (Ok(hosts), Ok(sessions)) => (hosts, sessions),
            (Err(refused), _) | (_, Err(refused)) => return Ok(refused),
        };
        let mut used = Vec::new();
        let runs = |session: &&Value| !matches!(text(session, "state"), "stopped" | "failed");
        for session in sessions.into_iter().filter(|session| runs(&session)) {
            let path = format!("{STATS}?session={}", segment(text(&session, "label")));
            // One that has gone meanwhile is not what was asked about.
            let Ok(mut of) = self.items(&path).await? else { continue };
            let usage = of.pop().and_then(|of| of.get("usage").cloned()).unwrap_or_default();
            if usage.is_object() {
                used.push(row(session, usage).ok_or_else(another_version)?);
            }
        }
        let cpu = |row: &UseRow| row.usage.cpu_percent.unwrap_or_default();
        used.sort_by(|one, other| cpu(other).total_cmp(&cpu(one)));
        Ok(Reply::Stats { hosts: hosts.iter().map(host).collect(), sessions: used })
    }
}

/// A template as the API shows it, as a row of ours; what only administrators read is empty for others.
fn template(mut shown: Value) -> Option<TemplateRow> {
    let image = shown["image"].take();
    shown["image"] = text(&image, "name").into();
    shown["found"] = if image["id"].is_string() { image } else { Value::Null };
    if !shown["pull_policy"].is_string() {
        shown["pull_policy"] = "".into();
    }
    if shown["pull"].is_object() {
        let mut pull = json!({ "layers_done": 0, "layers": 0, "bytes": 0, "total_bytes": 0, "detail": null });
        for (key, value) in [&shown["pull"], &shown["pull"]["progress"]].into_iter().flat_map(fields) {
            pull[key] = value.clone();
        }
        shown["pull"] = pull;
    }
    read(shown)
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn row(session: Value, usage: Value) -> Option<UseRow> {
    let mut row = session;
    row["usage"] = usage;
    read(row)
}

/// A machine's series as the row of its last values.
fn host(shown: &Value) -> HostRow {
    let numbers = |name: &str| {
        let all = shown["series"].as_array().into_iter().flatten();
        let series =
            all.filter(|series| text(series, "name") == name).filter_map(|one| one["values"].as_array());
        series.flatten().filter_map(Value::as_f64).map(|number| number as f32).collect::<Vec<_>>()
    };
    let last = |name: &str| numbers(name).pop();
    HostRow {
        node: text(shown, "node").to_owned(),
        cpu_percent: last("cpu"),
        load_1m: last("load_1m"),
        memory_used_bytes: last("memory_used"),
        memory_bytes: last("memory_total"),
        disk_used_bytes: last("disk_used"),
        disk_bytes: last("disk_total"),
        store_disk_used_bytes: last("store_disk_used"),
        store_disk_bytes: last("store_disk_total"),
        processes: last("processes"),
        containers: last("containers"),
        sessions_ready: last("sessions_ready"),
        starts: numbers("starts").iter().sum(),
        starts_failed: numbers("starts_failed").iter().sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_of_the_api_is_a_row_whoever_reads_it() {
        let mut shown = json!({
            "name": "lab", "title": "Lab", "description": "", "icon": "desktop", "protocol": "rfb", "cpus": 1.0,
            "memory_mib": 512, "away_s": 60, "total_s": null, "network": "internal", "home": "persistent",
            "installed": true,
        });
        let row = template(shown.clone()).unwrap();
        assert_eq!((row.image.as_str(), row.command, row.found.is_none()), ("", None, true));
        shown["image"] = json!({
            "name": "berth/lab", "id": "sha256:1", "size_bytes": 7, "created_at": null, "version": null, "digest": null,
        });
        shown["pull"] = json!({ "state": "running", "progress": {
            "layers_done": 1, "layers": 2, "bytes": 30, "total_bytes": 40,
        }});
        let row = template(shown).unwrap();
        assert_eq!((row.image.as_str(), row.found.map(|found| found.size_bytes)), ("berth/lab", Some(7)));
        let pull = row.pull.unwrap();
        assert_eq!((pull.state.as_str(), pull.layers_done, pull.total_bytes), ("running", 1, 40));
    }

    #[test]
    fn a_machine_is_the_row_of_its_last_values() {
        let shown = json!({ "node": "a", "series": [
            { "name": "cpu", "values": [1.0, 12.5, null] }, { "name": "starts", "values": [1.0, null, 2.0] },
        ]});
        let row = host(&shown);
        assert_eq!((row.node.as_str(), row.cpu_percent, row.starts), ("a", Some(12.5), 3.0));
        assert_eq!(row.memory_bytes, None);
    }
}
