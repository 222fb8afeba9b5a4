//! What becomes of sessions when the store is put back from a backup.

use super::*;
use crate::session::Phase;

impl Bench {
    /// The store says `session` again, as a backup of then does, and a gateway starts on it.
    async fn restored_to(&self, session: &Session) -> (Broker, Arc<Entry>) {
        let now = self.store.session(session.id).await.unwrap().unwrap();
        let back = Session { version: now.version, epoch: session.epoch + 1000, ..session.clone() };
        self.store.update_session(&back).await.unwrap();
        self.store.set_restored_at(Some(crate::clock::now())).await.unwrap();
        let broker = self.reborn(settings()).await;
        let entry = broker.entry(session.id).unwrap();
        (broker, entry)
    }
}

#[tokio::test(start_paused = true)]
async fn what_runs_is_adopted_whatever_the_backup_says_of_it() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    let ready = entry.session();
    let upstream = ready.state.upstream().unwrap().clone();
    let other = State::Ready {
        upstream: crate::session::Upstream { container: "before".into(), ..upstream.clone() },
    };
    let starting =
        State::Starting { phase: Phase::Booting, deadline: "2001-01-01T00:00:00Z".parse().unwrap() };
    for state in [
        ready.state.clone(),
        other,
        starting,
        State::Stopped { reason: StopReason::Owner },
        State::Failed { reason: FailReason::EngineDown },
    ] {
        let of_then = Session { state: state.clone(), ..(*ready).clone() };
        let (broker, entry) = bench.restored_to(&of_then).await;
        let now = until(&entry, StateKind::Ready).await;
        assert_eq!(now.state.upstream().unwrap().container, upstream.container, "{state:?}");
        assert!(entry.route().is_some(), "{state:?}");
        assert_eq!(bench.engine.calls().remove, 0, "{state:?}");
        assert_eq!(bench.store.restored_at().await.unwrap(), None, "{state:?}");
        broker.0.tasks.stopping().cancel();
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_run_any_more_says_why() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    let ready = entry.session();
    bench.engine.remove(ready.id).await.unwrap();
    let starting = State::Starting { phase: Phase::Queued, deadline: crate::clock::now() };
    for state in [ready.state.clone(), starting] {
        let of_then = Session { state: state.clone(), ..(*ready).clone() };
        let (_broker, entry) = bench.restored_to(&of_then).await;
        let now = until(&entry, StateKind::Stopped).await;
        assert_eq!(now.state, State::Stopped { reason: StopReason::Restored }, "{state:?}");
        assert_eq!(bench.engine.list().await.unwrap(), [], "{state:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_down_is_waited_for() {
    let bench = Bench::new(settings()).await;
    let ready = bench.ready().await.session();
    bench.engine.set_down(true);
    let (broker, entry) = bench
        .restored_to(&Session { state: State::Stopped { reason: StopReason::Owner }, ..(*ready).clone() })
        .await;
    assert!(bench.store.restored_at().await.unwrap().is_some());
    bench.engine.set_down(false);
    broker.reconcile(&mut HashSet::new()).await.unwrap();
    until(&entry, StateKind::Ready).await;
    assert_eq!(bench.store.restored_at().await.unwrap(), None);
}
