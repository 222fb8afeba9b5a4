//! Values over time in bounded memory: the last hour fine, the last day coarser, thirty days coarse.
//!
//! Everything here is pure. Each value goes into the open slot of every span; a slot that is over becomes
//! one point, the mean of its values or, for counts, their sum. What was not measured is not a number and
//! stays a gap in the picture.

use std::collections::VecDeque;

use crate::store::StatSpan;

/// How the values of a slot become one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fold {
    /// Their average: a level.
    Mean,
    /// Their sum: a count of what happened.
    Sum,
}

/// What a value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Metric {
    /// Its stable name in the API.
    pub name: &'static str,
    /// Its unit in the API.
    pub unit: &'static str,
    /// How several become one.
    pub fold: Fold,
}

/// The length of one slot, in seconds.
#[must_use]
pub fn step(span: StatSpan, every_s: i64) -> i64 {
    match span {
        StatSpan::Hour => every_s.max(1),
        StatSpan::Day => 300,
        StatSpan::Month => 7200,
    }
}

/// How far back a span goes, in seconds.
#[must_use]
pub fn reach(span: StatSpan) -> i64 {
    match span {
        StatSpan::Hour => 3600,
        StatSpan::Day => 24 * 3600,
        StatSpan::Month => 30 * 24 * 3600,
    }
}

/// One slot that is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point<const N: usize> {
    /// Where the slot begins, in seconds since 1970.
    pub at: i64,
    /// Its values; not a number where nothing was measured.
    pub values: [f32; N],
}

/// A span as it is drawn: one row per slot, oldest first, without holes.
#[derive(Clone, Debug, PartialEq)]
pub struct Series<const N: usize> {
    /// Where the first slot begins, in seconds since 1970.
    pub from: i64,
    /// The length of a slot in seconds.
    pub step: i64,
    /// The values of each slot.
    pub rows: Vec<[f32; N]>,
}

impl<const N: usize> Series<N> {
    /// One metric over time.
    #[must_use]
    pub fn column(&self, metric: usize) -> Vec<f32> {
        self.rows.iter().map(|row| row[metric]).collect()
    }

    /// The last value that is one.
    #[must_use]
    pub fn last(&self, metric: usize) -> Option<f32> {
        self.rows.iter().rev().map(|row| row[metric]).find(|value| value.is_finite())
    }
}

/// Everything that is kept of one subject.
#[derive(Clone, Debug)]
pub struct Track<const N: usize> {
    metrics: &'static [Metric; N],
    spans: [Lane<N>; 3],
}

#[derive(Clone, Debug)]
struct Lane<const N: usize> {
    step: i64,
    reach: i64,
    points: VecDeque<Point<N>>,
    open: Option<Open<N>>,
}

/// A slot that is not over yet.
#[derive(Clone, Copy, Debug)]
struct Open<const N: usize> {
    at: i64,
    sums: [f64; N],
    counts: [u32; N],
}

impl<const N: usize> Track<N> {
    /// An empty one for samples that come `every_s` seconds.
    #[must_use]
    pub fn new(metrics: &'static [Metric; N], every_s: i64) -> Self {
        let lane = |span| Lane {
            step: step(span, every_s),
            reach: reach(span),
            points: VecDeque::new(),
            open: None,
        };
        Self { metrics, spans: StatSpan::ALL.map(lane) }
    }

    /// Takes values in; returns the points of slots that are over by now.
    pub fn push(&mut self, now: i64, values: &[f32; N]) -> Vec<(StatSpan, Point<N>)> {
        let metrics = self.metrics;
        let mut over = Vec::new();
        for (span, lane) in StatSpan::ALL.into_iter().zip(&mut self.spans) {
            over.extend(lane.push(now, values, metrics).map(|point| (span, point)));
        }
        over
    }

    /// Puts a point back that was kept elsewhere; those of a span come oldest first.
    pub fn restore(&mut self, span: StatSpan, point: Point<N>) {
        let lane = &mut self.spans[span as usize];
        if lane.points.back().is_none_or(|last| last.at < point.at) {
            lane.points.push_back(point);
        }
    }

    /// The values that came last; not a number where nothing was measured then.
    #[must_use]
    pub fn latest(&self) -> [f32; N] {
        // The shortest slot holds one sample.
        let lane = &self.spans[0];
        let open = lane.open.map(|open| open.point(self.metrics).values);
        open.or_else(|| lane.points.back().map(|point| point.values)).unwrap_or([f32::NAN; N])
    }

    /// A span as it is at `now`, the slot that is not over included.
    #[must_use]
    pub fn series(&self, span: StatSpan, now: i64) -> Series<N> {
        self.spans[span as usize].series(now, self.metrics)
    }
}

impl<const N: usize> Lane<N> {
    fn slot(&self, now: i64) -> i64 {
        now - now.rem_euclid(self.step)
    }

    fn push(&mut self, now: i64, values: &[f32; N], metrics: &[Metric; N]) -> Option<Point<N>> {
        let at = self.slot(now);
        let over = self.open.filter(|open| open.at != at).map(|open| open.point(metrics));
        if over.is_some() {
            self.open = None;
        }
        let open = self.open.get_or_insert(Open { at, sums: [0.0; N], counts: [0; N] });
        open.add(values);
        // A clock that was set back makes no second past.
        let point = over.filter(|point| self.points.back().is_none_or(|last| last.at < point.at))?;
        self.points.push_back(point);
        while self.points.front().is_some_and(|first| first.at < at - self.reach) {
            self.points.pop_front();
        }
        Some(point)
    }

    fn series(&self, now: i64, metrics: &[Metric; N]) -> Series<N> {
        let count = usize::try_from(self.reach / self.step).unwrap_or_default();
        let last = self.slot(now);
        let from = last - self.step * (i64::try_from(count).unwrap_or_default() - 1);
        let mut rows = vec![[f32::NAN; N]; count];
        let open = self.open.map(|open| open.point(metrics));
        for point in self.points.iter().chain(&open) {
            let nth = usize::try_from((point.at - from).div_euclid(self.step));
            if let Some(row) = nth.ok().and_then(|nth| rows.get_mut(nth)) {
                *row = point.values;
            }
        }
        Series { from, step: self.step, rows }
    }
}

impl<const N: usize> Open<N> {
    fn add(&mut self, values: &[f32; N]) {
        for (nth, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            self.sums[nth] += f64::from(*value);
            self.counts[nth] += 1;
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "a picture needs no more digits")]
    fn point(&self, metrics: &[Metric; N]) -> Point<N> {
        let value = |nth: usize| match (self.counts[nth], metrics[nth].fold) {
            (0, _) => f32::NAN,
            (_, Fold::Sum) => self.sums[nth] as f32,
            (count, Fold::Mean) => (self.sums[nth] / f64::from(count)) as f32,
        };
        Point { at: self.at, values: std::array::from_fn(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: [Metric; 2] = [
        Metric { name: "level", unit: "percent", fold: Fold::Mean },
        Metric { name: "count", unit: "starts", fold: Fold::Sum },
    ];

    /// A Monday at midnight.
    const THEN: i64 = 1_767_571_200;

    #[test]
    fn a_slot_that_is_over_becomes_the_mean_or_the_sum() {
        let mut track = Track::new(&TWO, 15);
        let mut over = Vec::new();
        for nth in 0..=20 {
            over.extend(track.push(THEN + 15 * nth, &[nth as f32, 1.0]));
        }
        let hours = over.iter().filter(|(span, _)| *span == StatSpan::Hour).count();
        assert_eq!(hours, 20, "each slot but the one that is open");
        let days: Vec<_> = over.iter().filter(|(span, _)| *span == StatSpan::Day).collect();
        assert_eq!(days, [&(StatSpan::Day, Point { at: THEN, values: [9.5, 20.0] })]);
        let day = track.series(StatSpan::Day, THEN + 301);
        assert_eq!((day.rows.len(), day.step, day.from), (288, 300, THEN + 300 - 287 * 300));
        assert_eq!(day.rows[286..], [[9.5, 20.0], [20.0, 1.0]], "the open slot is shown too");
        assert!(day.rows[..286].iter().all(|row| row[0].is_nan()));
        assert_eq!(day.last(0), Some(20.0));
        assert_eq!(track.latest(), [20.0, 1.0], "not the mean of a longer slot");
    }

    #[test]
    fn what_was_not_measured_is_a_gap() {
        let mut track = Track::new(&TWO, 15);
        track.push(THEN, &[1.0, f32::NAN]);
        track.push(THEN + 45, &[2.0, 0.0]);
        let hour = track.series(StatSpan::Hour, THEN + 59);
        let column = hour.column(0);
        assert_eq!((column[236], column[239]), (1.0, 2.0));
        assert!(column[237].is_nan() && column[238].is_nan() && hour.column(1)[236].is_nan());
    }

    #[test]
    fn memory_is_bounded_and_a_restart_goes_on_where_it_was() {
        let mut track = Track::new(&TWO, 15);
        let mut kept = Vec::new();
        for nth in 0..20_000 {
            kept.extend(track.push(THEN + 15 * nth, &[1.0, 1.0]));
        }
        let counts = track.spans.each_ref().map(|lane| lane.points.len());
        assert!(counts[0] <= 241 && counts[1] <= 289 && counts[2] <= 361, "{counts:?}");
        let mut again = Track::new(&TWO, 15);
        for (span, point) in kept {
            again.restore(span, point);
        }
        let now = THEN + 15 * 20_000;
        for span in StatSpan::ALL {
            let (mut before, mut after) = (track.series(span, now), again.series(span, now));
            // The open slots of both lanes are lost with the process.
            let tail = before.rows.len() - 2;
            before.rows.truncate(tail);
            after.rows.truncate(tail);
            assert_eq!(format!("{before:?}"), format!("{after:?}"), "{span:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_second_past() {
        let mut track = Track::new(&TWO, 15);
        for at in [THEN + 600, THEN + 615, THEN, THEN + 15, THEN + 630, THEN + 645] {
            track.push(at, &[1.0, 1.0]);
        }
        let points = &track.spans[0].points;
        assert!(points.iter().zip(points.iter().skip(1)).all(|(one, next)| one.at < next.at), "{points:?}");
    }
}
