//! One table: budget, measured, peers, and how fast it went beside no gateway at all.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Unit;
use super::load::Amount;

/// The subjects that cost something, in the table's order; the first is ours.
const COLUMNS: [&str; 3] = ["berth", "nginx", "haproxy"];

/// One round of one step through one subject.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// In the row's unit; `None` where nothing stands in the way.
    cost: Option<f64>,
    /// Operations or bytes a second.
    rate: f64,
}

impl Cell {
    pub fn of(amount: Amount, spent: Option<Duration>, took: Duration) -> Self {
        let (count, scale) = match amount {
            Amount::Operations(count) => (count as f64, 1e6),
            Amount::Bytes(bytes) => (bytes as f64, 1e9),
        };
        let cost = spent.map(|spent| spent.as_secs_f64() * scale / count);
        Self { cost, rate: count / took.as_secs_f64() }
    }

    pub fn memory(kibibytes: u64, viewers: usize) -> Self {
        Self { cost: Some(kibibytes as f64 / viewers as f64), rate: f64::NAN }
    }
}

/// One step.
#[derive(Debug)]
pub struct Row {
    name: &'static str,
    unit: Unit,
    budget: Option<f64>,
    rounds: BTreeMap<&'static str, Vec<Cell>>,
}

impl Row {
    pub fn new(name: &'static str, unit: Unit, budget: Option<f64>) -> Self {
        Self { name, unit, budget, rounds: BTreeMap::new() }
    }

    /// Adds a round; one that failed has been told already.
    pub fn add(&mut self, subject: &'static str, cell: Option<Cell>) {
        self.rounds.entry(subject).or_default().extend(cell);
    }

    fn cost(&self, subject: &str) -> Option<f64> {
        median(self.rounds.get(subject)?.iter().filter_map(|cell| cell.cost))
    }

    fn rate(&self, subject: &str) -> Option<f64> {
        median(self.rounds.get(subject)?.iter().map(|cell| cell.rate).filter(|rate| rate.is_finite()))
    }

    fn speed(&self, subject: &str) -> String {
        let rate = self.rate(subject);
        rate.map_or_else(dash, |rate| match self.unit {
            Unit::MicrosPerOperation => format!("{rate:.0} /s"),
            Unit::SecondsPerGigabyte => format!("{:.2} GB/s", rate / 1e9),
            Unit::KibibytesPerViewer => dash(),
        })
    }
}

/// Everything that was measured.
#[derive(Debug)]
pub struct Report {
    pinned: bool,
    /// Whether enough was done for the numbers to mean something.
    serious: bool,
    notes: Vec<String>,
    rows: Vec<Row>,
    took: Duration,
}

impl Report {
    pub fn new(pinned: bool, serious: bool) -> Self {
        Self { pinned, serious, notes: Vec::new(), rows: Vec::new(), took: Duration::ZERO }
    }

    /// Something the reader must know.
    pub fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub fn took(&mut self, time: Duration) {
        self.took = time;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:<22} {:>5} {:>7} {:>8} {:>5} {:>8} {:>8} {:>9} {:>12} {:>12}",
            "", "unit", "budget", "Berth", "", "nginx", "HAProxy", "to best", "Berth speed", "no gateway"
        )?;
        for row in &self.rows {
            let [ours, nginx, haproxy] = COLUMNS.map(|subject| row.cost(subject));
            let best = nginx.into_iter().chain(haproxy).min_by(f64::total_cmp);
            let verdict = match ours.zip(row.budget) {
                Some(_) if !self.serious => "",
                Some((ours, budget)) if ours <= budget => "fits",
                Some(_) => "OVER",
                None => "",
            };
            let ratio =
                ours.zip(best).filter(|_| self.serious).map(|(ours, best)| format!("× {:.2}", ours / best));
            writeln!(
                f,
                "{:<22} {:>5} {:>7} {:>8} {:>5} {:>8} {:>8} {:>9} {:>12} {:>12}",
                row.name,
                row.unit.text(),
                row.budget.map_or_else(dash, |budget| format!("≤ {budget}")),
                number(ours),
                verdict,
                number(nginx),
                number(haproxy),
                ratio.unwrap_or_else(dash),
                row.speed("berth"),
                row.speed("direct"),
            )?;
        }
        let cores = if self.pinned {
            "measured processes on one core, load and upstreams on another"
        } else {
            "no cores of their own: there is one only, or no taskset"
        };
        writeln!(f, "\n{cores}; whole run {:.0} s", self.took.as_secs_f64())?;
        if !self.serious {
            writeln!(f, "a smoke: too little was done for the numbers to mean anything")?;
        }
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        Ok(())
    }
}

impl Unit {
    fn text(self) -> &'static str {
        match self {
            Self::MicrosPerOperation => "µs",
            Self::SecondsPerGigabyte => "s/GB",
            Self::KibibytesPerViewer => "KiB",
        }
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(dash, |value| if value < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") })
}

fn dash() -> String {
    "–".to_owned()
}

/// The middle one, or the lower of the two in the middle.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().checked_sub(1)? / 2).copied()
}
