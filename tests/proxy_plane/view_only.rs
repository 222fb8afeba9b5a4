//! A hostile viewer on a view-only grant, against a desktop that keeps every byte it is sent.

use std::sync::{Arc, Mutex};

use berth::session::GrantRole;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::rfb::{KEY, REPAINT, Viewer, connect, connect_as, greet};
use super::support::{Script, Stand, eventually, script};

/// SetEncodings with the pseudo-encoding for pointers of seven bytes (-316).
const EXTENDED_POINTERS: [u8; 8] = [2, 0, 0, 1, 0xff, 0xff, 0xfe, 0xc4];
const SIX_BYTES: [u8; 6] = [5, 1, 0, 7, 0, 9];
const SEVEN_BYTES: [u8; 7] = [5, 0x81, 0, 8, 0, 10, 1];
const FENCE: [u8; 12] = [248, 0, 0, 0, 0x80, 0, 0, 1, 3, b'a', b'b', b'c'];

/// A desktop that answers whatever it is sent with a frame, and records what that was.
fn recording(heard: Arc<Mutex<Vec<u8>>>) -> Script {
    script(move |secret, mut stream| {
        let heard = heard.clone();
        async move {
            let Some(_shared) = greet(&mut stream, &secret).await else { return };
            let _ = stream.write_all(b"INIT").await;
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                heard.lock().unwrap().extend(&buffer[..read]);
                if stream.write_all(b"FRAME").await.is_err() {
                    return;
                }
            }
        }
    })
}

fn plain_text(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[6, 0, 0, 0], &length[..], text].concat()
}

fn extended_text(flags: u32, data: &[u8]) -> Vec<u8> {
    let length = -i32::try_from(4 + data.len()).unwrap();
    [&[6, 0, 0, 0], &length.to_be_bytes()[..], &flags.to_be_bytes(), data].concat()
}

/// How often a message that is sent again and again is something that somebody did.
#[derive(Clone, Copy)]
enum Deed {
    EachTime,
    /// A pointer that stays where it is does nothing.
    Once,
    /// A text that the desktop fetched counts while it is new.
    Text,
    /// A viewer answers the desktop's offer of a clipboard by itself.
    Never,
}

/// Everything that changes a desktop.
fn hostile() -> Vec<(Vec<u8>, Deed)> {
    use Deed::{EachTime, Never, Once, Text};
    vec![
        (KEY.to_vec(), EachTime),
        ([4, 0, 0, 0, 0, 0, 0xff, 0x0d].to_vec(), EachTime),
        (SIX_BYTES.to_vec(), Once),
        (SEVEN_BYTES.to_vec(), Once),
        (plain_text(b""), EachTime),
        (plain_text(b"rm -rf ~"), EachTime),
        (plain_text(&KEY.repeat(5)), EachTime),
        // The extended clipboard: provide with data, what the viewer can do, notify.
        (extended_text(1 << 28 | 1, &[9; 33]), Text),
        (extended_text(1 << 24 | 1, &[0, 0, 0, 9]), Never),
        (extended_text(1 << 27 | 1, b""), Never),
        // QEMU key, xvp shut-down, SetDesktopSize with two screens.
        ([255, 0, 0, 1, 0, 0, 0, 0x61, 0, 0, 0, 30].to_vec(), EachTime),
        ([250, 0, 1, 2].to_vec(), EachTime),
        ([&[251, 0, 5, 0, 4, 0, 2, 0], &[1; 32][..]].concat(), EachTime),
    ]
}

#[tokio::test]
async fn nothing_that_steers_reaches_the_desktop_and_the_picture_goes_on() {
    let page = super::support::metrics();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let stand = Stand::desktop(recording(heard.clone())).await;
    let bob = stand.guest("bob", GrantRole::Observer, None).await;
    let mut viewer = connect_as(&stand, &bob.cookie).await;
    viewer.open().await;
    let before = stand.entry.last_input();
    let mut allowed = REPAINT.to_vec();
    viewer.say(&EXTENDED_POINTERS).await;
    allowed.extend(EXTENDED_POINTERS);

    // Whole; cut at every border; and byte by byte, each between two messages that may pass.
    let (mut least, mut most) = (0, 0);
    for (message, deed) in hostile() {
        viewer.say(&message).await;
        for cut in 1..message.len() {
            viewer.say(&message[..cut]).await;
            viewer.say(&[&message[cut..], &FENCE].concat()).await;
            allowed.extend(FENCE);
        }
        for byte in &message {
            viewer.say(&[*byte]).await;
        }
        viewer.say(&[&REPAINT[..], &message, &FENCE, &message].concat()).await;
        allowed.extend(REPAINT.iter().chain(&FENCE));
        // Once whole, once per border, once byte by byte, and twice at the end.
        let times = 1 + (message.len() - 1) + 1 + 2;
        let (from, to) = match deed {
            Deed::EachTime => (times, times),
            Deed::Once => (1, 1),
            Deed::Text => (1, times),
            Deed::Never => (0, 0),
        };
        (least, most) = (least + from, most + to);
    }
    // A paste larger than any buffer on the way, with keys inside it.
    let paste = plain_text(&KEY.repeat(40_000));
    for part in paste.chunks(100_000) {
        viewer.say(part).await;
    }
    // The paste.
    (least, most) = (least + 1, most + 1);
    viewer.say(&REPAINT).await;
    allowed.extend(REPAINT);

    // Everything that may pass arrived, in order, and not a byte more.
    let sent = allowed.len();
    let arrived = {
        let heard = heard.clone();
        let reads = async move {
            while heard.lock().unwrap().len() < sent {
                assert_eq!(viewer.hear(5).await, b"FRAME", "the picture goes on");
            }
            viewer
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), reads).await
    };
    let viewer = arrived.expect("what may pass arrives");
    assert_eq!(*heard.lock().unwrap(), allowed);

    let page = page.render();
    for kind in ["key", "pointer", "cut_text", "qemu_key", "power", "desktop_size"] {
        assert!(page.contains(&format!("berth_input_dropped_total{{kind=\"{kind}\"}}")), "{kind}: {page}");
    }
    assert!(page.contains("berth_viewers{role=\"observer\"}"), "{page}");
    let (ago, source) = stand.entry.last_input();
    assert!(ago >= before.0 && source == before.1, "nobody was at work");
    let line = stand.audited("view_only_attempt", "bob").await;
    assert_eq!((&line["outcome"], &line["target"]), (&"refused".into(), &stand.entry.label.as_str().into()));
    drop(viewer);
    stand.audited("viewer_left", "bob").await;
    let lines = stand.audit().await;
    let counts = lines.iter().filter(|(event, ..)| event == "view_only_attempt");
    let counts: Vec<u64> = counts.map(|(.., line)| line["count"].as_u64().unwrap()).collect();
    assert_eq!(counts.len(), 2, "one line at once and one at the end, not one per message");
    let told = counts.iter().sum::<u64>();
    assert!((least as u64..=most as u64).contains(&told), "{told} of {least} to {most}");
}

/// Messages whose length or kind cannot be known.
fn impossible() -> Vec<Vec<u8>> {
    vec![
        vec![99, 4, 1, 0],
        // Cut texts of 4 GiB less one, of 2 GiB, and an extended one too short for its flags.
        vec![6, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff],
        vec![6, 0, 0, 0, 0x80, 0, 0, 0],
        vec![6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe],
        vec![255, 7, 0, 0],
        vec![248, 0, 0, 0, 0, 0, 0, 0, 65],
    ]
}

#[tokio::test]
async fn an_observer_that_cannot_be_understood_is_closed() {
    super::support::metrics();
    for message in impossible() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let stand = Stand::desktop(recording(heard.clone())).await;
        let bob = stand.guest("bob", GrantRole::Observer, None).await;
        let mut viewer = connect_as(&stand, &bob.cookie).await;
        viewer.open().await;
        // What follows it could be anything, so none of it passes.
        viewer.say(&[&REPAINT[..], &message, &KEY, &REPAINT].concat()).await;
        assert_eq!(viewer.close_code().await, Some(1002), "{message:?}");
        let mut passed = REPAINT.repeat(2);
        if message[0] == 248 {
            passed.extend(&message);
        }
        assert_eq!(*heard.lock().unwrap(), passed, "{message:?}");
        eventually(|| stand.entry.viewers() == 0).await;
    }
    let page = super::support::metrics().render();
    assert!(page.contains("berth_rfb_parse_fallbacks_total{role=\"observer\"}"), "{page}");
}

#[tokio::test]
async fn an_owner_or_helper_that_cannot_be_understood_stays_connected_and_it_is_said() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let stand = Stand::desktop(recording(heard.clone())).await;
    let bob = stand.guest("bob", GrantRole::Helper, None).await;
    let mut changes = stand.broker.changes();
    for (name, mut viewer) in [("ann", connect(&stand).await), ("bob", connect_as(&stand, &bob.cookie).await)]
    {
        viewer.open().await;
        let seen = || stand.entry.watching().iter().find(|one| one.name == name).unwrap().input_seen;
        assert!(seen(), "{name}");
        while changes.try_recv().is_ok() {}
        let before = heard.lock().unwrap().len();
        viewer.say(&[99, 1, 2, 3]).await;
        eventually(|| heard.lock().unwrap().len() == before + 4).await;
        eventually(|| !seen()).await;
        changes.recv().await.unwrap();
        // It still works; only its input is no longer known.
        let quiet = stand.entry.last_input().1;
        viewer.say(&KEY).await;
        eventually(|| heard.lock().unwrap().len() == before + 12).await;
        assert_eq!(stand.entry.last_input().1, quiet, "{name}");
        close(viewer).await;
    }
}

async fn close<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(mut viewer: Viewer<S>) {
    let _ = viewer.socket.close(None).await;
    let _ = viewer.close_code().await;
}
