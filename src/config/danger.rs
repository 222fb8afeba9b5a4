//! What a configuration weakens, in plain sentences.

use super::Config;
use crate::language::Sentence;
use crate::session::{Protocol, Routing};

/// One sentence for each weakening.
pub(super) fn dangers(config: &Config) -> Vec<Sentence> {
    let mut found = Vec::new();
    if let Some(metrics) = config.telemetry.metrics.filter(|address| !address.ip().is_loopback()) {
        found.push(Sentence::of("danger-metrics").with("address", metrics.to_string()));
    }
    if config.engine.danger_skip_isolation {
        found.push(Sentence::of("danger-isolation"));
    }
    let subnet = ipnet::IpNet::V4(config.engine.subnet);
    for proxy in &config.server.trusted_proxies {
        if proxy.contains(&subnet) || subnet.contains(proxy) {
            let proxy = proxy.to_string();
            let sentence =
                Sentence::of("danger-proxies").with("proxy", proxy).with("subnet", subnet.to_string());
            found.push(sentence);
        }
    }
    if !is_private(config.engine.subnet) {
        found.push(Sentence::of("danger-subnet").with("subnet", subnet.to_string()));
    }
    for template in config.templates.iter().filter(|template| template.danger_share_origin) {
        let routing = template.routing.unwrap_or(config.server.routing);
        if template.protocol == Protocol::Http && routing == Routing::Path {
            found.push(Sentence::of("danger-origin").with("template", template.name.to_string()));
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
