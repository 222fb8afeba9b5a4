use proptest::prelude::*;

use super::*;

fn size(width: u16, height: u16) -> Size {
    Size { width, height }
}

fn init(screen: Size, name: &[u8]) -> Vec<u8> {
    let format = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
    let length = u32::try_from(name.len()).unwrap().to_be_bytes();
    [&screen.width.to_be_bytes()[..], &screen.height.to_be_bytes(), &format, &length, name].concat()
}

fn update(rectangles: &[Vec<u8>]) -> Vec<u8> {
    let count = u16::try_from(rectangles.len()).unwrap().to_be_bytes();
    [&[0, 0][..], &count, &rectangles.concat()].concat()
}

fn header([x, y, width, height]: [u16; 4], encoding: i32) -> Vec<u8> {
    [&[x, y, width, height].map(u16::to_be_bytes).concat()[..], &encoding.to_be_bytes()].concat()
}

/// A rectangle whose every pixel says where on the screen it is.
fn raw([x, y, width, height]: [u16; 4]) -> Vec<u8> {
    let places = (y..y + height).flat_map(|y| (x..x + width).map(move |x| (x, y)));
    let pixels = places.flat_map(|(x, y)| [(x % 251) as u8, (y % 251) as u8, ((x + y) % 251) as u8, 99]);
    [header([x, y, width, height], 0), pixels.collect()].concat()
}

fn watch(runs: &[&[u8]]) -> Result<Watcher, Garbled> {
    let mut watcher = Watcher::new();
    runs.iter().try_for_each(|run| watcher.push(run))?;
    Ok(watcher)
}

#[test]
fn an_opening_asks_for_the_whole_screen_in_raw() {
    let mut watcher = Watcher::new();
    let init = init(size(1920, 1080), b"desk");
    assert_eq!(watcher.push(&init[..23]), Ok(()));
    assert_eq!(watcher.to_say(), b"");
    assert_eq!(watcher.push(&init[23..]), Ok(()));
    #[rustfmt::skip]
    let expected = [
        0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0,
        2, 0, 0, 1, 0, 0, 0, 0,
        3, 0, 0, 0, 0, 0, 7, 128, 4, 56,
    ];
    assert_eq!(watcher.to_say(), expected);
    assert_eq!(watcher.to_say(), b"", "once");
    // And the gateway's other parser knows every message in it: none is input, none steers.
    let mut parser = crate::rfb::client::Parser::new();
    assert!(parser.pieces(&expected).all(|piece| piece.kind.is_some_and(|kind| !kind.steers())));
    assert_eq!(parser.push(&[]), crate::rfb::client::Scan::default());
}

#[test]
fn a_picture_is_what_was_drawn() {
    let screen = size(3, 2);
    let pixels = [1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 11, 12, 13, 0, 14, 15, 16, 0, 17, 18, 19, 0];
    let rectangle = [header([0, 0, 3, 2], 0), pixels.to_vec()].concat();
    let watcher = watch(&[&init(screen, b""), &update(&[rectangle])]).unwrap();
    let rgb = [3, 2, 1, 6, 5, 4, 9, 8, 7, 13, 12, 11, 16, 15, 14, 19, 18, 17];
    assert_eq!(watcher.picture(), Some(Picture { size: screen, rgb: rgb.to_vec() }));
}

#[test]
fn rectangles_come_in_any_order_and_number() {
    let (screen, whole) = (size(700, 500), [0, 0, 700, 500]);
    let expected = watch(&[&init(screen, b"desk"), &update(&[raw(whole)])]).unwrap().picture();
    assert_eq!(expected.as_ref().map(|picture| picture.size), Some(size(480, 343)));
    let bell_cut_text_colours =
        [&[2][..], &[3, 0, 0, 0, 0, 0, 0, 2, 0, 0], &[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
    let tiles = [[350, 0, 350, 500], [0, 499, 350, 1], [0, 0, 350, 499], [5, 5, 0, 9]].map(raw);
    let mut watcher = Watcher::new();
    watcher.push(&init(screen, b"desk")).unwrap();
    assert!(!watcher.to_say().is_empty());
    watcher.push(&bell_cut_text_colours).unwrap();
    watcher.push(&update(&[])).unwrap();
    assert_eq!(watcher.to_say(), [3, 1, 0, 0, 0, 0, 2, 188, 1, 244], "the rest is asked for");
    watcher.push(&update(&tiles[..2])).unwrap();
    assert_eq!(watcher.picture(), None);
    assert!(!watcher.to_say().is_empty());
    watcher.push(&bell_cut_text_colours).unwrap();
    watcher.push(&update(&tiles[2..])).unwrap();
    assert_eq!(watcher.to_say(), b"");
    assert_eq!(watcher.picture(), expected);
    // Nothing that follows changes it.
    assert_eq!(watcher.push(&[99; 100]), Ok(()));
    assert_eq!(watcher.picture(), expected);
}

#[test]
fn what_nobody_asked_for_ends_it() {
    let screen = size(8, 8);
    let begun = init(screen, b"desk");
    let four = raw([0, 0, 8, 8]);
    for (bytes, expected) in [
        (init(size(0, 9), b""), Garbled::Screen(size(0, 9))),
        (init(size(9, 0), b""), Garbled::Screen(size(9, 0))),
        (init(size(16_385, 1), b""), Garbled::Screen(size(16_385, 1))),
        (init(size(16_384, 16_384), b""), Garbled::Screen(size(16_384, 16_384))),
        ([&begun[..20], &[255; 4]].concat(), Garbled::Long(u32::MAX)),
        ([&begun[..], &[4]].concat(), Garbled::Message(4)),
        ([&begun[..], &[150]].concat(), Garbled::Message(150)),
        ([&begun[..], &[3, 0, 0, 0, 255, 255, 255, 252]].concat(), Garbled::Long(u32::MAX - 3)),
        ([begun.clone(), update(&[header([0, 0, 8, 8], 7)])].concat(), Garbled::Encoding(7)),
        ([begun.clone(), update(&[header([0, 0, 9, 9], -223)])].concat(), Garbled::Encoding(-223)),
        ([begun.clone(), update(&[header([1, 0, 8, 8], 0)])].concat(), Garbled::Outside),
        ([begun.clone(), update(&[header([0, u16::MAX, 1, u16::MAX], 0)])].concat(), Garbled::Outside),
        ([begun.clone(), update(&vec![four; 5])].concat(), Garbled::Flood),
    ] {
        let mut watcher = Watcher::new();
        assert_eq!(watcher.push(&bytes), Err(expected));
        assert_eq!(watcher.push(&[0]), Err(expected), "and stays so");
        assert_eq!(watcher.picture(), None);
    }
}

fn cut<'a>(mut rest: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut runs = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (run, after) = rest.split_at(rest.len().min(*size));
        runs.push(run);
        rest = after;
    }
    runs
}

proptest! {
    #[test]
    fn any_split_gives_the_same_picture(
        width in 1..90_u16, height in 1..30_u16, split in 0..30_u16,
        sizes in prop::collection::vec(1..50_usize, 1..20),
    ) {
        let (screen, split) = (size(width, height), split.min(height));
        let parts = [[0, split, width, height - split], [0, 0, width, split]].map(raw);
        let stream = [init(screen, b"desk"), vec![2], update(&parts)].concat();
        let picture = watch(&[&stream]).unwrap().picture();
        prop_assert!(picture.is_some());
        prop_assert_eq!(watch(&cut(&stream, &sizes)).unwrap().picture(), picture);
    }

    #[test]
    fn any_bytes_in_any_split_never_panic_and_agree(
        width in 1..40_u16, height in 1..40_u16,
        bytes in prop::collection::vec(prop_oneof![Just(0_u8), 0..9_u8, any::<u8>()], 0..400),
        sizes in prop::collection::vec(1..9_usize, 1..20),
    ) {
        let stream = [init(size(width, height), b""), bytes].concat();
        let together = watch(&[&stream]).map(|watcher| watcher.picture());
        let apart = watch(&cut(&stream, &sizes)).map(|watcher| watcher.picture());
        prop_assert_eq!(apart, together);
    }
}
