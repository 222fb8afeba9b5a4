//! What a configuration weakens, in plain sentences.

use super::Config;
use crate::session::{Protocol, Routing};

/// One sentence for each weakening.
pub(super) fn dangers(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(metrics) = config.telemetry.metrics.filter(|address| !address.ip().is_loopback()) {
        found.push(format!(
            "server.metrics listens on {metrics}, which other machines may reach: metrics are served without a password."
        ));
    }
    if config.engine.danger_skip_isolation {
        found.push(
            "engine.danger_skip_isolation is on: Berth serves although nothing proves that sessions cannot reach each other or this machine."
                .to_owned(),
        );
    }
    let subnet = ipnet::IpNet::V4(config.engine.subnet);
    for proxy in &config.server.trusted_proxies {
        if proxy.contains(&subnet) || subnet.contains(proxy) {
            found.push(format!(
                "server.trusted_proxies has {proxy}, which covers containers (engine.subnet = {subnet}): a session can forge the address it comes from."
            ));
        }
    }
    if !is_private(config.engine.subnet) {
        found.push(format!("engine.subnet = {subnet} is not a private range: sessions hide the real owners of these addresses."));
    }
    for template in config.templates.iter().filter(|template| template.danger_share_origin) {
        let routing = template.routing.unwrap_or(config.server.routing);
        if template.protocol == Protocol::Http && routing == Routing::Path {
            found.push(format!(
                "template {} has danger_share_origin: its pages run on the portal's own origin and can act as whoever opens them.",
                template.name
            ));
        }
    }
    found
}

fn is_private(subnet: ipnet::Ipv4Net) -> bool {
    let ranges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];
    ranges
        .iter()
        .filter_map(|range| range.parse::<ipnet::Ipv4Net>().ok())
        .any(|range| range.contains(&subnet))
}
