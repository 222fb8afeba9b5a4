//! What people read about a template: what a machine made from it may use and what becomes of its
//! files, in the reader's own language.

use std::time::Duration;

use super::words::{self, Text};
use crate::broker::Installed;
use crate::language::Language;
use crate::session::reap::Policy;
use crate::session::{Home, NetworkPolicy, PullPolicy, Template};

/// Its limits, one short phrase each; `general` holds where the template says nothing.
pub fn limits(language: Language, template: &Template, general: Policy) -> Vec<String> {
    let policy = general.with(&template.limits);
    let cores = language.say("template-cores", &[("cores", template.cpus.into())]);
    let time = |time: Duration| words::remaining(language, time).into();
    let away = language.say("template-away", &[("time", time(policy.away))]);
    let total = policy.total.map(|total| language.say("template-total", &[("time", time(total))]));
    let phrases = [cores, memory(language, template.memory_mib)];
    let network = language.text(match template.network {
        NetworkPolicy::Internal => "template-network-internal",
        NetworkPolicy::Egress => "template-network-egress",
    });
    let home = language.text(match template.home {
        Home::Persistent => "template-home-persistent",
        Home::Session => "template-home-session",
        Home::Ephemeral => "template-home-ephemeral",
    });
    phrases.into_iter().chain([network.into_owned(), home.into_owned(), away]).chain(total).collect()
}

/// Whole gibibytes as such, everything else in mebibytes.
fn memory(language: Language, mib: u64) -> String {
    match mib % 1024 {
        0 => language.say("template-memory-gib", &[("number", (mib / 1024).into())]),
        _ => language.say("template-memory-mib", &[("number", mib.into())]),
    }
}

/// Whether its image is on the machine.
pub fn installed(language: Language, installed: &Installed) -> Text {
    language.text(match installed {
        Installed::Unknown => "image-unknown",
        Installed::Missing => "image-missing",
        Installed::Present(_) => "image-present",
    })
}

/// When its image is fetched without being asked for.
pub fn pull_policy(language: Language, policy: PullPolicy) -> Text {
    language.text(match policy {
        PullPolicy::Never => "pull-never",
        PullPolicy::Missing => "pull-missing",
        PullPolicy::Daily => "pull-daily",
    })
}

/// That a newer image takes a session's place at its next start, and what that costs.
pub fn update(language: Language, home: Home) -> Text {
    language.text(match home {
        Home::Persistent | Home::Session => "update-ready",
        Home::Ephemeral => "update-ready-all",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fake::template;
    use crate::session::Protocol;

    #[test]
    fn limits_are_said_in_words() {
        let mut desktop = template("desktop".parse().unwrap(), Protocol::Rfb);
        (desktop.cpus, desktop.memory_mib, desktop.home) = (1.5, 2048, Home::Persistent);
        let said = limits(Language::English, &desktop, Policy::default());
        assert_eq!(
            said,
            ["1.5 cores", "2 GiB of memory", "no internet", "home kept", "freezes after 1 hour unused"]
        );
        desktop.memory_mib = 1536;
        let said = limits(Language::French, &desktop, Policy::default());
        assert_eq!(said[1], "1536\u{a0}Mio de mémoire");
    }
}
