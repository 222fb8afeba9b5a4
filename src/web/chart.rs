//! Pictures of numbers, drawn here as SVG: lines, stacked areas, bars and sparklines.
//!
//! The drawing is stretched to whatever width the page has; words stand beside it as text of the page,
//! so that they keep their size on a telephone. Colours come from classes, so they follow light and dark.
//! Each picture has a title, a description, and its numbers in a table.

use std::fmt::Write;

/// The height of a drawing in its own units.
const HEIGHT: f32 = 100.0;

/// A picture, ready to render.
#[derive(Debug)]
pub struct Chart {
    /// Tells it from others on the page.
    pub id: &'static str,
    pub title: String,
    /// What it shows, in a sentence, for who does not see it.
    pub description: String,
    /// The present value.
    pub now: String,
    /// The width of the drawing in its own units.
    pub width: usize,
    pub shapes: Vec<Shape>,
    /// Words at the top, the middle and the bottom.
    pub heights: [String; 3],
    /// Words from the oldest to the newest.
    pub times: Vec<String>,
    /// What each colour means; empty where there is one.
    pub legend: Vec<(&'static str, String)>,
    pub table: Table,
}

/// One drawn thing.
#[derive(Debug)]
pub struct Shape {
    /// Its colour and kind.
    pub class: &'static str,
    /// Its outline.
    pub path: String,
}

/// The numbers of a picture.
#[derive(Debug, Default)]
pub struct Table {
    /// One word per column after the time.
    pub heads: Vec<String>,
    /// Time for people, for programs, and a text per column.
    pub rows: Vec<(String, String, Vec<String>)>,
}

/// Fewer values, each the mean of `of` neighbours as far as they are known.
pub fn thin(values: &[f32], of: usize) -> Vec<f32> {
    values.chunks(of.max(1)).map(mean).collect()
}

/// The mean of those that are known; not a number if none is.
pub fn mean(values: &[f32]) -> f32 {
    let known = values.iter().filter(|value| value.is_finite());
    let (sum, count) = known.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { f32::NAN }
}

/// The largest that is known; zero if none is.
pub fn largest(values: &[f32]) -> f32 {
    values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f32::max)
}

/// A round number not below `value`, whose half is round too.
pub fn round_up(value: f32) -> f32 {
    let value = value.max(2.0);
    let unit = 10_f32.powf(value.log10().floor());
    let steps = [1.0, 2.0, 4.0, 6.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * unit).find(|round| *round >= value).unwrap_or(10.0 * unit)
}

/// A line through the values; gaps stay open.
pub fn line(values: &[f32], max: f32) -> String {
    let mut path = String::new();
    for run in runs(values) {
        if run.len() == 1 {
            // A dot, by the round ends of the stroke.
            put(&mut path, 'M', run.start, level(values[run.start], max));
            path.push_str("h0");
            continue;
        }
        for nth in kept(run.clone(), |nth| values[nth]) {
            put(&mut path, if nth == run.start { 'M' } else { 'L' }, nth, level(values[nth], max));
        }
    }
    path
}

/// The area between the values and nothing.
pub fn area(values: &[f32], max: f32) -> String {
    between(values, &vec![0.0; values.len()], max)
}

/// Areas upon each other, the first at the bottom.
pub fn stack(columns: &[Vec<f32>], max: f32) -> Vec<String> {
    let length = columns.first().map_or(0, Vec::len);
    let mut below = vec![0.0; length];
    let mut paths = Vec::new();
    for column in columns {
        let above: Vec<f32> = below.iter().zip(column).map(|(below, value)| below + value).collect();
        paths.push(between(&above, &below, max));
        below = above;
    }
    paths
}

/// Bars upon each other, the first at the bottom.
pub fn bars(columns: &[Vec<f32>], max: f32) -> Vec<String> {
    let length = columns.first().map_or(0, Vec::len);
    let mut below = vec![0.0; length];
    let mut paths = Vec::new();
    for column in columns {
        let mut path = String::new();
        for (nth, value) in column.iter().enumerate().filter(|(_, value)| **value > 0.0) {
            let (low, high) = (level(below[nth], max), level(below[nth] + value, max));
            put(&mut path, 'M', nth, low);
            let _ = write!(path, "V{}h.8V{}z", short(high), short(low));
            below[nth] += value;
        }
        paths.push(path);
    }
    paths
}

fn between(above: &[f32], below: &[f32], max: f32) -> String {
    let mut path = String::new();
    let flat = above.iter().zip(below).all(|(above, below)| !above.is_finite() || above <= below);
    if flat {
        return path;
    }
    for run in runs(above) {
        for nth in kept(run.clone(), |nth| above[nth]) {
            put(&mut path, if nth == run.start { 'M' } else { 'L' }, nth, level(above[nth], max));
        }
        if run.len() == 1 {
            path.push_str("h.5");
            let _ = write!(path, "V{}h-.5z", short(level(below[run.start], max)));
            continue;
        }
        for nth in kept(run, |nth| below[nth]).into_iter().rev() {
            put(&mut path, 'L', nth, level(below[nth], max));
        }
        path.push('z');
    }
    path
}

/// Stretches without a gap.
fn runs(values: &[f32]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for (nth, _) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        match runs.last_mut().filter(|run| run.end == nth) {
            Some(run) => run.end = nth + 1,
            None => runs.push(nth..nth + 1),
        }
    }
    runs
}

/// The places that have to be drawn: those in the middle of a level stretch do not.
fn kept(run: std::ops::Range<usize>, value: impl Fn(usize) -> f32) -> Vec<usize> {
    let ends = (run.start, run.end.saturating_sub(1));
    #[allow(clippy::float_cmp, reason = "the same value twice")]
    let bends = |nth: &usize| {
        *nth == ends.0 || *nth == ends.1 || value(*nth) != value(nth - 1) || value(*nth) != value(nth + 1)
    };
    run.filter(bends).collect()
}

fn put(path: &mut String, command: char, x: usize, y: f32) {
    let _ = write!(path, "{command}{x} {}", short(y));
}

/// From the top.
fn level(value: f32, max: f32) -> f32 {
    if max > 0.0 { (HEIGHT - value / max * HEIGHT).clamp(0.0, HEIGHT) } else { HEIGHT }
}

/// One digit after the point, if it is not zero.
fn short(number: f32) -> String {
    let tenths = (number * 10.0).round() / 10.0;
    if tenths.fract() == 0.0 { format!("{tenths:.0}") } else { format!("{tenths:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: f32 = f32::NAN;

    #[test]
    fn lines_leave_gaps_and_level_stretches_are_short() {
        assert_eq!(line(&[0.0, 50.0, GAP, 100.0], 100.0), "M0 100L1 50M3 0h0");
        assert_eq!(line(&[5.0, 5.0, 5.0, 5.0, 10.0], 10.0), "M0 50L3 50L4 0");
        assert_eq!(line(&[GAP, GAP], 10.0), "");
        assert_eq!(line(&[200.0], 100.0), "M0 0h0", "nothing leaves the drawing");
    }

    #[test]
    fn areas_stand_on_each_other() {
        assert_eq!(area(&[50.0, 100.0], 100.0), "M0 50L1 0L1 100L0 100z");
        let stacked = stack(&[vec![1.0, 1.0], vec![0.0, 0.0], vec![2.0, 3.0]], 4.0);
        assert_eq!(stacked, ["M0 75L1 75L1 100L0 100z", "", "M0 25L1 0L1 75L0 75z"]);
        assert_eq!(stack(&[vec![GAP, 1.0]], 4.0), ["M1 75h.5V100h-.5z"]);
    }

    #[test]
    fn bars_stand_on_each_other() {
        assert_eq!(bars(&[vec![0.0, 1.0], vec![GAP, 1.0]], 2.0), ["M1 100V50h.8V100z", "M1 50V0h.8V50z"]);
    }

    #[test]
    fn scales_are_round() {
        for (value, round) in [(0.0, 2.0), (1.0, 2.0), (3.0, 4.0), (9.5, 10.0), (11.0, 20.0), (61.0, 80.0)] {
            assert_eq!(round_up(value), round, "{value}");
        }
    }

    #[test]
    fn means_know_gaps() {
        assert_eq!(thin(&[1.0, 3.0, GAP, 5.0], 2), [2.0, 5.0]);
        assert!(mean(&[GAP]).is_nan());
        assert_eq!(largest(&[GAP, 2.0, 1.0]), 2.0);
    }
}
