use proptest::prelude::*;

use super::*;

fn be16(value: u16) -> [u8; 2] {
    value.to_be_bytes()
}

fn key() -> Vec<u8> {
    vec![4, 1, 0, 0, 0, 0, 0, 0x61]
}

fn pointer(buttons: u8, x: u16, y: u16) -> Vec<u8> {
    [&[5, buttons][..], &be16(x), &be16(y)].concat()
}

fn encodings(list: &[i32]) -> Vec<u8> {
    let mut message = vec![2, 0];
    message.extend(be16(u16::try_from(list.len()).unwrap()));
    message.extend(list.iter().flat_map(|encoding| encoding.to_be_bytes()));
    message
}

fn cut_text(length: i32, body: &[u8]) -> Vec<u8> {
    [&[6, 0, 0, 0][..], &length.to_be_bytes(), body].concat()
}

fn fence(length: u8) -> Vec<u8> {
    let mut message = vec![248, 0, 0, 0, 0, 0, 0, 0, length];
    message.resize(9 + usize::from(length), 7);
    message
}

fn desktop_size(screens: u8) -> Vec<u8> {
    let mut message = vec![251, 0, 4, 0, 3, 0, screens, 0];
    message.resize(8 + 16 * usize::from(screens), 4);
    message
}

/// One of every message, with the input it stands for.
fn samples() -> Vec<(Vec<u8>, Kind, Option<InputSource>)> {
    let extended = |flags: u32, rest: usize| {
        let length = -(4 + i32::try_from(rest).unwrap());
        cut_text(length, &[&flags.to_be_bytes()[..], &vec![6; rest]].concat())
    };
    vec![
        (vec![0; 20], Kind::PixelFormat, None),
        (encodings(&[]), Kind::Encodings, None),
        (encodings(&[7, 16, -239, -308]), Kind::Encodings, None),
        (vec![3, 1, 0, 0, 0, 0, 4, 0, 3, 0], Kind::UpdateRequest, None),
        (key(), Kind::Key, Some(InputSource::Key)),
        (pointer(0, 5, 5), Kind::Pointer, Some(InputSource::Pointer)),
        (pointer(0, 5, 5), Kind::Pointer, None),
        (pointer(1, 5, 5), Kind::Pointer, Some(InputSource::Pointer)),
        (pointer(1, 6, 5), Kind::Pointer, Some(InputSource::Pointer)),
        (cut_text(5, b"\x04\x04\x04\x04\x04"), Kind::CutText, Some(InputSource::Clipboard)),
        (cut_text(0, b""), Kind::CutText, Some(InputSource::Clipboard)),
        (extended(1 << 24, 12), Kind::CutText, None),
        (extended((0x1f << 24) | 1, 4), Kind::CutText, None),
        (extended((1 << 25) | 1, 0), Kind::CutText, None),
        (extended(1 << 26, 0), Kind::CutText, None),
        (extended((1 << 27) | 1, 0), Kind::CutText, None),
        (extended(1 << 28, 0), Kind::CutText, None),
        (extended((1 << 28) | 1, 20), Kind::CutText, Some(InputSource::Clipboard)),
        (extended((1 << 28) | 1, 20), Kind::CutText, None),
        (extended((1 << 28) | 1, 21), Kind::CutText, Some(InputSource::Clipboard)),
        (vec![150, 1, 0, 0, 0, 0, 4, 0, 3, 0], Kind::ContinuousUpdates, None),
        (fence(0), Kind::Fence, None),
        (fence(64), Kind::Fence, None),
        (vec![250, 0, 1, 2], Kind::Power, None),
        (desktop_size(0), Kind::DesktopSize, None),
        (desktop_size(3), Kind::DesktopSize, None),
        ([vec![255, 0], vec![4; 10]].concat(), Kind::QemuKey, Some(InputSource::Key)),
    ]
}

/// What a parser makes of a stream: per message its kind and the input recognised in it.
fn messages(parser: &mut Parser, runs: &[&[u8]]) -> Vec<(Kind, Option<InputSource>)> {
    let mut found = Vec::new();
    let mut input = None;
    for bytes in runs {
        for piece in parser.pieces(bytes) {
            input = piece.input.or(input);
            if let (Some(kind), true) = (piece.kind, piece.ends) {
                found.push((kind, input.take()));
            }
        }
    }
    found
}

#[test]
fn every_message_is_recognised_and_judged() {
    let (bytes, expected): (Vec<_>, Vec<_>) =
        samples().into_iter().map(|(bytes, kind, input)| (bytes, (kind, input))).unzip();
    let mut parser = Parser::new();
    assert_eq!(messages(&mut parser, &[&bytes.concat()]), expected);
    assert_eq!(parser.understood(), Understood::Yes);
}

#[test]
fn seven_byte_pointer_messages_count_only_when_offered() {
    // Not offered: bit 7 is the eighth button, and the next byte is a type.
    let mut parser = Parser::new();
    let stream = [pointer(0x80, 1, 1), key()].concat();
    assert_eq!(messages(&mut parser, &[&stream]).len(), 2);
    // Offered: the marker says one more byte, and that byte alone is a change.
    let mut parser = Parser::new();
    let mut stream = encodings(&[7, -316]);
    stream.extend(
        [pointer(0x80, 1, 1), vec![1], pointer(0x80, 1, 1), vec![1], pointer(0x80, 1, 1), vec![2]].concat(),
    );
    stream.extend([pointer(0, 1, 1), key()].concat());
    let moved = Some(InputSource::Pointer);
    let expected = [
        (Kind::Encodings, None),
        (Kind::Pointer, moved),
        (Kind::Pointer, None),
        (Kind::Pointer, moved),
        (Kind::Pointer, moved),
        (Kind::Key, Some(InputSource::Key)),
    ];
    assert_eq!(messages(&mut parser, &[&stream]), expected);
}

/// Every message of the protocol description, byte by byte as it prints them.
#[test]
fn messages_have_the_lengths_of_the_protocol_description() {
    #[rustfmt::skip]
    let vectors: [(Kind, &[u8]); 13] = [
        // type, 3 padding, PIXEL_FORMAT: bpp, depth, big-endian, true-colour, 3 max, 3 shifts, 3 padding
        (Kind::PixelFormat, &[0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]),
        // type, padding, count, encodings: Tight, ExtendedClipboard, ExtendedMouseButtons
        (Kind::Encodings, &[2, 0, 0, 3, 0, 0, 0, 7, 0xc0, 0xa1, 0xe5, 0xce, 0xff, 0xff, 0xfe, 0xc4]),
        // type, incremental, x, y, width, height
        (Kind::UpdateRequest, &[3, 1, 0, 0, 0, 0, 7, 0x80, 4, 0x38]),
        // type, down, 2 padding, keysym
        (Kind::Key, &[4, 1, 0, 0, 0, 0, 0xff, 0x0d]),
        // type, button mask, x, y
        (Kind::Pointer, &[5, 0b101, 1, 0x2c, 0, 0xc8]),
        // The same with the marker, and buttons 8 and 9 behind it
        (Kind::Pointer, &[5, 0x80, 1, 0x2c, 0, 0xc8, 0b11]),
        // type, 3 padding, length, Latin-1
        (Kind::CutText, &[6, 0, 0, 0, 0, 0, 0, 4, b'c', b'a', b'f', 0xe9]),
        // type, 3 padding, -4, "peek"
        (Kind::CutText, &[6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 4, 0, 0, 0]),
        // type, enable, x, y, width, height
        (Kind::ContinuousUpdates, &[150, 1, 0, 0, 0, 0, 7, 0x80, 4, 0x38]),
        // type, 3 padding, flags, length, payload
        (Kind::Fence, &[248, 0, 0, 0, 0x80, 0, 0, 1, 3, 250, 251, 255]),
        // type, padding, version, code
        (Kind::Power, &[250, 0, 1, 4]),
        // type, padding, width, height, screens, padding, then id, x, y, width, height, flags
        (Kind::DesktopSize, &[251, 0, 4, 0, 3, 0, 1, 0, 0, 0, 0, 9, 0, 0, 0, 0, 4, 0, 3, 0, 0, 0, 0, 0]),
        // type, sub-type, down, keysym, keycode
        (Kind::QemuKey, &[255, 0, 0, 1, 0, 0, 0, 0x61, 0, 0, 0, 30]),
    ];
    let stream = vectors.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect::<Vec<_>>();
    let kinds: Vec<_> = messages(&mut Parser::new(), &[&stream]).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, vectors.map(|(kind, _)| kind));
    // Each ends with its own last byte and not before.
    let mut parser = Parser::new();
    for (kind, bytes) in vectors {
        for (at, byte) in bytes.iter().enumerate() {
            let ends = parser.pieces(&[*byte]).all(|piece| piece.ends);
            assert_eq!(ends, at + 1 == bytes.len(), "{kind:?} at {at}");
        }
    }
}

/// noVNC answers a desktop's clipboard capabilities with its own as soon as it is connected, and the
/// bit for "provide" is among them. It was taken for a pasted text: an open tab that reconnected
/// by itself kept its session awake.
#[test]
fn opening_a_viewer_is_no_input() {
    let mut parser = Parser::new();
    let opening: [&[u8]; 5] = [
        &[0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0],
        &encodings(&[
            1,
            7,
            -260,
            16,
            21,
            5,
            2,
            0,
            -26,
            -254,
            -223,
            -224,
            -308,
            -309,
            -312,
            -313,
            -307,
            -1063131698,
            -316,
        ]),
        &[3, 0, 0, 0, 0, 0, 4, 0, 3, 0],
        // extendedClipboardCaps() of noVNC 1.6: caps, request, peek, notify, provide; text of 0 bytes.
        &[6, 0, 0, 0, 0xff, 0xff, 0xff, 0xf8, 0x1f, 0, 0, 1, 0, 0, 0, 0],
        // What a desktop with something to paste asks for, and "nothing here" when it peeks.
        &[6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 2, 0, 0, 1, 6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 8, 0, 0, 0],
    ];
    assert_eq!(parser.push(&opening.concat()), Scan::default());
    for message in opening {
        assert_eq!(parser.push(message), Scan::default());
    }
}

/// A clipboard program on the desktop may ask for the same text every second, with nobody there.
#[test]
fn a_desktop_that_asks_again_is_no_input() {
    let provide = |text: &[u8]| {
        let length = -(4 + i32::try_from(text.len()).unwrap());
        cut_text(length, &[&[0x10, 0, 0, 1][..], text].concat())
    };
    let mut parser = Parser::new();
    let pasted = Some(InputSource::Clipboard);
    assert_eq!(parser.push(&provide(b"deflated")).input, pasted);
    for _ in 0..100 {
        assert_eq!(parser.push(&provide(b"deflated")).input, None);
    }
    assert_eq!(parser.push(&provide(b"another")).input, pasted);
    assert_eq!(parser.push(&provide(b"deflated")).input, pasted, "copied anew");
    // A plain cut text is never asked for: it is sent when somebody pastes.
    for _ in 0..2 {
        assert_eq!(parser.push(&cut_text(2, b"ab")).input, pasted);
    }
}

#[test]
fn following_a_viewer_allocates_nothing() {
    let stream: Vec<u8> = samples().into_iter().flat_map(|(bytes, ..)| bytes).collect();
    let (mut parser, mut filter) = (Parser::new(), Filter::new());
    let mut passed = Vec::with_capacity(100 * stream.len());
    let allocated = allocation_counter::measure(|| {
        for _ in 0..50 {
            assert_eq!(parser.push(&stream).understood, Understood::Yes);
            for byte in &stream {
                parser.push(std::slice::from_ref(byte));
            }
            filter.pass(&stream, &mut passed);
        }
    });
    assert!(!passed.is_empty());
    assert_eq!(allocated.count_total, 0);
}

#[test]
fn parsing_ends_at_what_has_no_known_length() {
    let too_long = i32::try_from(MAX_CUT_TEXT).unwrap() + 1;
    for bad in [
        vec![1],
        vec![7, 0, 0],
        vec![255, 1, 0, 0],
        cut_text(too_long, b""),
        cut_text(-too_long, b""),
        cut_text(i32::MIN, b""),
        cut_text(-3, b"abc"),
        fence(65),
    ] {
        let mut parser = Parser::new();
        assert_eq!(parser.push(&bad), Scan { input: None, understood: Understood::No }, "{bad:?}");
        // A key that follows may be anything: it is no proof of a human.
        assert_eq!(parser.push(&key()), Scan { input: None, understood: Understood::No });
    }
}

#[test]
fn a_half_message_is_no_input_yet() {
    let mut parser = Parser::new();
    assert_eq!(parser.push(&key()[..7]).input, None);
    assert_eq!(parser.push(&key()[7..]).input, Some(InputSource::Key));
}

#[test]
fn a_repainting_screen_nobody_touches_gives_no_input() {
    let mut parser = Parser::new();
    for _ in 0..1000 {
        let scan = parser.push(&[&[3, 1, 0, 0, 0, 0, 4, 0, 3, 0][..], &fence(8)].concat());
        assert_eq!(scan, Scan::default());
    }
}

#[test]
fn observers_can_watch_and_touch_nothing() {
    let all: Vec<u8> = samples().into_iter().flat_map(|(bytes, ..)| bytes).collect();
    let harmless: Vec<u8> =
        samples().into_iter().filter(|(_, kind, _)| !kind.steers()).flat_map(|(bytes, ..)| bytes).collect();
    let mut out = Vec::new();
    assert_eq!(Filter::new().pass(&all, &mut out), Understood::Yes);
    assert_eq!(out, harmless);
}

#[test]
fn nothing_passes_the_filter_once_parsing_has_ended() {
    let mut filter = Filter::new();
    let mut out = Vec::new();
    assert_eq!(filter.pass(&[3, 1, 0, 0, 0, 0, 4, 0, 3, 0, 99, 3], &mut out), Understood::No);
    assert_eq!(out.len(), 10);
    assert_eq!(filter.pass(&key(), &mut out), Understood::No);
    assert_eq!(out.len(), 10);
}

fn cut(bytes: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let mut runs = Vec::new();
    let mut rest = bytes;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (run, after) = rest.split_at((*size).min(rest.len()));
        runs.push(run.to_vec());
        rest = after;
    }
    runs
}

proptest! {
    #[test]
    fn any_split_gives_the_same_messages(
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
        sizes in prop::collection::vec(1..40_usize, 1..20),
    ) {
        let samples = samples();
        let order: Vec<_> = order.iter().map(|index| index.get(&samples)).collect();
        let stream: Vec<u8> = order.iter().flat_map(|(bytes, ..)| bytes.clone()).collect();
        let whole = messages(&mut Parser::new(), &[&stream]);
        let runs = cut(&stream, &sizes);
        let parts: Vec<&[u8]> = runs.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(whole.len(), order.len());
        prop_assert_eq!(messages(&mut Parser::new(), &parts), whole);
        // And an observer's desktop gets the harmless ones whole, however they were cut.
        let harmless: Vec<u8> = order
            .iter()
            .filter(|(_, kind, _)| !kind.steers())
            .flat_map(|(bytes, ..)| bytes.clone())
            .collect();
        let (mut filter, mut passed) = (Filter::new(), Vec::new());
        for run in &runs {
            prop_assert_eq!(filter.pass(run, &mut passed), Understood::Yes);
        }
        prop_assert_eq!(passed, harmless);
    }

    #[test]
    fn any_bytes_in_any_split_never_panic_and_agree(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        sizes in prop::collection::vec(1..9_usize, 1..20),
    ) {
        let mut whole = Parser::new();
        let expected = messages(&mut whole, &[&bytes]);
        let mut parser = Parser::new();
        let runs = cut(&bytes, &sizes);
        let parts: Vec<&[u8]> = runs.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(messages(&mut parser, &parts), expected);
        prop_assert_eq!(parser.understood(), whole.understood());
        let (mut together, mut apart) = (Vec::new(), Vec::new());
        let (mut one, mut other) = (Filter::new(), Filter::new());
        one.pass(&bytes, &mut together);
        for run in &runs {
            other.pass(run, &mut apart);
        }
        prop_assert_eq!(apart, together);
    }

    #[test]
    fn pieces_cover_every_byte_once(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut parser = Parser::new();
        let mut at = 0;
        for piece in parser.pieces(&bytes) {
            prop_assert_eq!(piece.range.start, at);
            prop_assert!(piece.range.end > at);
            at = piece.range.end;
        }
        prop_assert_eq!(at, bytes.len());
    }
}
