//! The certificate that the gateway presents.

use super::{Finding, Hop, session_host};
use crate::clock;
use crate::config::Config;
use crate::fault::chain;
use crate::server::inspect::Facts;
use crate::server::tls::Certificates;

/// Renewals come a month ahead; who has less than this has none.
const WARN_DAYS: i64 = 14;

pub(super) fn examine(config: &Config) -> Finding {
    let tls = &config.tls;
    if !tls.certificate.exists() && !tls.key.exists() && tls.dev_ca {
        return Finding::warning(
            Hop::Certificate,
            format!(
                "{} is not there; the first start issues one from a development CA",
                tls.certificate.display()
            ),
            "for real use put a certificate and its key where [tls] says",
        );
    }
    if let Err(error) = Certificates::load(&tls.certificate, &tls.key) {
        let todo =
            "put a certificate and the key that belongs to it where [tls] says, readable by the gateway";
        return Finding::broken(Hop::Certificate, chain(&error), todo);
    }
    match Facts::read(&tls.certificate) {
        Ok(facts) => judge(config, &facts),
        Err(error) => {
            Finding::broken(Hop::Certificate, error.to_string(), "put a certificate where [tls] says")
        }
    }
}

fn judge(config: &Config, facts: &Facts) -> Finding {
    let (now, path) = (clock::now(), config.tls.certificate.display());
    let days = facts.expires_at.duration_since(now).as_secs().div_euclid(86_400);
    let missing: Vec<String> = hosts(config).into_iter().filter(|host| !facts.covers(host)).collect();
    if let Some(host) = missing.first() {
        return Finding::broken(
            Hop::Certificate,
            format!("{path} is for {}, but browsers ask for {host}", facts.names.join(", ")),
            format!("get one for {}, or correct server.domain", missing.join(" and ")),
        );
    }
    if facts.begins_at > now {
        let why = format!("{path} holds only from {} on", facts.begins_at);
        return Finding::broken(Hop::Certificate, why, "set the clock, or wait");
    }
    if days < 0 {
        let why = format!("{path} expired on {}", facts.expires_at);
        return Finding::broken(Hop::Certificate, why, "renew it; the gateway takes the new files by itself");
    }
    if days < WARN_DAYS {
        let why = format!("{path} expires in {days} days, on {}", facts.expires_at);
        return Finding::warning(
            Hop::Certificate,
            why,
            "renew it; the gateway takes the new files by itself",
        );
    }
    let names = facts.names.join(", ");
    Finding::ok(
        Hop::Certificate,
        format!("it is for {names}, holds {days} days more, and its key belongs to it"),
    )
}

/// What browsers ask for: the portal and, where sessions have hosts of their own, any of these.
fn hosts(config: &Config) -> Vec<String> {
    [config.server.domain.clone()].into_iter().chain(session_host(config)).collect()
}
