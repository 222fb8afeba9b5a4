//! What a desktop may say to the gateway that looks at it: any bytes, cut anywhere.
#![no_main]

use berth::rfb::picture::{MAX_SIDE, Picture};
use berth::rfb::server::{Garbled, MAX_SCREEN_AREA, MAX_SCREEN_SIDE, Watcher};
use libfuzzer_sys::fuzz_target;

// The first bytes say where to cut, as in "after 3, after 7, after 3, …"; the rest is the stream.
fuzz_target!(|data: &[u8]| {
    let Some((cuts, stream)) = data.split_at_checked(4) else { return };
    let together = watch(stream, &[u8::MAX; 4]);
    let apart = watch(stream, cuts);
    assert_eq!(apart, together, "the split changes what is seen");
    let Ok(Some(picture)) = together else { return };
    let Picture { size, rgb } = picture;
    assert!((1..=MAX_SIDE).contains(&size.width) && (1..=MAX_SIDE).contains(&size.height));
    assert_eq!(rgb.len(), 3 * size.area() as usize);
});

fn watch(mut rest: &[u8], sizes: &[u8]) -> Result<Option<Picture>, Garbled> {
    let mut watcher = Watcher::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (run, after) = rest.split_at(rest.len().min(1 + usize::from(*size)));
        rest = after;
        if let Err(garbled) = watcher.push(run) {
            assert_eq!(watcher.push(rest), if rest.is_empty() { Ok(()) } else { Err(garbled) });
            assert_eq!(watcher.picture(), None);
            if let Garbled::Screen(size) = garbled {
                let longest = size.width.max(size.height);
                assert!(size.area() == 0 || longest > MAX_SCREEN_SIDE || size.area() > MAX_SCREEN_AREA);
            }
            return Err(garbled);
        }
        // A request for updates, or the whole opening.
        assert!([0, 10, 38].contains(&watcher.to_say().len()));
    }
    Ok(watcher.picture())
}
