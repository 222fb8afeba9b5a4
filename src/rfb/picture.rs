//! A screen made small while it arrives.
//!
//! Every pixel is added to the cell of the small picture that it falls into and forgotten (a box
//! filter), so a screen of any size and rectangles in any order need the memory of the small
//! picture alone.

/// The longer side of a picture, in pixels; a smaller screen stays as it is.
pub const MAX_SIDE: u16 = 480;

/// Pixels that a cell takes in: a dozen times what any screen has for it. A desktop that draws the
/// same place for ever changes it no more.
const CELL_FULL: u32 = 1 << 16;

/// Width and height, in pixels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Size {
    /// From left to right.
    pub width: u16,
    /// From top to bottom.
    pub height: u16,
}

impl Size {
    /// The size of the picture of such a screen: as it is or, with the same proportions, the
    /// longer side [`MAX_SIDE`]. Neither side is 0.
    #[must_use]
    pub fn fitted(self) -> Self {
        let longest = u32::from(self.width.max(self.height).max(MAX_SIDE));
        let side = |side: u16| {
            let scaled = (u32::from(side) * u32::from(MAX_SIDE) + longest / 2) / longest;
            u16::try_from(scaled.max(1)).expect("at most MAX_SIDE, because `longest` is not shorter")
        };
        Self { width: side(self.width), height: side(self.height) }
    }

    /// How many pixels it has.
    #[must_use]
    pub fn area(self) -> u32 {
        u32::from(self.width) * u32::from(self.height)
    }
}

/// A finished picture.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Picture {
    /// Its size.
    pub size: Size,
    /// Red, green and blue of every pixel, row by row from the top.
    pub rgb: Vec<u8>,
}

/// A picture that is being made from a screen.
#[derive(Clone, Debug)]
pub struct Mosaic {
    screen: Size,
    size: Size,
    cells: Vec<Cell>,
    /// Cells without a pixel.
    empty: usize,
}

/// The sums of the pixels that fell into it.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    red: u32,
    green: u32,
    blue: u32,
    pixels: u32,
}

impl Mosaic {
    /// An empty picture of a screen, neither side of which is 0.
    #[must_use]
    pub fn new(screen: Size) -> Self {
        let size = screen.fitted();
        let cells = vec![Cell::default(); size.area() as usize];
        Self { screen, size, empty: cells.len(), cells }
    }

    /// The size of the screen.
    #[must_use]
    pub fn screen(&self) -> Size {
        self.screen
    }

    /// Adds pixels of the screen's row `y` from `x` on, each as blue, green, red and a byte
    /// without meaning. What lies outside the screen is left out.
    pub fn add(&mut self, x: u16, y: u16, pixels: &[[u8; 4]]) {
        if y >= self.screen.height {
            return;
        }
        let inside = usize::from(self.screen.width.saturating_sub(x));
        let mut rest = &pixels[..pixels.len().min(inside)];
        let (wide, width) = (u32::from(self.screen.width), u32::from(self.size.width));
        let row = u32::from(y) * u32::from(self.size.height) / u32::from(self.screen.height);
        let (mut at, mut column) = (u32::from(x), u32::from(x) * width / wide);
        while !rest.is_empty() {
            let next = ((column + 1) * wide).div_ceil(width);
            let (run, after) = rest.split_at(rest.len().min((next - at) as usize));
            let cell = &mut self.cells[(row * width + column) as usize];
            self.empty -= usize::from(cell.pixels == 0);
            cell.add(run);
            (at, column, rest) = (next, column + 1, after);
        }
    }

    /// Whether every part of the picture has been seen.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        self.empty == 0
    }

    /// The picture as far as it has been seen; the rest is black.
    #[must_use]
    pub fn picture(&self) -> Picture {
        Picture { size: self.size, rgb: self.cells.iter().flat_map(Cell::colour).collect() }
    }
}

impl Cell {
    fn add(&mut self, run: &[[u8; 4]]) {
        if self.pixels >= CELL_FULL {
            return;
        }
        for [blue, green, red, _] in run {
            self.red += u32::from(*red);
            self.green += u32::from(*green);
            self.blue += u32::from(*blue);
        }
        self.pixels += u32::try_from(run.len()).expect("a row has at most 65535 pixels");
    }

    fn colour(&self) -> [u8; 3] {
        let mean = |sum: u32| {
            let mean = (sum + self.pixels / 2).checked_div(self.pixels).unwrap_or_default();
            u8::try_from(mean).expect("a mean of bytes is a byte")
        };
        [mean(self.red), mean(self.green), mean(self.blue)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(width: u16, height: u16) -> Size {
        Size { width, height }
    }

    #[test]
    fn a_picture_has_the_proportions_of_its_screen() {
        for (screen, expected) in [
            ((1920, 1080), (480, 270)),
            ((1280, 800), (480, 300)),
            ((480, 480), (480, 480)),
            ((64, 48), (64, 48)),
            ((1080, 1920), (270, 480)),
            ((16_384, 1), (480, 1)),
            ((1, 16_384), (1, 480)),
            ((u16::MAX, u16::MAX), (480, 480)),
        ] {
            let fitted = size(screen.0, screen.1).fitted();
            assert_eq!((fitted.width, fitted.height), expected, "{screen:?}");
        }
    }

    #[test]
    fn a_cell_is_the_mean_of_its_pixels() {
        // Two screen pixels per cell across, two down.
        let mut mosaic = Mosaic::new(size(960, 2));
        let black_white: Vec<_> = [[0, 0, 0, 9], [255, 255, 255, 9]].repeat(480);
        mosaic.add(0, 0, &black_white);
        mosaic.add(0, 1, &vec![[0, 0, 255, 0]; 960]);
        assert!(mosaic.is_covered());
        let picture = mosaic.picture();
        assert_eq!((picture.size, picture.rgb.len()), (size(480, 1), 480 * 3));
        assert!(picture.rgb.chunks(3).all(|rgb| rgb == [191, 64, 64]), "{:?}", &picture.rgb[..6]);
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let mut mosaic = Mosaic::new(size(4, 2));
        mosaic.add(2, 0, &[[1, 2, 3, 0]; 9]);
        mosaic.add(4, 1, &[[1, 2, 3, 0]; 9]);
        mosaic.add(0, 2, &[[1, 2, 3, 0]; 4]);
        assert!(!mosaic.is_covered());
        assert_eq!(mosaic.picture().rgb[..12], [0, 0, 0, 0, 0, 0, 3, 2, 1, 3, 2, 1]);
    }

    #[test]
    fn a_place_drawn_for_ever_overflows_nothing() {
        let mut mosaic = Mosaic::new(size(8_000, 1));
        for _ in 0..100_000 {
            mosaic.add(0, 0, &[[255; 4]; 16]);
        }
        assert_eq!(mosaic.picture().rgb[..3], [255; 3]);
    }

    proptest! {
        #[test]
        fn a_screen_of_one_colour_is_a_picture_of_it(
            width in 1..3000_u16, height in 1..40_u16, colour: [u8; 4], cut in 1..3000_usize,
        ) {
            let mut mosaic = Mosaic::new(size(width, height));
            let row = vec![colour; usize::from(width)];
            for y in (0..height).rev() {
                let mut x = 0;
                for run in row.chunks(cut) {
                    mosaic.add(x, y, run);
                    x += u16::try_from(run.len()).unwrap();
                }
            }
            prop_assert!(mosaic.is_covered());
            let picture = mosaic.picture();
            let [blue, green, red, _] = colour;
            prop_assert!(picture.rgb.chunks(3).all(|rgb| rgb == [red, green, blue]));
        }
    }
}
