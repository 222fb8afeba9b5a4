//! What is used and what there is room for: from the running gateway, or from the engine itself when none runs.

use std::time::Duration;

use super::args::OutputArgs;
use super::desk::Desk;
use super::failure::Failure;
use super::here::ask_gateway;
use super::out::say;
use super::show::{print, refusal};
use crate::app::Offline;
use crate::capacity::{Capacity, Resource};
use crate::config::Config;
use crate::control::{self, HostRow, Performer, Reply, Request, UseRow};

/// Between two samples, when no gateway has taken any.
const BETWEEN: Duration = Duration::from_secs(1);

const MIB: f64 = 1_048_576.0;

pub(super) async fn stats(desk: &Desk, output: OutputArgs) -> Result<(), Failure> {
    match ask(desk, Request::Stats).await? {
        Reply::Stats { hosts, sessions } => {
            let document = serde_json::json!({ "hosts": hosts, "sessions": sessions });
            print(output, &document, || show_stats(&hosts, &sessions));
            Ok(())
        }
        other => Err(refusal(other)),
    }
}

pub(super) async fn capacity(desk: &Desk, output: OutputArgs) -> Result<(), Failure> {
    match ask(desk, Request::Capacity).await? {
        Reply::Capacity { capacity } => {
            print(output, &capacity, || show_capacity(&capacity));
            Ok(())
        }
        other => Err(refusal(other)),
    }
}

async fn ask(desk: &Desk, request: Request) -> Result<Reply, Failure> {
    let config = match desk {
        Desk::Here(config) => config,
        Desk::There(remote) => return remote.ask(request).await,
    };
    match ask_gateway(config, &request).await? {
        Some(reply) => Ok(reply),
        None => sampled(config, request).await,
    }
}

/// No gateway has looked at the machine: this process does.
async fn sampled(config: &Config, request: Request) -> Result<Reply, Failure> {
    let offline = Offline::open(config)?;
    let (broker, stats) = offline.stats(config).await?;
    stats.sample_once().await;
    tokio::time::sleep(BETWEEN).await;
    stats.sample_once().await;
    let performer = Performer {
        auth: offline.auth.clone(),
        broker: Some(broker),
        store: offline.store.clone(),
        stats: Some(stats),
    };
    Ok(control::perform(&performer, request).await)
}

fn show_stats(hosts: &[HostRow], sessions: &[UseRow]) {
    let number = |value: Option<f32>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
    let mib =
        |value: Option<f32>| value.map_or("-".to_owned(), |value| format!("{:.0}", f64::from(value) / MIB));
    for host in hosts {
        say!("server {}", host.node);
        say!("  CPU        {} % of all cores, load {}", number(host.cpu_percent), number(host.load_1m));
        say!("  memory     {} of {} MiB", mib(host.memory_used_bytes), mib(host.memory_bytes));
        say!("  disk       {} of {} MiB (containers)", mib(host.disk_used_bytes), mib(host.disk_bytes));
        say!(
            "  disk       {} of {} MiB (database)",
            mib(host.store_disk_used_bytes),
            mib(host.store_disk_bytes)
        );
        say!("  starts     {} in the last hour, and {} that failed", host.starts, host.starts_failed);
    }
    say!(
        "\n{:<14} {:<16} {:<14} {:<9} {:>8} {:>11} PROCESSES",
        "LABEL",
        "OWNER",
        "TEMPLATE",
        "STATE",
        "CPU_%",
        "MEMORY_MIB"
    );
    for row in sessions {
        say!(
            "{:<14} {:<16} {:<14} {:<9} {:>8} {:>11} {}",
            row.label,
            row.owner,
            row.template,
            row.state,
            number(row.usage.cpu_percent),
            row.usage.memory_bytes >> 20,
            row.usage.processes
        );
    }
}

fn show_capacity(capacity: &Capacity) {
    say!("{:<14} {:>5}  BOUND BY", "TEMPLATE", "MORE");
    for room in &capacity.templates {
        let others: Vec<String> =
            room.by_resource.iter().map(|fits| format!("{} {}", fits.resource.name(), fits.more)).collect();
        say!("{:<14} {:>5}  {} ({})", room.template, room.more, room.bound_by.name(), others.join(", "));
    }
    say!(
        "\n{:<19} {:<10} {:>12} {:>12} {:>12} {:>12} {:>12}",
        "RESOURCE",
        "UNIT",
        "TOTAL",
        "PROMISED",
        "RESERVED",
        "FREE",
        "IN_USE"
    );
    for line in &capacity.resources {
        // People count memory and disk in MiB.
        let in_bytes = matches!(line.resource, Resource::Memory | Resource::Disk);
        let amount =
            |value: f64| if in_bytes { format!("{:.0}", value / MIB) } else { format!("{value:.1}") };
        say!(
            "{:<19} {:<10} {:>12} {:>12} {:>12} {:>12} {:>12}",
            line.resource.name(),
            if in_bytes { "MiB" } else { line.unit.as_str() },
            amount(line.total),
            amount(line.promised),
            amount(line.reserved),
            amount(line.free),
            line.used.map_or("-".to_owned(), amount)
        );
    }
}
