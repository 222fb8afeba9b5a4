//! The away limit, judged through the whole relay on a virtual clock: a desktop that repaints in
//! an open tab has no human, one key now and then is one.

use std::time::Duration;

use berth::session::reap::Policy;
use berth::session::{InputSource, StateKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, advance, interval, pause};

use super::rfb::{KEY, REPAINT, Viewer, connect, greet};
use super::support::{Script, Stand, script};

const AWAY: Duration = Duration::from_secs(30);
/// What the limit may be missed by.
const TOLERANCE: Duration = Duration::from_secs(5);
/// The pace of the screen, and of the viewer's requests.
const TENTH: Duration = Duration::from_millis(100);
/// A FramebufferUpdate of no rectangles, as one repaint.
const UPDATE: [u8; 4] = [0; 4];

/// A desktop that repaints at 10 Hz and swallows what it hears.
fn repainting() -> Script {
    script(|secret, mut stream| async move {
        if greet(&mut stream, &secret).await.is_none() || stream.write_all(b"INIT").await.is_err() {
            return;
        }
        let (mut repaints, mut heard) = (interval(TENTH), [0; 4096]);
        loop {
            tokio::select! {
                _ = repaints.tick() => if stream.write_all(&UPDATE).await.is_err() { return },
                read = stream.read(&mut heard) => if !matches!(read, Ok(1..)) { return },
            }
        }
    })
}

/// An open tab on a virtual clock.
struct Tab {
    stand: Stand,
    viewer: Viewer<DuplexStream>,
    step: u32,
    /// While this lives, the clock stands still unless it is told to go on: the store answers
    /// from a thread, and an idle runtime would skip to the next timer meanwhile.
    _still: std::sync::mpsc::Sender<()>,
}

impl Tab {
    async fn open() -> Self {
        let policy = Policy { away: AWAY, ..Policy::default() };
        let stand = Stand::desktop_under(repainting(), policy).await;
        let mut viewer = connect(&stand).await;
        viewer.open().await;
        pause();
        let (still, until) = std::sync::mpsc::channel();
        tokio::task::spawn_blocking(move || until.recv());
        Self { stand, viewer, step: 0, _still: still }
    }

    /// A tenth of a second: the desktop repaints and the viewer asks for more. The reaper looks
    /// once a second. Tells whether the session is still in use.
    async fn tenth(&mut self) -> bool {
        advance(TENTH).await;
        assert_eq!(self.viewer.hear(UPDATE.len()).await, UPDATE);
        self.viewer.say(&REPAINT).await;
        self.step += 1;
        if !self.step.is_multiple_of(10) {
            return true;
        }
        let (entry, broker) = (&self.stand.entry, &self.stand.broker);
        let over = broker.expiry(entry).is_some_and(|expiry| expiry.remaining.is_zero());
        broker.reap().await;
        if over {
            let mut watch = entry.watch();
            watch.wait_for(|session| session.state.kind() == StateKind::Paused).await.unwrap();
        }
        !over
    }

    /// Waits until the session is frozen, for twice the limit at most.
    async fn frozen_after(&mut self) -> Duration {
        let begun = Instant::now();
        while self.tenth().await {
            assert!(begun.elapsed() < AWAY * 2, "it is never frozen");
        }
        begun.elapsed()
    }

    /// Waits until the gateway has understood an input.
    async fn noticed(&self, source: InputSource) {
        while self.stand.entry.last_input().1 != source || self.stand.entry.last_input().0 >= TENTH {
            tokio::task::yield_now().await;
        }
    }
}

fn about(limit: Duration, measured: Duration) -> bool {
    measured + TOLERANCE >= limit && measured <= limit + TOLERANCE
}

#[tokio::test]
async fn a_desktop_that_repaints_in_an_open_tab_is_frozen_at_its_limit() {
    let mut tab = Tab::open().await;
    let frozen = tab.frozen_after().await;
    assert!(about(AWAY, frozen), "{frozen:?}");
    assert_eq!(tab.viewer.close_code().await, Some(4408));
    assert_eq!(tab.stand.entry.last_input().1, InputSource::Open, "nothing in it was a human");
}

#[tokio::test]
async fn one_key_a_little_before_each_limit_keeps_it_for_twenty() {
    let mut tab = Tab::open().await;
    let every = AWAY - Duration::from_secs(10);
    let begun = Instant::now();
    while begun.elapsed() < AWAY * 20 {
        let pressed = Instant::now();
        while pressed.elapsed() < every {
            assert!(tab.tenth().await, "frozen after {:?}", begun.elapsed());
        }
        tab.viewer.say(&KEY).await;
        tab.noticed(InputSource::Key).await;
    }
    let frozen = tab.frozen_after().await;
    assert!(about(AWAY, frozen), "{frozen:?}");
}

#[tokio::test]
async fn a_pointer_that_only_repeats_itself_is_no_human() {
    let mut tab = Tab::open().await;
    let resting = [5, 0, 0, 9, 0, 9];
    tab.viewer.say(&resting).await;
    tab.noticed(InputSource::Pointer).await;
    let begun = Instant::now();
    while tab.tenth().await {
        tab.viewer.say(&resting).await;
        assert!(begun.elapsed() < AWAY * 2, "it is never frozen");
    }
    assert!(about(AWAY, begun.elapsed()), "{:?}", begun.elapsed());
}
