use proptest::prelude::*;

use super::*;

const POLICY: Policy = Policy {
    away: Duration::from_secs(3600),
    frozen: Duration::from_secs(86_400),
    total: Some(Duration::from_secs(36_000)),
    remove_stopped: Duration::from_secs(604_800),
    no_viewer: None,
    busy_cpu_percent: 0,
    busy_max: Duration::from_secs(7200),
    extend: Duration::from_secs(1800),
    extend_max: Duration::from_secs(5000),
};

fn facts(state: StateKind, in_state: u64, without_input: u64, since_ready: u64) -> Facts {
    let secs = Duration::from_secs;
    Facts {
        state,
        in_state: secs(in_state),
        without_input: secs(without_input),
        without_viewer: Duration::ZERO,
        since_ready: secs(since_ready),
        extended: Duration::ZERO,
        until_closing: None,
        busy: false,
    }
}

#[test]
fn each_limit_ends_a_session_at_its_second_and_not_before() {
    use StateKind::{Failed, Paused, Ready, Stopped};
    let table = [
        (facts(Ready, 3599, 3599, 3599), Verdict::Keep),
        (facts(Ready, 3600, 3600, 3600), Verdict::Freeze),
        (facts(Ready, 35_999, 10, 35_999), Verdict::Keep),
        (facts(Ready, 36_000, 10, 36_000), Verdict::Stop(StopReason::Total)),
        (facts(Ready, 36_000, 3600, 36_000), Verdict::Stop(StopReason::Total)),
        (facts(Paused, 100, 9000, 35_000), Verdict::Keep),
        (facts(Paused, 100, 9000, 36_000), Verdict::Stop(StopReason::Total)),
        (facts(Stopped, 604_799, 0, 0), Verdict::Keep),
        (facts(Stopped, 604_800, 0, 0), Verdict::Remove),
        (facts(Failed, 604_800, 0, 0), Verdict::Remove),
    ];
    for (facts, verdict) in table {
        assert_eq!(decide(&facts, &POLICY), verdict, "{facts:?}");
    }
    let endless = Policy { total: None, ..POLICY };
    assert_eq!(decide(&facts(Paused, 86_400, 90_000, 900_000), &endless), Verdict::Stop(StopReason::Away));
    assert_eq!(decide(&facts(Ready, 900_000, 5, 900_000), &endless), Verdict::Keep);
}

proptest! {
    /// A virtual day: someone presses a key every so often. The session is frozen exactly
    /// when a gap reaches the limit, and never while the gaps are shorter.
    #[test]
    fn a_session_is_frozen_when_and_only_when_a_gap_reaches_the_limit(
        away in 2_u64..600,
        gaps in proptest::collection::vec(1_u64..700, 1..60),
    ) {
        let policy = Policy { away: Duration::from_secs(away), total: None, ..POLICY };
        let mut clock = 0;
        for gap in gaps {
            let mut frozen_after = None;
            for second in 1..=gap {
                let now = facts(StateKind::Ready, clock + second, second, clock + second);
                if decide(&now, &policy) == Verdict::Freeze {
                    frozen_after = Some(second);
                    break;
                }
            }
            prop_assert_eq!(frozen_after, (gap >= away).then_some(away));
            if frozen_after.is_some() {
                return Ok(());
            }
            clock += gap;
        }
    }

    #[test]
    fn pending_sessions_are_left_alone(in_state: u32, idle: u32) {
        for state in [StateKind::Starting, StateKind::Stopping] {
            let facts = facts(state, in_state.into(), idle.into(), idle.into());
            prop_assert_eq!(decide(&facts, &POLICY), Verdict::Keep);
        }
    }

    #[test]
    fn a_verdict_other_than_keep_means_that_no_time_remains(in_state: u32, idle: u32, ready: u32) {
        for state in StateKind::ALL {
            let facts = facts(state, in_state.into(), idle.into(), ready.into());
            let over = expiry(&facts, &POLICY).is_some_and(|expiry| expiry.remaining.is_zero());
            prop_assert_eq!(decide(&facts, &POLICY) != Verdict::Keep, over);
        }
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn first(facts: &Facts, policy: &Policy) -> (u64, &'static str) {
    let expiry = expiry(facts, policy).expect("a limit applies");
    (expiry.remaining.as_secs(), expiry.because.name())
}

#[test]
fn the_sooner_of_no_input_and_no_viewer_freezes() {
    let policy = Policy { no_viewer: Some(secs(600)), total: None, ..POLICY };
    let open = facts(StateKind::Ready, 3000, 3000, 3000);
    assert_eq!(first(&open, &policy), (600, "away"), "an open viewer stops that clock alone");
    let closed = Facts { without_viewer: secs(100), ..open };
    assert_eq!(first(&closed, &policy), (500, "no_viewer"));
    assert_eq!(decide(&Facts { without_viewer: secs(600), ..closed }, &policy), Verdict::Freeze);
    let both = Facts { without_input: secs(3500), without_viewer: secs(500), ..open };
    assert_eq!(first(&both, &policy), (100, "away"));
    assert_eq!(decide(&Facts { without_viewer: secs(9000), ..open }, &POLICY), Verdict::Keep);
}

#[test]
fn a_container_at_work_is_frozen_later_and_says_so() {
    let policy = Policy { total: None, busy_cpu_percent: 50, ..POLICY };
    let busy = Facts { busy: true, ..facts(StateKind::Ready, 3600, 3600, 3600) };
    assert_eq!(first(&busy, &policy), (7200, "busy"));
    assert_eq!(decide(&Facts { busy: false, ..busy }, &policy), Verdict::Freeze, "the work is done");
    let capped = Facts { without_input: secs(3600 + 7200), ..busy };
    assert_eq!(decide(&capped, &policy), Verdict::Freeze, "the cap is reached");
    let left = Facts { without_viewer: secs(700), ..busy };
    let policy = Policy { no_viewer: Some(secs(600)), ..policy };
    assert_eq!(first(&left, &policy), (7100, "busy"));
    let hard = Policy { total: Some(secs(4000)), ..policy };
    assert_eq!(first(&left, &hard), (400, "total"), "no work puts a hard limit off");
}

#[test]
fn closing_time_stops_reachable_and_frozen_sessions() {
    for state in [StateKind::Ready, StateKind::Paused] {
        let open = Facts { until_closing: Some(secs(60)), ..facts(state, 10, 10, 10) };
        assert_eq!(first(&open, &POLICY), (60, "closing_time"));
        let closed = Facts { until_closing: Some(Duration::ZERO), ..open };
        assert_eq!(decide(&closed, &POLICY), Verdict::Stop(StopReason::ClosingTime));
        let tie = Facts { since_ready: secs(36_000), ..closed };
        assert_eq!(decide(&tie, &POLICY), Verdict::Stop(StopReason::ClosingTime));
    }
    let stopped = Facts { until_closing: Some(Duration::ZERO), ..facts(StateKind::Stopped, 10, 10, 10) };
    assert_eq!(decide(&stopped, &POLICY), Verdict::Keep);
}

#[test]
fn asking_for_time_moves_the_first_limit_up_to_a_cap() {
    let near = facts(StateKind::Ready, 35_000, 0, 35_000);
    assert_eq!(extension(&near, &POLICY), Extension::Grant(secs(1800)));
    assert_eq!(first(&Facts { extended: secs(1800), ..near }, &POLICY), (2800, "total"));
    let last = Facts { extended: secs(3600), since_ready: secs(38_000), ..near };
    assert_eq!(extension(&last, &POLICY), Extension::Grant(secs(1400)), "what is left of the cap");
    let spent = Facts { extended: secs(5000), since_ready: secs(39_000), ..near };
    assert_eq!(extension(&spent, &POLICY), Extension::Spent);
    assert_eq!(extension(&facts(StateKind::Ready, 10, 10, 10), &POLICY), Extension::Renew);
    assert_eq!(extension(&facts(StateKind::Paused, 10, 10, 10), &POLICY), Extension::Unfit);
    let never = Policy { extend: Duration::ZERO, ..POLICY };
    assert_eq!(extension(&near, &never), Extension::Spent);
    assert_eq!(extension(&facts(StateKind::Ready, 10, 10, 10), &never), Extension::Spent);
}

#[test]
fn a_template_s_own_limits_win() {
    let own = TemplateLimits { away: Some(secs(60)), total: Some(secs(90)), ..TemplateLimits::default() };
    let policy = Policy { total: None, ..POLICY }.with(&own);
    assert_eq!((policy.away, policy.total), (secs(60), Some(secs(90))));
    assert_eq!(POLICY.with(&TemplateLimits::default()).away, POLICY.away);
    assert_eq!(POLICY.with(&TemplateLimits::default()).total, POLICY.total);
}

prop_compose! {
    fn any_policy()(
        away in 1_u64..10_000, no_viewer in proptest::option::of(1_u64..10_000), busy_max in 0_u64..10_000,
        frozen in 1_u64..10_000, total in proptest::option::of(1_u64..20_000), extend in 0_u64..2000,
        extend_max in 0_u64..8000,
    ) -> Policy {
        Policy {
            away: secs(away),
            no_viewer: no_viewer.map(secs),
            busy_cpu_percent: 10,
            busy_max: secs(busy_max),
            frozen: secs(frozen),
            total: total.map(secs),
            extend: secs(extend),
            extend_max: secs(extend_max),
            remove_stopped: secs(10_000),
        }
    }
}

prop_compose! {
    fn any_facts()(
        state in proptest::sample::select(&StateKind::ALL[..]), in_state in 0_u64..20_000,
        without_input in 0_u64..20_000, viewer in 0.0_f64..=1.0, since_ready in 0_u64..40_000,
        extended in 0_u64..8000, until_closing in proptest::option::of(0_u64..20_000), busy: bool,
    ) -> Facts {
        Facts {
            state,
            in_state: secs(in_state),
            without_input: secs(without_input),
            // No clock of viewers runs longer than that of input.
            without_viewer: secs(without_input).mul_f64(viewer),
            since_ready: secs(since_ready),
            extended: secs(extended),
            until_closing: until_closing.map(secs),
            busy,
        }
    }
}

proptest! {
    /// The verdict and the announced limit never disagree, whatever the facts.
    #[test]
    fn what_is_announced_is_what_happens(facts in any_facts(), policy in any_policy()) {
        let expiry = expiry(&facts, &policy);
        let over = expiry.is_some_and(|expiry| expiry.remaining.is_zero());
        prop_assert_eq!(decide(&facts, &policy) != Verdict::Keep, over);
        if let (Some(expiry), Verdict::Stop(reason)) = (expiry, decide(&facts, &policy)) {
            let expected = match expiry.because {
                Limit::ClosingTime => StopReason::ClosingTime,
                Limit::Total => StopReason::Total,
                Limit::Frozen => StopReason::Away,
                other => panic!("{other:?} stops nothing"),
            };
            prop_assert_eq!(reason, expected);
        }
    }

    /// Time runs for every clock at once; whatever was announced comes true at its second.
    #[test]
    fn an_announced_limit_is_reached_at_its_second(facts in any_facts(), policy in any_policy()) {
        let Some(expiry) = expiry(&facts, &policy) else { return Ok(()) };
        prop_assume!(!expiry.remaining.is_zero());
        let after = |time: Duration| Facts {
            in_state: facts.in_state + time,
            without_input: facts.without_input + time,
            without_viewer: facts.without_viewer + time,
            since_ready: facts.since_ready + time,
            until_closing: facts.until_closing.map(|left| left.saturating_sub(time)),
            ..facts
        };
        prop_assert_eq!(decide(&after(expiry.remaining - Duration::from_nanos(1)), &policy), Verdict::Keep);
        prop_assert_ne!(decide(&after(expiry.remaining), &policy), Verdict::Keep);
    }

    /// Being at work, having a viewer, more input and more time never end a session sooner.
    #[test]
    fn use_never_ends_a_session_sooner(facts in any_facts(), policy in any_policy(), more in 0_u64..8000) {
        let left = |facts: &Facts| expiry(facts, &policy).map(|expiry| expiry.remaining);
        for kinder in [
            Facts { busy: true, ..facts },
            Facts { without_viewer: Duration::ZERO, ..facts },
            Facts { without_viewer: Duration::ZERO, without_input: Duration::ZERO, ..facts },
            Facts { extended: facts.extended + secs(more), ..facts },
        ] {
            prop_assert!(left(&kinder) >= left(&facts), "{kinder:?}");
        }
    }

    /// However often somebody asks, a start gets no more than its cap, and a busy or open session
    /// stops at its hard limit all the same.
    #[test]
    fn asking_again_and_again_ends_at_the_cap(facts in any_facts(), policy in any_policy()) {
        let mut facts = Facts { extended: Duration::ZERO, without_input: Duration::ZERO, ..facts };
        for _ in 0..10_000 {
            match extension(&facts, &policy) {
                Extension::Grant(grant) => {
                    prop_assert!(!grant.is_zero() && grant <= policy.extend);
                    facts.extended += grant;
                    facts.until_closing = facts.until_closing.map(|left| left + grant);
                }
                Extension::Renew | Extension::Spent | Extension::Unfit => break,
            }
        }
        prop_assert!(facts.extended <= policy.extend_max);
    }
}
