//! What a browser may say to a desktop: any bytes, cut anywhere.
#![no_main]

use berth::rfb::client::{Filter, Kind, Parser, Piece, Understood};
use berth::session::InputSource;
use libfuzzer_sys::fuzz_target;

// The first bytes say where to cut, as in "after 3, after 7, after 3, …"; the rest is the stream.
fuzz_target!(|data: &[u8]| {
    let Some((cuts, stream)) = data.split_at_checked(4) else { return };
    let runs = cut(stream, cuts);

    let mut together = Parser::new();
    let whole = followed(&mut together, &[stream]);
    let mut apart = Parser::new();
    assert_eq!(followed(&mut apart, &runs), whole, "the split changes what is seen");
    assert_eq!(apart.understood(), together.understood());

    let (mut filter, mut passed) = (Filter::new(), Vec::new());
    for run in &runs {
        filter.pass(run, &mut passed);
    }
    let (mut one, mut at_once) = (Filter::new(), Vec::new());
    one.pass(stream, &mut at_once);
    assert_eq!(passed, at_once, "the split changes what passes");

    // A desktop reads what passed from its first byte on: it must find nothing that steers. What
    // it does not know can only be the end of a fence of impossible length.
    let mut desktop = Parser::new();
    for piece in desktop.pieces(&passed) {
        assert!(piece.kind.is_some_and(|kind| !kind.steers()), "{piece:?} passed");
        assert_eq!(piece.input, None);
    }
    assert!(desktop.understood() == Understood::Yes || together.understood() == Understood::No);
});

/// The complete messages of a stream with the input in them, and how many bytes belong to none.
fn followed(parser: &mut Parser, runs: &[&[u8]]) -> (Vec<(Kind, Option<InputSource>)>, usize) {
    let (mut messages, mut lost) = (Vec::new(), 0);
    for run in runs {
        let mut at = 0;
        for Piece { kind, range, ends, input } in parser.pieces(run) {
            assert_eq!(range.start, at, "pieces leave a gap");
            assert!(range.end > at, "an empty piece");
            at = range.end;
            match kind {
                Some(kind) if ends => messages.push((kind, input)),
                Some(_) => assert_eq!(input, None, "input before the message is complete"),
                None => lost += range.len(),
            }
        }
        assert_eq!(at, run.len(), "pieces do not cover the bytes");
    }
    (messages, lost)
}

fn cut<'a>(mut rest: &'a [u8], sizes: &[u8]) -> Vec<&'a [u8]> {
    let mut runs = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (run, after) = rest.split_at(rest.len().min(1 + usize::from(*size)));
        runs.push(run);
        rest = after;
    }
    runs
}
