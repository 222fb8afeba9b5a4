//! What the audit says of sessions: who, what, whose, and why not.

use serde_json::Value;

use super::*;

/// The lines of one event, as soon as there are so many: some are written just after what they tell.
async fn told(bench: &Bench, event: &str, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + SOON;
    loop {
        let lines = limits::audited(bench, event).await;
        if lines.len() >= count || Instant::now() > deadline {
            assert_eq!(lines.len(), count, "{event}: {lines:?}");
            return lines;
        }
        tokio::task::yield_now().await;
    }
}

fn actors(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["actor"].as_str()).collect()
}

fn root() -> Actor {
    Actor::user("root", [192, 0, 2, 9].into())
}

#[tokio::test]
async fn a_restart_and_a_reset_are_told_with_the_stop_and_the_start_in_them() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    for (epoch, next, by) in
        [(2, Next::Restart, root()), (3, Next::Reset, by()), (4, Next::ResetHome, root())]
    {
        bench.broker.stop(&entry, StopReason::Owner, next, &by).await.expect("it runs");
        eventually("it is reachable again", || {
            entry.route().is_some_and(|route| route.upstream.epoch == epoch)
        })
        .await;
    }
    let restarted = told(&bench, "session_restarted", 1).await;
    assert_eq!((actors(&restarted), &restarted[0]["address"]), (vec!["root"], &"192.0.2.9".into()));
    assert_eq!(restarted[0]["target"], entry.label.as_str());
    let reset = told(&bench, "session_reset", 2).await;
    assert_eq!(actors(&reset), ["ann", "root"]);
    assert_eq!([&reset[0]["home"], &reset[1]["home"]], [false, true]);
    assert_eq!(actors(&told(&bench, "session_stopped", 3).await), ["root", "ann", "root"]);
    assert_eq!(actors(&told(&bench, "session_started", 4).await), ["ann", "root", "ann", "root"]);
}

#[tokio::test]
async fn whoever_starts_what_another_is_just_stopping_has_started_it_and_not_stopped_it() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    bench.engine.set_down(true);
    bench.broker.stop(&entry, StopReason::Admin, Next::Rest, &root()).await.expect("it runs");
    bench.broker.start(&entry, &by()).await.expect("it is to start again");
    bench.engine.set_down(false);
    bench.broker.halt(&entry).await;
    eventually("it is reachable again", || entry.route().is_some_and(|route| route.upstream.epoch == 2))
        .await;
    assert_eq!(actors(&told(&bench, "session_stopped", 1).await), ["root"]);
    assert_eq!(actors(&told(&bench, "session_started", 2).await), ["ann", "ann"]);
    told(&bench, "session_restarted", 0).await;
}

#[tokio::test]
async fn a_reset_from_rest_stops_nothing() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    bench.broker.stop(&entry, StopReason::Owner, Next::Rest, &by()).await.expect("it runs");
    until(&entry, StateKind::Stopped).await;
    bench.broker.stop(&entry, StopReason::Admin, Next::Reset, &root()).await.expect("a reset");
    eventually("it is reachable anew", || entry.route().is_some_and(|route| route.upstream.epoch == 2)).await;
    assert_eq!(actors(&told(&bench, "session_stopped", 1).await), ["ann"]);
    assert_eq!(actors(&told(&bench, "session_reset", 1).await), ["root"]);
    assert_eq!(actors(&told(&bench, "session_started", 2).await), ["ann", "root"]);
}

#[tokio::test]
async fn what_is_refused_is_called_what_was_asked_for() {
    let bench = Bench::new(Settings { max_sessions: 1, ..settings() }).await;
    let entry = bench.ready().await;
    bench.broker.stop(&entry, StopReason::Owner, Next::Rest, &by()).await.expect("it runs");
    until(&entry, StateKind::Stopped).await;
    let second = bench.broker.create(&bench.ann, &names().0, "second".parse().expect("a name")).await;
    until(&second.expect("room"), StateKind::Ready).await;
    for next in [Next::Rest, Next::Restart, Next::Reset, Next::ResetHome] {
        let refused = bench.broker.stop(&entry, StopReason::Owner, next, &by()).await;
        refused.expect_err("it rests, and there is no place for it");
    }
    bench.broker.stop(&entry, StopReason::Admin, Next::Remove, &root()).await.expect("it may go");
    eventually("it is gone", || bench.broker.entry(entry.id).is_none()).await;
    let refused = bench.broker.stop(&entry, StopReason::Owner, Next::Remove, &by()).await;
    refused.expect_err("there is no such session any more");

    let lines = told(&bench, "session_not_changed", 5).await;
    let changes: Vec<_> = lines.iter().filter_map(|line| line["change"].as_str()).collect();
    assert_eq!(changes, ["stop", "restart", "reset", "reset_home", "remove"]);
    let codes: Vec<_> = lines.iter().take(4).filter_map(|line| line["code"].as_str()).collect();
    assert_eq!(codes, ["wrong_state", "full", "full", "full"]);
    assert!(actors(&lines).iter().all(|actor| *actor == "ann"), "{lines:?}");
}

#[tokio::test]
async fn a_removal_that_the_engine_refuses_is_told_once_a_minute_in_its_words() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    bench.engine.set_down(true);
    bench.broker.stop(&entry, StopReason::Admin, Next::Remove, &root()).await.expect("it may go");
    for _ in 0..3 {
        bench.broker.halt(&entry).await;
    }
    let lines = told(&bench, "session_not_ended", 1).await;
    assert_eq!((&lines[0]["outcome"], &lines[0]["change"]), (&"failed".into(), &"remove".into()));
    assert_eq!((actors(&lines), &lines[0]["target"]), (vec!["root"], &entry.label.as_str().into()));
    let words = bench.engine.stop(entry.id, Duration::ZERO).await.expect_err("it is down").to_string();
    assert!(lines[0]["detail"].as_str().is_some_and(|detail| detail.contains(&words)), "{lines:?}");

    bench.engine.set_down(false);
    bench.broker.halt(&entry).await;
    let removed = told(&bench, "session_removed", 1).await;
    assert_eq!((&removed[0]["owner"], &removed[0]["name"]), (&"ann".into(), &"mine".into()));
    assert_eq!(actors(&removed), ["root"]);
}

#[tokio::test]
async fn a_freeze_that_the_engine_refuses_is_told_in_its_words() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    bench.engine.set_down(true);
    bench.broker.pause(&entry, &by()).await.expect("it goes on");
    let lines = told(&bench, "session_not_changed", 1).await;
    assert_eq!((&lines[0]["change"], &lines[0]["outcome"]), (&"pause".into(), &"failed".into()));
    assert!(entry.route().is_some());
}

#[tokio::test]
async fn a_new_session_is_told_with_whose_it_is() {
    let bench = Bench::new(settings()).await;
    bench.ready().await;
    let client = Some("lobby 3".parse().expect("a client"));
    let wish = Wish { client, ..Wish::of(names().0, "screen".parse().expect("a name")) };
    bench.broker.create_for(&bench.ann, wish, &root()).await.expect("room");
    let lines = told(&bench, "session_created", 2).await;
    let whose: Vec<_> =
        lines.iter().map(|line| [&line["owner"], &line["name"], &line["client_id"]]).collect();
    assert_eq!(whose[0], [&Value::from("ann"), &Value::from("mine"), &Value::Null]);
    assert_eq!(whose[1], [&Value::from("ann"), &Value::from("screen"), &Value::from("lobby 3")]);
    assert!(lines[0].get("client_id").is_none() && lines[0]["template"] == "desktop");
}
