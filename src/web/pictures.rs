//! The pictures of the statistics: which curves, in which colours, with which words.

use jiff::Timestamp;

use super::chart::{self, Chart, Shape, Table};
use super::words;
use crate::broker::Entry;
use crate::language::Language;
use crate::session::StateKind;
use crate::stats::series::Series;
use crate::stats::{HOST, Host, HostMetric, SESSION, SessionMetric, Usage};
use crate::store::StatSpan;

/// Most points of a picture; more are not seen.
const POINTS: usize = 144;
const KIB: f32 = 1024.0;
/// Rows of a picture's table.
const ROWS: usize = 12;

/// What a picture is drawn from.
struct Frame<'a, const N: usize> {
    language: Language,
    span: StatSpan,
    series: &'a Series<N>,
}

/// One curve: its values, its class, and what it is called.
struct Curve {
    values: Vec<f32>,
    class: &'static str,
    name: String,
}

/// How curves are drawn together.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Each from the bottom, the first filled.
    Lines,
    /// Areas upon each other.
    Stack,
    /// Bars upon each other.
    Bars,
}

/// The words of a picture.
struct Words<'a> {
    id: &'static str,
    title: &'a str,
    now: String,
    /// How a height is said.
    say: &'a dyn Fn(f32) -> String,
}

impl<const N: usize> Frame<'_, N> {
    fn curve(&self, metric: usize, class: &'static str, name: &str) -> Curve {
        Curve { values: self.series.column(metric), class, name: self.language.text(name).into_owned() }
    }

    fn chart(&self, words: &Words<'_>, kind: Kind, curves: Vec<Curve>, max: f32) -> Chart {
        let language = self.language;
        let of = self.series.rows.len().div_ceil(POINTS);
        let sums = kind == Kind::Bars;
        let fold = |values: &[f32], of: usize| {
            let mut few = chart::thin(values, of);
            if sums {
                few.iter_mut().for_each(|value| *value *= of as f32);
            }
            few
        };
        let columns: Vec<Vec<f32>> = curves.iter().map(|curve| fold(&curve.values, of)).collect();
        let top = if max > 0.0 { max } else { chart::round_up(highest(kind, &columns)) };
        let paths = match kind {
            Kind::Lines => columns.iter().map(|column| chart::line(column, top)).collect(),
            Kind::Stack => chart::stack(&columns, top),
            Kind::Bars => chart::bars(&columns, top),
        };
        let mut shapes: Vec<Shape> = Vec::new();
        if let (Kind::Lines, [column]) = (kind, columns.as_slice()) {
            shapes.push(Shape { class: "wash", path: chart::area(column, top) });
        }
        let drawn = curves.iter().zip(paths).map(|(curve, path)| Shape { class: curve.class, path });
        shapes.extend(drawn.filter(|shape| !shape.path.is_empty()));
        let title = language.text(words.title).into_owned();
        let most = (words.say)(highest(kind, &columns));
        let range = span_words(language, self.span);
        let about = [("title", title.as_str().into()), ("range", range.into()), ("most", most.into())];
        let width = columns.first().map_or(1, Vec::len);
        Chart {
            id: words.id,
            description: language.say("chart-description", &about),
            title,
            now: words.now.clone(),
            width: if kind == Kind::Bars { width } else { width.saturating_sub(1).max(1) },
            shapes,
            heights: [(words.say)(top), (words.say)(top / 2.0), (words.say)(0.0)],
            times: times(language, self.span),
            table: self.table(&curves, sums, words.say),
            legend: if curves.len() > 1 {
                curves.into_iter().map(|curve| (curve.class, curve.name)).collect()
            } else {
                Vec::new()
            },
        }
    }

    /// The same numbers in few rows, the newest first.
    fn table(&self, curves: &[Curve], sums: bool, say: &dyn Fn(f32) -> String) -> Table {
        let of = self.series.rows.len() / ROWS;
        let row = |nth: usize| {
            let slots = nth * of..(nth + 1) * of;
            let seconds =
                self.series.from + self.series.step * i64::try_from(slots.start).unwrap_or_default();
            let at = Timestamp::from_second(seconds).unwrap_or_default();
            let cell = |curve: &Curve| {
                let values = &curve.values[slots.clone()];
                let mean = chart::mean(values);
                let known = values.iter().filter(|value| value.is_finite()).count();
                let value = if sums { mean * known as f32 } else { mean };
                if value.is_finite() { say(value) } else { "–".to_owned() }
            };
            let form = if self.span == StatSpan::Hour { "%H:%M UTC" } else { "%F %H:%M UTC" };
            (at.strftime(form).to_string(), at.to_string(), curves.iter().map(cell).collect())
        };
        Table {
            heads: curves.iter().map(|curve| curve.name.clone()).collect(),
            rows: (0..ROWS).rev().map(row).collect(),
        }
    }
}

/// The top of what is drawn.
fn highest(kind: Kind, columns: &[Vec<f32>]) -> f32 {
    match kind {
        Kind::Lines => columns.iter().map(|column| chart::largest(column)).fold(0.0, f32::max),
        Kind::Stack | Kind::Bars => {
            let length = columns.first().map_or(0, Vec::len);
            let sum = |nth: usize| columns.iter().map(|column| column[nth]).filter(|v| v.is_finite()).sum();
            (0..length).map(sum).fold(0.0, f32::max)
        }
    }
}

/// The pictures of a machine.
pub(super) fn of_host(language: Language, span: StatSpan, host: &Host) -> Vec<Chart> {
    let frame = Frame { language, span, series: &host.series };
    vec![
        of_sessions(&frame, host),
        of_cpu(&frame, host),
        of_memory(&frame, host),
        of_disk(&frame, host),
        of_starts(&frame),
    ]
}

fn of_sessions(frame: &Frame<'_, HOST>, host: &Host) -> Chart {
    // What works is at the bottom, what is over on top.
    const KINDS: [(StateKind, &str, &str); 6] = [
        (StateKind::Ready, "k-ready", "state-ready"),
        (StateKind::Starting, "k-starting", "state-starting"),
        (StateKind::Paused, "k-paused", "state-frozen"),
        (StateKind::Stopping, "k-stopping", "state-stopping"),
        (StateKind::Stopped, "k-stopped", "state-stopped"),
        (StateKind::Failed, "k-failed", "state-failed"),
    ];
    let curves =
        KINDS.map(|(kind, class, name)| frame.curve(HostMetric::of_state(kind) as usize, class, name));
    let running = host.last(HostMetric::Ready).unwrap_or_default().round();
    let now = frame.language.say("stats-running", &[("count", f64::from(running).into())]);
    let say = |value: f32| digits(frame.language, value);
    let words = Words { id: "sessions", title: "stats-sessions", now, say: &say };
    frame.chart(&words, Kind::Stack, curves.into(), 0.0)
}

fn of_cpu(frame: &Frame<'_, HOST>, host: &Host) -> Chart {
    let say = |value: f32| percent(frame.language, value);
    let now = host.last(HostMetric::Cpu).map(say).unwrap_or_default();
    let words = Words { id: "cpu", title: "stats-cpu", now, say: &say };
    frame.chart(&words, Kind::Lines, vec![frame.curve(HostMetric::Cpu as usize, "l-1", "stats-cpu")], 100.0)
}

fn of_memory(frame: &Frame<'_, HOST>, host: &Host) -> Chart {
    let total = host.last(HostMetric::MemoryTotal).unwrap_or_default();
    let say = |value: f32| bytes(frame.language, value);
    let used = host.last(HostMetric::MemoryUsed);
    let now = used.map(|used| of_total(frame.language, used, total)).unwrap_or_default();
    let words = Words { id: "memory", title: "stats-memory", now, say: &say };
    let curve = frame.curve(HostMetric::MemoryUsed as usize, "l-1", "stats-memory");
    frame.chart(&words, Kind::Lines, vec![curve], total)
}

fn of_disk(frame: &Frame<'_, HOST>, host: &Host) -> Chart {
    let last = |metric: HostMetric| host.last(metric);
    let (engine, store) = (last(HostMetric::DiskTotal), last(HostMetric::StoreDiskTotal));
    let total = engine.unwrap_or_default().max(store.unwrap_or_default());
    let say = |value: f32| bytes(frame.language, value);
    let used = last(HostMetric::DiskUsed).or_else(|| last(HostMetric::StoreDiskUsed));
    let now = used.map(|used| of_total(frame.language, used, engine.or(store).unwrap_or_default()));
    let words = Words { id: "disk", title: "stats-disk", now: now.unwrap_or_default(), say: &say };
    let curves = vec![
        frame.curve(HostMetric::DiskUsed as usize, "l-1", "stats-disk-engine"),
        frame.curve(HostMetric::StoreDiskUsed as usize, "l-2", "stats-disk-store"),
    ];
    frame.chart(&words, Kind::Lines, curves, total)
}

fn of_starts(frame: &Frame<'_, HOST>) -> Chart {
    let sum = |metric: HostMetric| {
        let counts = frame.series.column(metric as usize);
        counts.into_iter().filter(|count| count.is_finite()).sum::<f32>().round()
    };
    let (starts, failed) = (sum(HostMetric::Starts), sum(HostMetric::StartsFailed));
    let counts = [("starts", f64::from(starts).into()), ("failed", f64::from(failed).into())];
    let say = |value: f32| digits(frame.language, value);
    let now = frame.language.say("stats-starts-now", &counts);
    let words = Words { id: "starts", title: "stats-starts", now, say: &say };
    let curves = vec![
        frame.curve(HostMetric::Starts as usize, "k-ready", "stats-starts-ok"),
        frame.curve(HostMetric::StartsFailed as usize, "k-failed", "stats-starts-failed"),
    ];
    frame.chart(&words, Kind::Bars, curves, 0.0)
}

/// The pictures of a session.
pub(super) fn of_session(
    language: Language,
    span: StatSpan,
    entry: &Entry,
    series: &Series<SESSION>,
    usage: Option<Usage>,
) -> Vec<Chart> {
    use SessionMetric as M;
    let frame = Frame { language, span, series };
    let limit = entry.template.as_ref();
    let cpu = |value: f32| percent(language, value);
    let size = |value: f32| bytes(language, value);
    let rate = |value: f32| language.say("stats-rate", &[("size", bytes(language, value).into())]);
    let now_cpu = usage.and_then(|usage| usage.cpu_percent).map(cpu).unwrap_or_default();
    let memory = limit.map_or(0.0, |template| template.memory_mib as f32 * 1_048_576.0);
    let now_memory = usage.map(|usage| of_total(language, usage.memory_bytes as f32, memory));
    let one = |metric: M, name: &str| vec![frame.curve(metric as usize, "l-1", name)];
    let two = |first: (M, &str), second: (M, &str)| {
        vec![frame.curve(first.0 as usize, "l-1", first.1), frame.curve(second.0 as usize, "l-2", second.1)]
    };
    let most_cpu = limit.map_or(0.0, |template| template.cpus as f32 * 100.0);
    let words = |id, title, now: String, say| Words { id, title, now, say };
    // A trickle is drawn as one.
    let most = |curves: &[Curve]| {
        let most = curves.iter().map(|curve| chart::largest(&curve.values)).fold(100.0 * KIB, f32::max);
        let unit = if most < 1000.0 * KIB { KIB } else { KIB * KIB };
        chart::round_up(most / unit) * unit
    };
    let (disk, network) = (
        two((M::Read, "stats-read"), (M::Written, "stats-written")),
        two((M::Received, "stats-received"), (M::Sent, "stats-sent")),
    );
    let (most_disk, most_network) = (most(&disk), most(&network));
    vec![
        frame.chart(
            &words("cpu", "stats-cpu-core", now_cpu, &cpu),
            Kind::Lines,
            one(M::Cpu, "stats-cpu"),
            most_cpu,
        ),
        frame.chart(
            &words("memory", "stats-memory", now_memory.unwrap_or_default(), &size),
            Kind::Lines,
            one(M::Memory, "stats-memory"),
            memory,
        ),
        frame.chart(&words("disk", "stats-disk-traffic", String::new(), &rate), Kind::Lines, disk, most_disk),
        frame.chart(
            &words("network", "stats-network", String::new(), &rate),
            Kind::Lines,
            network,
            most_network,
        ),
    ]
}

fn times(language: Language, span: StatSpan) -> Vec<String> {
    let (id, steps): (&str, [u32; 4]) = match span {
        StatSpan::Hour => ("chart-minutes", [60, 45, 30, 15]),
        StatSpan::Day => ("chart-hours", [24, 18, 12, 6]),
        StatSpan::Month => ("chart-days", [30, 22, 15, 7]),
    };
    let ago = |count: u32| language.say(id, &[("count", count.into())]);
    steps.into_iter().map(ago).chain([language.text("chart-now").into_owned()]).collect()
}

fn span_words(language: Language, span: StatSpan) -> String {
    let id = match span {
        StatSpan::Hour => "chart-over-hour",
        StatSpan::Day => "chart-over-day",
        StatSpan::Month => "chart-over-month",
    };
    language.text(id).into_owned()
}

fn of_total(language: Language, used: f32, total: f32) -> String {
    let used = ("used", bytes(language, used).into());
    language.say("stats-of", &[used, ("total", bytes(language, total).into())])
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes are not negative")]
fn bytes(language: Language, value: f32) -> String {
    words::size(language, value as u64)
}

/// A share of something.
pub(super) fn percent(language: Language, value: f32) -> String {
    language.say("stats-percent", &[("number", digits(language, value).into())])
}

/// One digit after the point below ten, none above.
fn digits(language: Language, value: f32) -> String {
    let tenths = (value * 10.0).round() / 10.0;
    if tenths.fract() == 0.0 || tenths >= 10.0 {
        return format!("{tenths:.0}");
    }
    format!("{tenths:.1}").replace('.', &language.text("size-point"))
}
