//! Our own packet filter: what containers may send, decided on the host.
//!
//! An internal bridge still reaches every service the host offers on all its addresses, and an
//! egress bridge reaches the local network behind the host. One nftables table of ours, apart
//! from the engine's own rules and never touching them, closes both. A packet must pass every
//! table, so the engine cannot open what is closed here.
//!
//! Networks of single sessions come and go: the beginning of their interfaces' names stands in the
//! rules, so that a new one is covered from its first packet. Such sessions may make packets of any
//! kind, so only their own address passes as a source (the route back must lead where the packet
//! came from), and no IPv6.
//!
//! Whoever forges ARP makes the host remember neighbours that are not there, in one table for all
//! sessions: how often each such network may speak ARP to the host is limited, in a table of the
//! same name and the family `arp`.
//!
//! What would leave is rejected rather than dropped: a name lookup that nobody answers holds its
//! program for ten seconds and the removal of its container for three (measured on 20.10).

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::engine::EngineError;

/// How long the `nft` command may take.
const BOUND: Duration = Duration::from_secs(5);

/// IPv4 destinations that are not the public internet (RFC 6890, RFC 6598, RFC 5771): private,
/// shared, link-local with the cloud metadata service, loopback, test, multicast and reserved.
const NOT_PUBLIC: &str = "0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, \
     192.0.0.0/24, 192.0.2.0/24, 192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15, 198.51.100.0/24, 203.0.113.0/24, \
     224.0.0.0/3";

/// The nftables table of one installation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Firewall {
    table: String,
    internal: Vec<String>,
    egress: Vec<String>,
    own: Vec<String>,
    name_servers: Vec<Ipv4Addr>,
}

impl Firewall {
    pub(super) fn new(network: &str, internal: &str, egress: &str) -> Self {
        let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        Self {
            table: format!("berth_{}", network.chars().map(safe).collect::<String>()),
            internal: vec![internal.to_owned()],
            egress: vec![egress.to_owned()],
            own: Vec::new(),
            name_servers: Vec::new(),
        }
    }

    /// Covers the networks of single sessions, whose interfaces' names begin with these.
    #[must_use]
    pub(super) fn with_own_networks(mut self, internal: &str, egress: &str) -> Self {
        let all = |prefix: &str| format!("{prefix}*");
        self.internal.push(all(internal));
        self.egress.push(all(egress));
        self.own = vec![all(internal), all(egress)];
        self
    }

    /// Lets containers with egress also ask these name servers, which usually have private
    /// addresses. Default none.
    #[must_use]
    pub(super) fn with_name_servers(mut self, name_servers: Vec<Ipv4Addr>) -> Self {
        self.name_servers = name_servers;
        self
    }

    /// Puts the rules in place, replacing older ones of ours in one transaction.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when `nft` is missing, not permitted, or refuses the rules.
    pub async fn apply(&self) -> Result<(), EngineError> {
        nft(&["-f", "-"], &(self.rules() + self.arp_rules().as_str())).await.map(drop)
    }

    /// Whether the rules are in place as [`Firewall::apply`] puts them.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when `nft` is missing or not permitted.
    pub async fn verify(&self) -> Result<bool, EngineError> {
        let tables = nft(&["list", "tables"], "").await?;
        let ours = format!("table inet {}", self.table);
        if !tables.lines().any(|line| line.trim() == ours) {
            return Ok(false);
        }
        let listed = nft(&["list", "table", "inet", &self.table], "").await?;
        let rules = [
            "hook prerouting priority raw; policy accept;".to_owned(),
            "hook input priority filter - 10; policy accept;".to_owned(),
            "hook forward priority filter - 10; policy accept;".to_owned(),
            "iifname @bridges counter".to_owned(),
            "comment \"forged\"".to_owned(),
            "comment \"host\"".to_owned(),
            "comment \"inwards\"".to_owned(),
            "comment \"internal\"".to_owned(),
            "comment \"not public\"".to_owned(),
        ];
        let arp = nft(&["list", "table", "arp", &self.table], "").await.unwrap_or_default();
        if !arp.contains("hook input priority filter; policy accept;") || !arp.contains("comment \"flood\"") {
            return Ok(false);
        }
        let interfaces = self.internal.iter().chain(&self.egress).map(|interface| format!("\"{interface}\""));
        Ok(rules.into_iter().chain(interfaces).all(|part| listed.contains(&part)))
    }

    /// Takes the rules away; absent is success.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when `nft` is missing or not permitted.
    pub async fn remove(&self) -> Result<(), EngineError> {
        let table = &self.table;
        // Declared first, because deleting what is absent is an error.
        let gone = |family: &str| format!("table {family} {table} {{}}\ndelete table {family} {table}\n");
        nft(&["-f", "-"], &(gone("inet") + gone("arp").as_str())).await.map(drop)
    }

    /// What each of the networks of single sessions may say to the host's ARP. A desktop at rest says
    /// a frame a minute; entries that nobody uses last about five seconds once the host's table is full.
    fn arp_rules(&self) -> String {
        let (table, own) = (&self.table, elements(&self.own));
        format!(
            r#"table arp {table} {{}}
delete table arp {table}
table arp {table} {{
  set own {{
    type ifname
    flags interval
    {own}
  }}
  set speaking {{
    type ifname
    size 65535
    flags dynamic,timeout
    timeout 1m
  }}
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname @own update @speaking {{ iifname limit rate over 50/second burst 100 packets }} counter drop comment "flood"
  }}
}}
"#
        )
    }

    fn rules(&self) -> String {
        let Self { table, internal, egress, own, name_servers } = self;
        let bridges = elements(&[internal.as_slice(), egress].concat());
        let (internal, egress, own) = (elements(internal), elements(egress), elements(own));
        let mut allowed = String::new();
        for server in name_servers {
            for protocol in ["udp", "tcp"] {
                let _ = writeln!(allowed, "    ip daddr {server} {protocol} dport 53 accept");
            }
        }
        format!(
            r#"table inet {table} {{}}
delete table inet {table}
table inet {table} {{
  set bridges {{
    type ifname
    flags interval
    {bridges}
  }}
  set internal {{
    type ifname
    flags interval
    {internal}
  }}
  set egress {{
    type ifname
    flags interval
    {egress}
  }}
  set own {{
    type ifname
    flags interval
    {own}
  }}
  set not_public {{
    type ipv4_addr
    flags interval
    elements = {{ {NOT_PUBLIC} }}
  }}
  chain prerouting {{
    type filter hook prerouting priority raw; policy accept;
    iifname @own meta nfproto ipv6 counter drop comment "no IPv6"
    iifname @own fib saddr . iif oif missing counter drop comment "forged"
  }}
  chain input {{
    type filter hook input priority filter - 10; policy accept;
    iifname @bridges ct state established,related accept
    iifname @bridges counter drop comment "host"
  }}
  chain forward {{
    type filter hook forward priority filter - 10; policy accept;
    iifname @bridges ct state established,related accept
    oifname @bridges ct state established,related accept
    oifname @bridges counter drop comment "inwards"
    iifname @internal counter reject with icmpx admin-prohibited comment "internal"
    iifname @egress jump outwards
  }}
  chain outwards {{
{allowed}    meta nfproto ipv6 counter drop comment "no IPv6"
    ip daddr @not_public counter reject with icmpx admin-prohibited comment "not public"
  }}
}}
"#
        )
    }
}

/// The contents of a set, which may be none.
fn elements(interfaces: &[String]) -> String {
    if interfaces.is_empty() {
        return String::new();
    }
    let quoted: Vec<_> = interfaces.iter().map(|interface| format!("\"{interface}\"")).collect();
    format!("elements = {{ {} }}", quoted.join(", "))
}

/// The private name servers of the host's `/etc/resolv.conf`, which the engine asks on behalf of
/// containers with egress.
pub(super) fn host_name_servers(resolv_conf: &str) -> Vec<Ipv4Addr> {
    let address = |line: &str| line.trim().strip_prefix("nameserver")?.trim().parse::<Ipv4Addr>().ok();
    resolv_conf.lines().filter_map(address).filter(|address| !address.is_loopback()).collect()
}

/// Runs `nft` with `script` on its standard input.
async fn nft(arguments: &[&str], script: &str) -> Result<String, EngineError> {
    let refused = |detail: String| EngineError::Refused { detail };
    let start = Command::new("nft")
        .args(arguments)
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = start.map_err(|error| {
        refused(format!(
            "the packet filter cannot be set: running nft failed ({error}); install the package nftables"
        ))
    })?;
    let run = async {
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(script.as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    let output = match timeout(BOUND, run).await {
        Err(_) => {
            return Err(EngineError::Slow { verb: "set the packet filter".into(), seconds: BOUND.as_secs() });
        }
        Ok(Err(error)) => return Err(refused(format!("the packet filter cannot be set: {error}"))),
        Ok(Ok(output)) => output,
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(refused(why_refused(output.status, &String::from_utf8_lossy(&output.stderr))))
}

/// What an `nft` that failed means, and what to do.
fn why_refused(status: ExitStatus, said: &str) -> String {
    if let Some(signal) = status.signal() {
        // 1.0.6 crashes while it reads tables that a newer one has written.
        return format!(
            "nft crashed (signal {signal}); a table that a newer nft wrote may be in its way: install a newer \
             package nftables, or delete the tables `inet berth_...` with the nft that wrote them (that of the \
             image berth/gateway, say)"
        );
    }
    let hint =
        if said.contains("not permitted") { "; the spawner needs the capability NET_ADMIN" } else { "" };
    format!("nft refused the packet filter: {}{hint}", said.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of a gateway in a container stayed behind, and the older nft of the host crashed
    /// over it: the error was "nft refused the packet filter: " and nothing more.
    #[test]
    fn a_crash_of_nft_says_what_may_be_in_its_way() {
        let crashed = why_refused(ExitStatus::from_raw(11), "");
        assert!(crashed.contains("signal 11") && crashed.contains("newer"), "{crashed}");
        let forbidden = why_refused(ExitStatus::from_raw(1 << 8), "Operation not permitted\n");
        assert!(forbidden.ends_with("Operation not permitted; the spawner needs the capability NET_ADMIN"));
    }

    #[test]
    fn rules_name_the_table_the_bridges_and_the_name_servers() {
        let firewall = Firewall::new("berth-t1", "bertha", "berthb")
            .with_name_servers(vec![[10, 0, 0, 2].into()])
            .with_own_networks("bti", "bte");
        let rules = firewall.rules();
        assert!(rules.starts_with("table inet berth_berth_t1 {}\ndelete table inet berth_berth_t1\n"));
        assert!(rules.contains(r#"elements = { "bertha", "bti*", "berthb", "bte*" }"#));
        assert!(rules.contains(r#"elements = { "bti*", "bte*" }"#));
        assert!(rules.contains("ip daddr 10.0.0.2 udp dport 53 accept"));
        assert!(rules.contains("169.254.0.0/16"));
    }

    #[test]
    fn loopback_name_servers_are_not_the_networks_business() {
        let servers =
            host_name_servers("# c\nnameserver 10.0.0.2\nnameserver 127.0.0.53\nnameserver fd00::1\n");
        assert_eq!(servers, [Ipv4Addr::new(10, 0, 0, 2)]);
    }
}
