//! `berth doctor`: looks at everything that has to be right, from the configuration to the address that
//! browsers use, and names what is not.
//!
//! Each thing looked at is a [`Hop`]. Later ones stand on earlier ones: what cannot be looked at because
//! something before it is broken is skipped, so that the one that is broken stands alone. The gateway may run
//! or not. Nothing is changed but what a start changes too.

mod certificate;
mod engine;
mod machine;
mod name;
mod store;
mod url;

use std::fmt;

use serde::Serialize;

use crate::config::{Config, ConfigErrors};
use crate::language::{Language, Sentence};
use crate::session::Routing;

/// One thing that is looked at, in this order.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hop {
    /// The configuration can be read.
    Configuration,
    /// The clock is plausible.
    Clock,
    /// There is room on the disks.
    Disk,
    /// The store can be read and written.
    Store,
    /// The audit's chain is whole.
    Audit,
    /// The certificate and its key.
    Certificate,
    /// The viewer's library.
    Viewer,
    /// The privileged process.
    Spawner,
    /// What runs containers.
    Engine,
    /// What sessions are attached to.
    Network,
    /// Sessions reach neither each other nor this machine.
    Isolation,
    /// What sessions are made from.
    Images,
    /// The gateway's process.
    Gateway,
    /// Its own address on this machine.
    Listener,
    /// The domain's address.
    Name,
    /// The port that browsers use.
    Port,
    /// Who answers there.
    Tls,
    /// What is answered there.
    Health,
    /// Whether WebSockets come through.
    WebSocket,
}

impl Hop {
    /// What people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Clock => "clock",
            Self::Disk => "disk",
            Self::Store => "store",
            Self::Audit => "audit",
            Self::Certificate => "certificate",
            Self::Viewer => "viewer library",
            Self::Spawner => "spawner",
            Self::Engine => "engine",
            Self::Network => "networks",
            Self::Isolation => "isolation",
            Self::Images => "images",
            Self::Gateway => "gateway",
            Self::Listener => "own address",
            Self::Name => "domain name",
            Self::Port => "public port",
            Self::Tls => "public TLS",
            Self::Health => "public HTTP",
            Self::WebSocket => "public WebSocket",
        }
    }
}

/// How a hop is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but somebody should know.
    Warning,
    /// It does not work.
    Broken,
    /// It was not looked at, because it stands on something that is not there.
    Skipped,
}

/// What was found at one hop.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// Where.
    pub hop: Hop,
    /// How it is.
    pub verdict: Verdict,
    /// What was seen.
    pub why: String,
    /// What to do; absent where nothing needs to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
}

impl Finding {
    fn ok(hop: Hop, why: impl Into<String>) -> Self {
        Self { hop, verdict: Verdict::Ok, why: why.into(), todo: None }
    }

    fn warning(hop: Hop, why: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { hop, verdict: Verdict::Warning, why: why.into(), todo: Some(todo.into()) }
    }

    fn broken(hop: Hop, why: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { hop, verdict: Verdict::Broken, why: why.into(), todo: Some(todo.into()) }
    }

    fn skipped(hop: Hop, why: impl Into<String>) -> Self {
        Self { hop, verdict: Verdict::Skipped, why: why.into(), todo: None }
    }

    fn is_ok(&self) -> bool {
        matches!(self.verdict, Verdict::Ok | Verdict::Warning)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hop, verdict, why, todo } = self;
        let mark = match verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "WARNING",
            Verdict::Broken => "BROKEN",
            Verdict::Skipped => "-",
        };
        let indent = "\n                           ";
        write!(f, "{mark:<8} {:<17} {}", hop.title(), why.replace('\n', indent))?;
        todo.iter().try_for_each(|todo| write!(f, "{indent}do: {todo}"))
    }
}

/// Everything that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether nothing is broken.
    pub healthy: bool,
    /// The first hop that is broken: what to mend first.
    pub broken: Option<Hop>,
    /// Each hop.
    pub findings: Vec<Finding>,
}

impl Report {
    fn of(findings: Vec<Finding>) -> Self {
        let broken = findings.iter().find(|found| found.verdict == Verdict::Broken).map(|found| found.hop);
        Self { healthy: broken.is_none(), broken, findings }
    }

    /// Of a configuration that cannot be read: nothing else can be looked at.
    #[must_use]
    pub fn unconfigured(errors: &ConfigErrors) -> Self {
        let todo = "correct it; `berth check-config` checks again";
        Self::of(vec![Finding::broken(Hop::Configuration, errors.to_string(), todo)])
    }

    /// The last line: what is broken first.
    #[must_use]
    pub fn conclusion(&self) -> String {
        self.broken.map_or("nothing is broken".to_owned(), |hop| format!("broken: {}", hop.title()))
    }
}

/// What was found so far; whoever waits hears of each finding when it is made.
struct Findings<'a> {
    all: Vec<Finding>,
    tell: &'a mut dyn FnMut(&Finding),
}

impl Findings<'_> {
    fn add(&mut self, finding: Finding) {
        (self.tell)(&finding);
        self.all.push(finding);
    }

    fn skip(&mut self, hops: &[Hop], why: &str) {
        for hop in hops {
            self.add(Finding::skipped(*hop, why));
        }
    }
}

/// Looks at everything, and tells each finding when it is made.
pub async fn examine(config: &Config, tell: &mut dyn FnMut(&Finding)) -> Report {
    let mut found = Findings { all: Vec::new(), tell };
    found.add(configuration(config));
    found.add(machine::clock(config));
    found.add(machine::disks(config));
    store::examine(config, &mut found).await;
    found.add(certificate::examine(config));
    found.add(machine::viewer(config));
    let gateway = url::gateway(config).await;
    engine::examine(config, gateway.verdict != Verdict::Skipped, &mut found).await;
    url::examine(config, gateway, &mut found).await;
    Report::of(found.all)
}

/// A host like those of sessions, if any of them has one of its own. No label looks like this one.
fn session_host(config: &Config) -> Option<String> {
    let subdomain = |routing: Option<Routing>| routing.unwrap_or(config.server.routing) == Routing::Subdomain;
    let own = config.templates.iter().any(|template| subdomain(template.routing));
    own.then(|| format!("berth-doctor.{}", config.server.domain))
}

fn configuration(config: &Config) -> Finding {
    let templates = config.templates.len();
    let said = |danger: &Sentence| danger.said(Language::English);
    match config.dangers().as_slice() {
        [] => Finding::ok(Hop::Configuration, format!("it can be read; {templates} templates")),
        dangers => Finding::warning(
            Hop::Configuration,
            format!("it weakens security: {}", dangers.iter().map(said).collect::<Vec<_>>().join("; ")),
            "take these keys back once they are not needed any more",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_broken_hop_is_named() {
        let report = Report::of(vec![
            Finding::ok(Hop::Store, "it can be written"),
            Finding::warning(Hop::Certificate, "two days are left", "renew it"),
            Finding::broken(Hop::Engine, "no such file", "start it"),
            Finding::broken(Hop::Images, "desktop is missing", "build it"),
            Finding::skipped(Hop::Tls, "no gateway runs"),
        ]);
        assert_eq!((report.healthy, report.broken), (false, Some(Hop::Engine)));
        assert_eq!(report.conclusion(), "broken: engine");
        let text: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        let todo = "                           do: ";
        assert_eq!(text[0], "ok       store             it can be written");
        assert_eq!(text[1], format!("WARNING  certificate       two days are left\n{todo}renew it"));
        assert_eq!(text[2], format!("BROKEN   engine            no such file\n{todo}start it"));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["broken"], &json["findings"][4]["hop"]), (&"engine".into(), &"tls".into()));
        assert!(Report::of(vec![Finding::skipped(Hop::Tls, "")]).healthy);
    }
}
