//! The whole table: every state with every event, and walks through whole lives.

use proptest::prelude::*;

use super::*;

fn upstream() -> Upstream {
    Upstream { node: NodeName("here".into()), container: "c1".into(), port: 5900, epoch: 1 }
}

fn soon() -> Timestamp {
    Timestamp::from_second(1_000).expect("a time that exists")
}

fn states() -> Vec<State> {
    let starting = |phase| State::Starting { phase, deadline: soon() };
    let mut states = vec![
        starting(Phase::Queued),
        starting(Phase::Creating),
        starting(Phase::Booting),
        State::Ready { upstream: upstream() },
        State::Paused { upstream: upstream() },
        State::Stopped { reason: StopReason::Owner },
        State::Failed { reason: FailReason::EngineDown },
    ];
    for next in [Next::Rest, Next::Restart, Next::Reset, Next::ResetHome, Next::Remove] {
        states.push(State::Stopping { reason: StopReason::Owner, next });
    }
    states
}

fn events() -> Vec<Event> {
    let mut events = vec![
        Event::Start { deadline: soon() },
        Event::Enter { phase: Phase::Queued, deadline: soon() },
        Event::Enter { phase: Phase::Creating, deadline: soon() },
        Event::Enter { phase: Phase::Booting, deadline: soon() },
        Event::Reached { upstream: upstream() },
        Event::Fail { reason: FailReason::EngineDown },
        Event::Pause,
        Event::Resume,
        Event::Gone { reason: StopReason::Exited },
        Event::Ended { deadline: soon() },
    ];
    for next in [Next::Rest, Next::Restart, Next::Reset, Next::ResetHome, Next::Remove] {
        events.push(Event::Stop { reason: StopReason::Admin, next });
    }
    events
}

/// One letter per state and one word per event make the expected table readable.
fn word(event: &Event) -> String {
    match event {
        Event::Enter { phase, .. } => format!("enter-{phase:?}"),
        Event::Stop { next, .. } => format!("stop-{next:?}"),
        Event::Start { .. }
        | Event::Reached { .. }
        | Event::Fail { .. }
        | Event::Pause
        | Event::Resume
        | Event::Gone { .. }
        | Event::Ended { .. } => event.name().to_owned(),
    }
}

fn name(state: &State) -> String {
    match state {
        State::Starting { phase, .. } => format!("{phase:?}"),
        State::Stopping { next, .. } => format!("Stopping-{next:?}"),
        State::Ready { .. } | State::Paused { .. } | State::Stopped { .. } | State::Failed { .. } => {
            format!("{:?}", state.kind())
        }
    }
}

/// Every legal transition: (state, event, next state, action). What is not here is refused.
const LEGAL: &[(&str, &str, &str, Action)] = &[
    ("Queued", "start", "Queued", Action::Nothing),
    ("Queued", "enter-Creating", "Creating", Action::Nothing),
    ("Queued", "enter-Booting", "Booting", Action::Nothing),
    ("Queued", "reached", "Ready", Action::Open),
    ("Queued", "fail", "Failed", Action::Clean),
    ("Queued", "stop-Rest", "Stopping-Rest", Action::Halt),
    ("Queued", "stop-Restart", "Stopping-Restart", Action::Halt),
    ("Queued", "stop-Reset", "Stopping-Reset", Action::Halt),
    ("Queued", "stop-ResetHome", "Stopping-ResetHome", Action::Halt),
    ("Queued", "stop-Remove", "Stopping-Remove", Action::Halt),
    ("Creating", "start", "Creating", Action::Nothing),
    ("Creating", "enter-Booting", "Booting", Action::Nothing),
    ("Creating", "reached", "Ready", Action::Open),
    ("Creating", "fail", "Failed", Action::Clean),
    ("Creating", "stop-Rest", "Stopping-Rest", Action::Halt),
    ("Creating", "stop-Restart", "Stopping-Restart", Action::Halt),
    ("Creating", "stop-Reset", "Stopping-Reset", Action::Halt),
    ("Creating", "stop-ResetHome", "Stopping-ResetHome", Action::Halt),
    ("Creating", "stop-Remove", "Stopping-Remove", Action::Halt),
    ("Booting", "start", "Booting", Action::Nothing),
    ("Booting", "reached", "Ready", Action::Open),
    ("Booting", "fail", "Failed", Action::Clean),
    ("Booting", "stop-Rest", "Stopping-Rest", Action::Halt),
    ("Booting", "stop-Restart", "Stopping-Restart", Action::Halt),
    ("Booting", "stop-Reset", "Stopping-Reset", Action::Halt),
    ("Booting", "stop-ResetHome", "Stopping-ResetHome", Action::Halt),
    ("Booting", "stop-Remove", "Stopping-Remove", Action::Halt),
    ("Ready", "start", "Ready", Action::Nothing),
    ("Ready", "resume", "Ready", Action::Nothing),
    ("Ready", "pause", "Paused", Action::Freeze),
    ("Ready", "gone", "Stopped", Action::Close),
    ("Ready", "stop-Rest", "Stopping-Rest", Action::Halt),
    ("Ready", "stop-Restart", "Stopping-Restart", Action::Halt),
    ("Ready", "stop-Reset", "Stopping-Reset", Action::Halt),
    ("Ready", "stop-ResetHome", "Stopping-ResetHome", Action::Halt),
    ("Ready", "stop-Remove", "Stopping-Remove", Action::Halt),
    ("Paused", "start", "Ready", Action::Thaw),
    ("Paused", "resume", "Ready", Action::Thaw),
    ("Paused", "pause", "Paused", Action::Nothing),
    ("Paused", "gone", "Stopped", Action::Close),
    ("Paused", "stop-Rest", "Stopping-Rest", Action::Halt),
    ("Paused", "stop-Restart", "Stopping-Restart", Action::Halt),
    ("Paused", "stop-Reset", "Stopping-Reset", Action::Halt),
    ("Paused", "stop-ResetHome", "Stopping-ResetHome", Action::Halt),
    ("Paused", "stop-Remove", "Stopping-Remove", Action::Halt),
    ("Stopped", "start", "Queued", Action::Launch),
    ("Stopped", "stop-Reset", "Stopping-Reset", Action::Halt),
    ("Stopped", "stop-ResetHome", "Stopping-ResetHome", Action::Halt),
    ("Stopped", "stop-Remove", "Stopping-Remove", Action::Halt),
    ("Failed", "start", "Queued", Action::Launch),
    ("Failed", "stop-Reset", "Stopping-Reset", Action::Halt),
    ("Failed", "stop-ResetHome", "Stopping-ResetHome", Action::Halt),
    ("Failed", "stop-Remove", "Stopping-Remove", Action::Halt),
    // What is asked while it stops and wants more than rest is done afterwards; removal outranks all.
    ("Stopping-Rest", "start", "Stopping-Restart", Action::Nothing),
    ("Stopping-Rest", "stop-Rest", "Stopping-Rest", Action::Nothing),
    ("Stopping-Rest", "stop-Restart", "Stopping-Restart", Action::Nothing),
    ("Stopping-Rest", "stop-Reset", "Stopping-Reset", Action::Nothing),
    ("Stopping-Rest", "stop-ResetHome", "Stopping-ResetHome", Action::Nothing),
    ("Stopping-Rest", "stop-Remove", "Stopping-Remove", Action::Nothing),
    ("Stopping-Rest", "gone", "Stopping-Rest", Action::Nothing),
    ("Stopping-Rest", "ended", "Stopped", Action::Nothing),
    ("Stopping-Restart", "start", "Stopping-Restart", Action::Nothing),
    ("Stopping-Restart", "stop-Rest", "Stopping-Restart", Action::Nothing),
    ("Stopping-Restart", "stop-Restart", "Stopping-Restart", Action::Nothing),
    ("Stopping-Restart", "stop-Reset", "Stopping-Restart", Action::Nothing),
    ("Stopping-Restart", "stop-ResetHome", "Stopping-Restart", Action::Nothing),
    ("Stopping-Restart", "stop-Remove", "Stopping-Remove", Action::Nothing),
    ("Stopping-Restart", "gone", "Stopping-Restart", Action::Nothing),
    ("Stopping-Restart", "ended", "Queued", Action::Launch),
    ("Stopping-Reset", "start", "Stopping-Reset", Action::Nothing),
    ("Stopping-Reset", "stop-Rest", "Stopping-Reset", Action::Nothing),
    ("Stopping-Reset", "stop-Restart", "Stopping-Reset", Action::Nothing),
    ("Stopping-Reset", "stop-Reset", "Stopping-Reset", Action::Nothing),
    ("Stopping-Reset", "stop-ResetHome", "Stopping-Reset", Action::Nothing),
    ("Stopping-Reset", "stop-Remove", "Stopping-Remove", Action::Nothing),
    ("Stopping-Reset", "gone", "Stopping-Reset", Action::Nothing),
    ("Stopping-Reset", "ended", "Queued", Action::Launch),
    ("Stopping-ResetHome", "start", "Stopping-ResetHome", Action::Nothing),
    ("Stopping-ResetHome", "fail", "Failed", Action::Nothing),
    ("Stopping-ResetHome", "stop-Rest", "Stopping-ResetHome", Action::Nothing),
    ("Stopping-ResetHome", "stop-Restart", "Stopping-ResetHome", Action::Nothing),
    ("Stopping-ResetHome", "stop-Reset", "Stopping-ResetHome", Action::Nothing),
    ("Stopping-ResetHome", "stop-ResetHome", "Stopping-ResetHome", Action::Nothing),
    ("Stopping-ResetHome", "stop-Remove", "Stopping-Remove", Action::Nothing),
    ("Stopping-ResetHome", "gone", "Stopping-ResetHome", Action::Nothing),
    ("Stopping-ResetHome", "ended", "Queued", Action::Launch),
    ("Stopping-Remove", "start", "Stopping-Remove", Action::Nothing),
    ("Stopping-Remove", "stop-Rest", "Stopping-Remove", Action::Nothing),
    ("Stopping-Remove", "stop-Restart", "Stopping-Remove", Action::Nothing),
    ("Stopping-Remove", "stop-Reset", "Stopping-Remove", Action::Nothing),
    ("Stopping-Remove", "stop-ResetHome", "Stopping-Remove", Action::Nothing),
    ("Stopping-Remove", "stop-Remove", "Stopping-Remove", Action::Nothing),
    ("Stopping-Remove", "gone", "Stopping-Remove", Action::Nothing),
    ("Stopping-Remove", "ended", "Stopping-Remove", Action::Erase),
];

#[test]
fn every_state_answers_every_event_as_the_table_says() {
    let mut met = 0;
    for state in states() {
        for event in events() {
            let row = LEGAL.iter().find(|row| row.0 == name(&state) && row.1 == word(&event));
            let kind = state.kind();
            let got = state.clone().on(event.clone());
            match (row, got) {
                (Some((_, _, next, action)), Ok((reached, todo))) => {
                    assert_eq!(
                        (name(&reached).as_str(), todo),
                        (*next, *action),
                        "{} {}",
                        name(&state),
                        word(&event)
                    );
                    met += 1;
                }
                (None, Err(illegal)) => assert_eq!(illegal.state, kind),
                (Some(_), Err(illegal)) => panic!("the table allows it: {illegal}"),
                (None, Ok(reached)) => {
                    panic!("not in the table: {} {} -> {reached:?}", name(&state), word(&event))
                }
            }
        }
    }
    assert_eq!(met, LEGAL.len(), "every row of the table is met");
}

#[test]
fn only_a_ready_session_has_a_route() {
    for state in states() {
        assert_eq!(state.upstream().is_some(), state.kind() == StateKind::Ready);
    }
}

#[test]
fn states_survive_being_stored() {
    for state in states() {
        let json = serde_json::to_string(&state).expect("plain data");
        assert_eq!(serde_json::from_str::<State>(&json).expect("what was written is read"), state);
    }
}

proptest! {
    /// Whatever happens, in whatever order: a session whose record says that nothing runs was
    /// told to halt, clean or close since it last launched.
    #[test]
    fn nothing_comes_to_rest_without_its_container_being_dealt_with(
        picks in proptest::collection::vec(0_usize..15, 0..200),
    ) {
        let events = events();
        let mut state = State::Stopped { reason: StopReason::Owner };
        let mut owes = false;
        for pick in picks {
            let Ok((next, action)) = state.clone().on(events[pick].clone()) else { continue };
            match action {
                Action::Launch => owes = true,
                Action::Halt | Action::Clean | Action::Close | Action::Erase => owes = false,
                Action::Nothing | Action::Open | Action::Freeze | Action::Thaw => {}
            }
            state = next;
            prop_assert!(!owes || state.occupies(), "{state:?} rests, but its container was left alone");
        }
    }
}
