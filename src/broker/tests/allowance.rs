//! What one user's sessions may take together.

use super::*;
use crate::session::{Excess, UserLimits};

fn named(name: &str) -> SessionName {
    name.parse().expect("a name")
}

impl Bench {
    async fn limit(&self, limits: UserLimits) {
        let user = self.store.user(self.ann.id).await.expect("a store").expect("ann is there");
        self.store.update_user(&User { limits, ..user }).await.expect("a store");
    }

    async fn another(&self, name: &str) -> Result<Arc<Entry>, BrokerError> {
        self.broker.create(&self.ann, &names().0, named(name)).await
    }
}

fn excess(refused: Result<impl Sized, BrokerError>) -> Excess {
    match refused {
        Err(BrokerError::OverLimit(excess)) => excess,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was let in"),
    }
}

#[tokio::test]
async fn a_users_own_limits_hold_at_once_and_only_for_what_begins() {
    let bench = Bench::new(Settings { max_sessions_per_user: 1, ..settings() }).await;
    let of = template(names().0, Protocol::Rfb);
    let first = bench.ready().await;
    assert!(matches!(bench.another("second").await, Err(BrokerError::TooMany { limit: 1 })));
    bench.limit(UserLimits { max_sessions: Some(3), max_cpus: Some(of.cpus), ..UserLimits::default() }).await;
    assert!(matches!(excess(bench.another("second").await), Excess::Cpus { .. }));
    assert_eq!(bench.store.sessions().await.expect("a store").len(), 1, "nothing is left behind");

    // What rests takes nothing; what runs goes on.
    bench.broker.stop(&first, StopReason::Owner, Next::Rest, &by()).await.expect("it runs");
    until(&first, StateKind::Stopped).await;
    let second = bench.another("second").await.expect("room again");
    until(&second, StateKind::Ready).await;
    assert!(matches!(excess(bench.broker.start(&first, &by()).await), Excess::Cpus { .. }));
    let reset = bench.broker.stop(&first, StopReason::Owner, Next::Reset, &by()).await;
    assert!(matches!(excess(reset), Excess::Cpus { .. }), "a reset from rest is a start");
    assert!(matches!(excess(bench.broker.acquire(&first, Intent::Open).await), Excess::Cpus { .. }));

    let memory = Some(2 * of.memory_mib - 1);
    bench.limit(UserLimits { max_memory_mib: memory, ..UserLimits::default() }).await;
    assert!(matches!(excess(bench.broker.start(&first, &by()).await), Excess::Memory { .. }));
    bench.limit(UserLimits { templates: Some(Default::default()), ..UserLimits::default() }).await;
    assert_eq!(excess(bench.broker.start(&first, &by()).await), Excess::Template(names().0));
    assert_eq!(second.session().state.kind(), StateKind::Ready);
    bench.broker.stop(&second, StopReason::Owner, Next::Restart, &by()).await.expect("what runs may restart");

    bench.limit(UserLimits::default()).await;
    bench.broker.start(&first, &by()).await.expect("no limit is left");
    until(&first, StateKind::Ready).await;
}

#[tokio::test]
async fn of_many_at_once_no_more_begin_than_fit() {
    let of = template(names().0, Protocol::Rfb);
    let limited = Settings { memory_mib_per_user: Some(2 * of.memory_mib), ..settings() };
    let bench = Bench::new(limited).await;
    let mut resting = Vec::new();
    for number in 0..4 {
        let entry = bench.another(&format!("machine {number}")).await.expect("room");
        until(&entry, StateKind::Ready).await;
        bench.broker.stop(&entry, StopReason::Owner, Next::Rest, &by()).await.expect("it runs");
        until(&entry, StateKind::Stopped).await;
        resting.push(entry);
    }
    let actor = by();
    let starts = resting.iter().map(|entry| bench.broker.start(entry, &actor));
    let (begun, refused): (Vec<_>, Vec<_>) =
        futures_util::future::join_all(starts).await.into_iter().partition(Result::is_ok);
    assert_eq!((begun.len(), refused.len()), (2, 2));
    for refused in refused {
        assert!(matches!(excess(refused), Excess::Memory { taken, .. } if taken == 2 * of.memory_mib));
    }
    assert_eq!(bench.broker.taken(bench.ann.id).memory_mib, 2 * of.memory_mib);
}
