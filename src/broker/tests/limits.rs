//! Limits, more time, and what the audit says of endings.

use super::*;
use crate::session::{TemplateLimits, ViewerRole};

/// Bodies of the audit's lines of one event, as JSON.
pub(super) async fn audited(bench: &Bench, event: &str) -> Vec<serde_json::Value> {
    let lines = bench.store.audit(0, 1000).await.expect("a store");
    let lines = lines.into_iter().map(|line| serde_json::from_str(&line.body).expect("a line is JSON"));
    lines.filter(|line: &serde_json::Value| line["event"] == event).collect()
}

#[tokio::test]
async fn the_audit_names_who_ended_it_and_says_what_people_read() {
    let bench = Bench::new(settings()).await;
    let root = Actor::user("root", [192, 0, 2, 9].into());
    let entry = bench.ready().await;
    bench.broker.pause(&entry, &root).await.expect("it may be frozen");
    bench.broker.stop(&entry, StopReason::Admin, Next::Rest, &root).await.expect("it may be stopped");
    until(&entry, StateKind::Stopped).await;
    bench.broker.start(&entry, &by()).await.expect("it may be started");
    until(&entry, StateKind::Ready).await;
    bench.broker.stop(&entry, StopReason::Admin, Next::Remove, &root).await.expect("it may be removed");
    eventually("it is gone", || bench.broker.entry(entry.id).is_none()).await;

    for (event, actor) in [
        ("session_created", "ann"),
        ("session_paused", "root"),
        ("session_stopped", "root"),
        ("session_started", "ann"),
        ("session_ready", "system"),
        ("session_removed", "root"),
    ] {
        // The last lines are written just after the session is gone.
        let deadline = Instant::now() + SOON;
        let lines = loop {
            let lines = audited(&bench, event).await;
            if !lines.is_empty() || Instant::now() > deadline {
                break lines;
            }
            tokio::task::yield_now().await;
        };
        assert!(!lines.is_empty() && lines.iter().all(|line| line["actor"] == actor), "{event}: {lines:?}");
    }
    let stopped = &audited(&bench, "session_stopped").await[0];
    assert_eq!((&stopped["reason"], &stopped["address"]), (&"admin".into(), &"192.0.2.9".into()));
    assert_eq!(stopped["text"], StopReason::Admin.sentence());
}

#[tokio::test]
async fn more_time_is_granted_up_to_a_cap_and_survives_the_gateway() {
    let secs = Duration::from_secs;
    let policy = Policy { total: Some(secs(100)), extend: secs(30), extend_max: secs(50), ..settings().reap };
    let settings = Settings { reap: policy, ..settings() };
    let bench = Bench::new(settings.clone()).await;
    let entry = bench.ready().await;
    let left = |broker: &Broker, entry: &Entry| {
        let expiry = broker.expiry(entry).expect("it has a limit");
        assert_eq!(expiry.because.name(), "total");
        expiry.remaining.as_secs_f64().round()
    };
    let mut changes = bench.broker.changes();
    let before = left(&bench.broker, &entry);
    bench.broker.extend(&entry, &by()).await.expect("it may have more time");
    assert!(matches!(changes.try_recv(), Ok(Change::Changed(_))), "open pages are told at once");
    assert!((left(&bench.broker, &entry) - before - 30.0).abs() < 3.0);
    assert_eq!(entry.last_input().1, InputSource::Extend);

    let broker = bench.reborn(settings).await;
    let entry = broker.find(entry.label.as_str()).expect("it is remembered");
    assert!((left(&broker, &entry) - before - 30.0).abs() < 3.0, "it survives");
    broker.extend(&entry, &by()).await.expect("there is a rest");
    assert!((left(&broker, &entry) - before - 50.0).abs() < 3.0, "the rest and no more");
    assert!(!broker.is_extendable(&entry));
    let refused = broker.extend(&entry, &by()).await;
    assert!(matches!(refused, Err(BrokerError::ExtendSpent { limit }) if limit == secs(50)), "{refused:?}");
    let lines = audited(&bench, "session_extended").await;
    let granted: Vec<_> = lines.iter().map(|line| (&line["by_s"], &line["actor"])).collect();
    assert_eq!(granted, [(&30.into(), &"ann".into()), (&20.into(), &"ann".into())]);

    broker.stop(&entry, StopReason::Owner, Next::Restart, &by()).await.expect("a restart");
    eventually("it is reachable anew", || entry.route().is_some_and(|route| route.upstream.epoch == 2)).await;
    assert!((left(&broker, &entry) - 100.0).abs() < 3.0, "each start has its own cap");
    assert!(broker.is_extendable(&entry));
}

#[tokio::test]
async fn asking_for_time_where_only_use_counts_is_use_and_costs_nothing() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    for _ in 0..20 {
        bench.broker.extend(&entry, &by()).await.expect("it counts as input");
    }
    assert_eq!((entry.session().extended_s, entry.last_input().1), (0, InputSource::Extend));
    bench.broker.pause(&entry, &by()).await.expect("it may be frozen");
    assert!(!bench.broker.is_extendable(&entry));
    assert!(matches!(bench.broker.extend(&entry, &by()).await, Err(BrokerError::Illegal(_))));
}

/// A closing time so many whole minutes from now, in UTC; the seconds until then are fewer.
fn closing_in(minutes: u64) -> ClosingTime {
    let at = clock::later(clock::now(), Duration::from_mins(minutes)).to_string();
    ClosingTime::new(&at[11..16], jiff::tz::TimeZone::UTC, "UTC").expect("a time of day")
}

#[tokio::test]
async fn closing_time_is_announced_put_off_and_kept() {
    let settings = Settings { closing: Some(closing_in(5)), ..settings() };
    let bench = Bench::new(settings.clone()).await;
    let entry = bench.ready().await;
    let closes = |broker: &Broker, entry: &Entry| {
        let expiry = broker.expiry(entry).expect("it has a limit");
        (expiry.because.name(), expiry.remaining.as_secs())
    };
    let (name, before) = closes(&bench.broker, &entry);
    assert!(name == "closing_time" && (235..=300).contains(&before), "{name} {before}");
    bench.broker.extend(&entry, &by()).await.expect("it may have more time");
    let (name, after) = closes(&bench.broker, &entry);
    assert!(name == "closing_time" && (1795..=1800).contains(&(after - before)), "{name} {after}");

    // It comes while nobody can be asked: the gateway is down.
    let mut session = (*entry.session()).clone();
    session.closes_at = Some(clock::earlier(clock::now(), Duration::from_secs(1801)).expect("a time"));
    bench.store.update_session(&session).await.expect("a store");
    let broker = bench.reborn(settings).await;
    let entry = broker.find(entry.label.as_str()).expect("it is remembered");
    broker.reap().await;
    let stopped = until(&entry, StateKind::Stopped).await;
    assert_eq!(stopped.state, State::Stopped { reason: StopReason::ClosingTime });
    broker.start(&entry, &by()).await.expect("it may be started again");
    until(&entry, StateKind::Ready).await;
    eventually("the next closing time counts", || closes(&broker, &entry).1 > 200).await;
}

#[tokio::test]
async fn a_frozen_session_stops_at_closing_time_too() {
    let bench = Bench::new(Settings { closing: Some(closing_in(5)), ..settings() }).await;
    let entry = bench.ready().await;
    bench.broker.pause(&entry, &by()).await.expect("it may be frozen");
    assert_eq!(bench.broker.expiry(&entry).map(|expiry| expiry.because.name()), Some("closing_time"));
}

#[tokio::test]
async fn a_restart_keeps_what_the_last_input_was_and_spares_everybody() {
    let away = Duration::from_secs(3600);
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    entry.note_input(InputSource::Pointer);
    let mut session = (*entry.session()).clone();
    let long_ago = clock::earlier(clock::now(), away * 3);
    (session.ready_at, session.last_input_at) = (long_ago, clock::earlier(clock::now(), away * 2));
    session.last_input_source = Some(InputSource::Pointer);
    bench.store.update_session(&session).await.expect("a store");

    let broker = bench.reborn(settings()).await;
    let entry = broker.find(entry.label.as_str()).expect("it is remembered");
    let (ago, source) = entry.last_input();
    assert_eq!(source, InputSource::Pointer);
    assert!(ago > away && ago < away * 2 + SOON, "what is shown is what was stored: {ago:?}");
    let expiry = broker.expiry(&entry).expect("it has a limit");
    assert!(expiry.remaining > away - SOON, "nobody is frozen by a restart: {expiry:?}");
}

#[tokio::test]
async fn a_session_that_nobody_has_open_is_frozen_sooner() {
    let no_viewer = Duration::from_millis(300);
    let policy = Policy { no_viewer: Some(no_viewer), ..settings().reap };
    let bench = Bench::new(Settings { reap: policy, ..settings() }).await;
    let entry = bench.ready().await;
    let join = async |role| {
        let address = std::net::Ipv4Addr::LOCALHOST.into();
        entry.join(Attendee { user: entry.owner, name: "ann".to_owned(), role, address }).await
    };
    let viewer = join(ViewerRole::Owner).await;
    let opened = Instant::now();
    while opened.elapsed() < no_viewer * 2 {
        bench.broker.reap().await;
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(entry.session().state.kind(), StateKind::Ready, "an open viewer keeps it");
    // Who only watches keeps nothing awake.
    let _observer = join(ViewerRole::Observer).await;
    drop(viewer);
    assert_eq!(bench.broker.expiry(&entry).map(|expiry| expiry.because.name()), Some("no_viewer"));
    let closed = Instant::now();
    while entry.session().state.kind() == StateKind::Ready && closed.elapsed() < SOON {
        bench.broker.reap().await;
        sleep(Duration::from_millis(10)).await;
    }
    assert!(closed.elapsed() >= no_viewer, "the clock began with the end of the last viewer");
    assert_eq!(entry.session().state.kind(), StateKind::Paused);
}

/// A bench whose template lets a working container go on for `busy_max` longer.
async fn busy_bench(away: Duration, busy_max: Duration) -> Bench {
    let mut bench = Bench::new(settings()).await;
    let limits = TemplateLimits { away: Some(away), total: None, busy_cpu_percent: 50, busy_max };
    let made_from = Template { limits, ..template(names().0, Protocol::Rfb) };
    bench.broker = Broker::new(
        bench.store.clone(),
        Arc::new(bench.engine.clone()),
        Audit::new(bench.store.clone()),
        [made_from],
        settings(),
        Tasks::new(),
    );
    bench
}

/// Passes of the reaper until the session is frozen; tells how long after its last input that was.
async fn reaped_until_frozen(bench: &Bench, entry: &Entry, mut each: impl FnMut(Duration)) -> Duration {
    let began = Instant::now();
    while entry.session().state.kind() == StateKind::Ready {
        assert!(began.elapsed() < SOON, "never frozen");
        each(entry.last_input().0);
        bench.broker.reap().await;
        sleep(Duration::from_millis(20)).await;
    }
    entry.last_input().0
}

#[tokio::test]
async fn work_puts_the_away_limit_off_as_long_as_it_goes_on_and_no_longer_than_its_cap() {
    let (away, cap) = (Duration::from_secs(2), Duration::from_secs(2));
    let bench = busy_bench(away, cap).await;
    let entry = bench.ready().await;
    bench.engine.work(entry.id, 0.9);
    let mut because = Vec::new();
    let frozen = reaped_until_frozen(&bench, &entry, |_| {
        because.extend(bench.broker.expiry(&entry).map(|expiry| expiry.because.name()));
    })
    .await;
    because.dedup();
    assert_eq!(because, ["away", "busy"], "the reason shows itself");
    assert!(frozen >= away + cap && frozen < away + cap + away / 2, "{frozen:?}");

    bench.broker.resume(&entry, &by()).await.expect("it may be resumed");
    let engine = bench.engine.clone();
    let id = entry.id;
    let frozen = reaped_until_frozen(&bench, &entry, |idle| {
        if idle > away + Duration::from_millis(200) {
            engine.work(id, 0.1);
        }
    })
    .await;
    assert!(frozen > away && frozen < away + cap, "its work was done: {frozen:?}");
}

#[tokio::test]
async fn a_template_that_does_not_ask_costs_no_sample_and_an_idle_container_gets_no_time() {
    let away = Duration::from_millis(1200);
    let bench = Bench::new(Settings { reap: Policy { away, ..settings().reap }, ..settings() }).await;
    let entry = bench.ready().await;
    bench.engine.work(entry.id, 2.0);
    assert!(reaped_until_frozen(&bench, &entry, |_| {}).await < away * 2);
    assert_eq!(bench.engine.calls().stats, 0);

    let bench = busy_bench(away, SOON).await;
    let entry = bench.ready().await;
    bench.engine.work(entry.id, 0.3);
    let sampled_early = std::cell::Cell::new(false);
    let frozen = reaped_until_frozen(&bench, &entry, |idle| {
        sampled_early.set(sampled_early.get() || (idle < away / 3 && bench.engine.calls().stats > 0));
    })
    .await;
    assert!(frozen < away * 2, "{frozen:?}");
    assert!(bench.engine.calls().stats > 0 && !sampled_early.get(), "sampled only near the limit");
}
