//! The addresses of the domain and, where sessions have hosts of their own, of these.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

use super::{Finding, Hop, session_host};
use crate::config::Config;

/// Whoever takes longer takes too long for a person.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the domain is, with what is to be said of it.
///
/// # Errors
/// What is to be said if it has no address.
pub(super) async fn look_up(config: &Config, port: u16) -> Result<(Finding, Vec<SocketAddr>), Finding> {
    let domain = &config.server.domain;
    let addresses = addresses(domain, port).await.map_err(|why| unnamed(domain, &why))?;
    // Browsers find hosts below it without asking anybody (RFC 6761 §6.3).
    let of_browsers = domain == "localhost" || domain.ends_with(".localhost");
    let finding = match session_host(config).filter(|_| !of_browsers) {
        None => Finding::ok(Hop::Name, format!("{domain} is {}", shown(&addresses))),
        Some(host) => {
            let of_host = self::addresses(&host, port).await;
            judge(domain, &addresses, &host, of_host)
        }
    };
    Ok((finding, addresses))
}

async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let addresses: Vec<SocketAddr> = match timeout(PATIENCE, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_slow) => return Err("the name server does not answer".to_owned()),
    };
    if addresses.is_empty() { Err("it has no address".to_owned()) } else { Ok(addresses) }
}

/// Whether sessions are where the portal is. One wildcard record brings both kinds of hosts here.
fn judge(
    domain: &str,
    addresses: &[SocketAddr],
    host: &str,
    of_host: Result<Vec<SocketAddr>, String>,
) -> Finding {
    let record = format!("make a wildcard record: *.{domain} with the addresses of {domain} (A, AAAA)");
    let portal = shown(addresses);
    match of_host {
        Err(why) => Finding::broken(
            Hop::Name,
            format!(
                "{domain} is {portal}, but no session can be opened: {host}, a host like theirs, cannot be looked up: {why}"
            ),
            record,
        ),
        Ok(of_host) if distinct(&of_host) == distinct(addresses) => {
            Finding::ok(Hop::Name, format!("{domain} is {portal}, and so are the hosts of sessions"))
        }
        Ok(of_host) => Finding::warning(
            Hop::Name,
            format!(
                "{domain} is {portal}, but {host}, a host like those of sessions, is {}",
                shown(&of_host)
            ),
            format!("{record}, unless something that stands in front of Berth is there"),
        ),
    }
}

fn unnamed(domain: &str, why: &str) -> Finding {
    let todo =
        "make the DNS entry (A or AAAA, and *.<domain> for sessions by subdomain), or correct server.domain";
    Finding::broken(Hop::Name, format!("{domain} cannot be looked up: {why}"), todo)
}

fn distinct(addresses: &[SocketAddr]) -> BTreeSet<IpAddr> {
    addresses.iter().map(SocketAddr::ip).collect()
}

fn shown(addresses: &[SocketAddr]) -> String {
    let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn at(ips: &[&str]) -> Vec<SocketAddr> {
        ips.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 443)).collect()
    }

    /// The portal was found and every desktop was not, and the doctor called the name fine.
    #[test]
    fn hosts_of_sessions_are_where_the_portal_is() {
        let (domain, host) = ("desk.example.org", "berth-doctor.desk.example.org");
        let portal = at(&["192.0.2.1", "2001:db8::1"]);
        let judged = |of_host| judge(domain, &portal, host, of_host);

        let same = judged(Ok(at(&["2001:db8::1", "192.0.2.1", "192.0.2.1"])));
        assert_eq!((same.hop, same.verdict, same.todo), (Hop::Name, Verdict::Ok, None));
        let elsewhere = judged(Ok(at(&["192.0.2.9"])));
        assert_eq!(elsewhere.verdict, Verdict::Warning);
        assert!(elsewhere.why.contains("192.0.2.9") && elsewhere.why.contains(host), "{elsewhere}");
        let none = judged(Err("Name or service not known".to_owned()));
        assert_eq!(none.verdict, Verdict::Broken);
        assert!(none.why.contains(host) && none.why.contains("not known"), "{none}");
        for found in [elsewhere, none] {
            assert!(found.todo.as_ref().is_some_and(|todo| todo.contains("*.desk.example.org")), "{found}");
        }
    }
}
