//! The spawner, the engine behind it, the isolation, and the images.

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::{Finding, Findings, Hop};
use crate::app;
use crate::config::Config;
use crate::engine::docker::{Boundaries, DockerEngine};
use crate::engine::spawner::{QUICK, SpawnerEngine};
use crate::engine::{Engine, EngineError, EngineVersion};
use crate::fault::chain;

/// Preparing networks, filter and proof takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// What is wrong with the spawner itself begins like this; else it speaks of the engine.
const OF_SPAWNER: &str = "the spawner ";

const NOT_ASKED: &str = "the engine cannot be asked";

/// What stands on the engine.
const BEHIND: [Hop; 3] = [Hop::Network, Hop::Isolation, Hop::Images];

pub(super) async fn examine(config: &Config, gateway_runs: bool, found: &mut Findings<'_>) {
    match (&config.engine.spawner, gateway_runs) {
        (Some(socket), _) => through(config, socket, found).await,
        (None, true) => through(config, Path::new(app::DEFAULT_SOCKET), found).await,
        (None, false) => directly(config, found).await,
    }
}

/// A spawner that answers had prepared everything when it began; whether it is still so is asked.
async fn through(config: &Config, socket: &Path, found: &mut Findings<'_>) {
    let engine = SpawnerEngine::new(socket.to_owned());
    let asked = engine.ping().await;
    let spawner = spawner(socket, &asked);
    let reached = spawner.is_ok();
    found.add(spawner);
    match asked {
        Ok(version) => {
            found.add(answers(&version));
            held_apart(config.engine.danger_skip_isolation, engine.boundaries().await, found);
            found.add(images(&engine).await);
        }
        Err(error) if reached => {
            found.add(dead(config, &error));
            found.skip(&BEHIND, NOT_ASKED);
        }
        Err(_) => {
            found.skip(&[Hop::Engine], "only the spawner can ask it");
            found.skip(&BEHIND, NOT_ASKED);
        }
    }
}

/// No spawner runs, so this process looks as one that starts would.
async fn directly(config: &Config, found: &mut Findings<'_>) {
    found.add(Finding::ok(Hop::Spawner, "the gateway starts one as its child"));
    let asked = async {
        let settings = app::engine_settings(config);
        let engine = DockerEngine::connect(settings, app::by_name(&config.templates)).await?;
        let version = engine.ping().await?;
        Ok((engine, version))
    };
    match asked.await {
        Ok((engine, version)) => {
            found.add(answers(&version));
            found.add(Finding::ok(Hop::Network, "a start makes what is missing"));
            found.add(isolation(config.engine.danger_skip_isolation, proof(config).await));
            found.add(images(&engine).await);
        }
        Err(error) => {
            found.add(dead(config, &error));
            found.skip(&BEHIND, NOT_ASKED);
        }
    }
}

/// Whether it is the spawner that is broken, or at most what it speaks of.
fn spawner(socket: &Path, asked: &Result<EngineVersion, EngineError>) -> Finding {
    let shown = socket.display();
    match asked {
        // It would have said of a slow engine that it is slow, long before.
        Err(EngineError::Slow { seconds, .. }) if *seconds >= QUICK.as_secs() => Finding::broken(
            Hop::Spawner,
            format!("the spawner at {shown} takes questions, but does not answer within {seconds} s"),
            "if it has just started, it is still proving the isolation: look again; else restart it",
        ),
        Err(EngineError::Down { detail } | EngineError::Refused { detail })
            if detail.starts_with(OF_SPAWNER) =>
        {
            Finding::broken(
                Hop::Spawner,
                detail,
                "start it (`berth spawner`, or its unit or container), of the gateway's own version, \
                 and let the gateway's user open its socket",
            )
        }
        Ok(_) | Err(_) => Finding::ok(Hop::Spawner, format!("it answers on {shown}")),
    }
}

fn answers(version: &EngineVersion) -> Finding {
    Finding::ok(Hop::Engine, format!("{} answers, API {}", version.version, version.api))
}

fn dead(config: &Config, error: &EngineError) -> Finding {
    let todo = format!(
        "start the container engine, and let whoever runs the spawner open {} (engine.socket)",
        config.engine.socket.display()
    );
    Finding::broken(Hop::Engine, chain(error), todo)
}

/// What the spawner says of the networks and the packet filter as they are now.
fn held_apart(skipped: bool, asked: Result<Boundaries, EngineError>, found: &mut Findings<'_>) {
    let Boundaries { filter, network } = match asked {
        Ok(boundaries) => boundaries,
        Err(error) => {
            let why = format!("the spawner does not say how it is: {}", chain(&error));
            let todo = "look at the spawner's log; restart it if it is of another version than this one";
            found.add(Finding::warning(Hop::Network, why, todo));
            return found.skip(&[Hop::Isolation], "the spawner does not say how it is");
        }
    };
    found.add(match network {
        None => Finding::ok(Hop::Network, "they are as the spawner made them"),
        Some(why) => Finding::broken(
            Hop::Network,
            format!("no session can start: {why}"),
            "restart the spawner, which makes its networks when it starts; let nobody prune them",
        ),
    });
    found.add(match filter {
        Some(why) if !skipped => Finding::broken(
            Hop::Isolation,
            format!("sessions may reach each other and this machine, because of the packet filter: {why}"),
            "the spawner puts it back within 30 s: look again; if it does not, its log says why (nft, root's rights)",
        ),
        Some(_) | None => {
            let proof = "the spawner proved it when it started, and the packet filter is as it was then";
            isolation(skipped, Ok(proof))
        }
    });
}

/// Proves it as a start does.
async fn proof(config: &Config) -> Result<&'static str, String> {
    match timeout(PATIENCE, app::prepare(config)).await {
        Ok(Ok(_prepared)) => Ok("a probe reached neither another session nor this machine"),
        Ok(Err(error)) => Err(chain(&error)),
        Err(_slow) => Err(format!("the proof took longer than {} s", PATIENCE.as_secs())),
    }
}

/// `proof` is how it was proven, or why it was not.
fn isolation(skipped: bool, proof: Result<&str, String>) -> Finding {
    match proof {
        Ok(_) if skipped => Finding::warning(
            Hop::Isolation,
            "it is not proven, because the configuration says so",
            "take engine.danger_skip_isolation back as soon as the machine allows it",
        ),
        Ok(how) => Finding::ok(Hop::Isolation, how),
        Err(why) => Finding::broken(
            Hop::Isolation,
            why,
            "mend what is named; the spawner needs root's rights over networks and packet filter (nft)",
        ),
    }
}

async fn images(engine: &dyn Engine) -> Finding {
    let images = match engine.images().await {
        Ok(images) => images,
        Err(error) => return Finding::broken(Hop::Images, chain(&error), "look at the engine's own log"),
    };
    let missing: Vec<String> =
        images.iter().filter(|image| image.found.is_none()).map(|image| image.template.to_string()).collect();
    if missing.is_empty() {
        return Finding::ok(Hop::Images, format!("those of all {} templates are here", images.len()));
    }
    let todo = "`berth template list` shows the command that installs it; or take the template out";
    let what = format!("the image of {} is not on this machine", missing.join(", "));
    // Students are offered what is here; where nothing is, they are offered nothing.
    let find = if missing.len() < images.len() { Finding::warning } else { Finding::broken };
    find(Hop::Images, what, todo)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_spawner_that_cannot_be_used_is_told_from_a_dead_engine() {
        let socket = Path::new("/run/berth/spawner.sock");
        let down = |detail: &str| EngineError::Down { detail: detail.to_owned() };
        let refused = |detail: &str| EngineError::Refused { detail: detail.to_owned() };
        for (error, verdict) in [
            (down("the spawner at /run/berth/spawner.sock: Permission denied"), Verdict::Broken),
            (refused("the spawner and the gateway are of different versions"), Verdict::Broken),
            (refused("the spawner does not understand: unknown variant"), Verdict::Broken),
            (down("connection refused: /run/docker.sock"), Verdict::Ok),
            (refused("500 Internal Server Error"), Verdict::Ok),
            (EngineError::Slow { verb: "answer".to_owned(), seconds: 10 }, Verdict::Ok),
        ] {
            let found = spawner(socket, &Err(error));
            assert_eq!((found.hop, found.verdict), (Hop::Spawner, verdict), "{found}");
            assert_eq!(found.todo.is_some(), verdict == Verdict::Broken, "{found}");
        }
    }

    /// It was blamed on the engine, which nobody had asked.
    #[tokio::test(start_paused = true)]
    async fn a_spawner_that_hangs_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("spawner.sock");
        let _never_accepts = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let config = Config::default();
        let mut told = Vec::new();
        let mut tell = |finding: &Finding| told.push((finding.hop, finding.verdict));
        let mut found = Findings { all: Vec::new(), tell: &mut tell };
        through(&config, &socket, &mut found).await;
        let hung = &found.all[0];
        assert!(hung.why.contains("spawner.sock") && hung.why.contains("does not answer"), "{hung}");
        assert!(hung.todo.as_ref().is_some_and(|todo| todo.contains("restart it")), "{hung}");
        assert_eq!(
            told,
            [
                (Hop::Spawner, Verdict::Broken),
                (Hop::Engine, Verdict::Skipped),
                (Hop::Network, Verdict::Skipped),
                (Hop::Isolation, Verdict::Skipped),
                (Hop::Images, Verdict::Skipped),
            ]
        );
    }

    /// The spawner proved the isolation once; what was flushed since was still called fine.
    #[test]
    fn what_is_gone_while_the_spawner_runs_is_named() {
        let judged = |skipped, asked| {
            let mut ignore = |_: &Finding| {};
            let mut found = Findings { all: Vec::new(), tell: &mut ignore };
            held_apart(skipped, asked, &mut found);
            found.all
        };
        let verdicts = |all: &[Finding]| all.iter().map(|found| found.verdict).collect::<Vec<_>>();
        assert_eq!(verdicts(&judged(false, Ok(Boundaries::default()))), [Verdict::Ok, Verdict::Ok]);
        assert_eq!(verdicts(&judged(true, Ok(Boundaries::default()))), [Verdict::Ok, Verdict::Warning]);

        let flushed = Boundaries { filter: Some("its rules are gone".to_owned()), network: None };
        let found = judged(false, Ok(flushed.clone()));
        assert_eq!(verdicts(&found), [Verdict::Ok, Verdict::Broken]);
        assert!(
            found[1].hop == Hop::Isolation && found[1].why.contains("its rules are gone"),
            "{}",
            found[1]
        );
        assert!(found[1].todo.as_ref().is_some_and(|todo| todo.contains("nft")));
        assert_eq!(
            verdicts(&judged(true, Ok(flushed))),
            [Verdict::Ok, Verdict::Warning],
            "it was to be skipped"
        );

        let pruned = Boundaries { filter: None, network: Some("there is no network berth".to_owned()) };
        let found = judged(false, Ok(pruned));
        assert_eq!(verdicts(&found), [Verdict::Broken, Verdict::Ok]);
        assert!(found[0].hop == Hop::Network && found[0].why.contains("no network berth"), "{}", found[0]);
        assert!(found[0].todo.as_ref().is_some_and(|todo| todo.contains("restart the spawner")));

        let older = EngineError::Refused { detail: "the spawner does not understand: boundaries".to_owned() };
        let found = judged(false, Err(older));
        assert_eq!(verdicts(&found), [Verdict::Warning, Verdict::Skipped]);
        assert!(found[0].todo.as_ref().is_some_and(|todo| todo.contains("another version")), "{}", found[0]);
    }

    #[test]
    fn isolation_is_broken_by_a_leak_and_weakened_by_the_configuration() {
        let leak = "a session can reach what it must not: 10.64.0.1:22";
        for skipped in [false, true] {
            let broken = isolation(skipped, Err(leak.to_owned()));
            assert_eq!((broken.hop, broken.verdict), (Hop::Isolation, Verdict::Broken), "{broken}");
            assert!(broken.why == leak && broken.todo.is_some_and(|todo| todo.contains("nft")));
        }
        let weakened = isolation(true, Ok("a probe reached nothing"));
        assert_eq!((weakened.hop, weakened.verdict), (Hop::Isolation, Verdict::Warning), "{weakened}");
        assert!(weakened.why.contains("not proven"), "{weakened}");
        assert!(weakened.todo.is_some_and(|todo| todo.contains("danger_skip_isolation")));
        let proven = isolation(false, Ok("a probe reached nothing"));
        assert_eq!((proven.verdict, proven.todo), (Verdict::Ok, None));
    }
}
