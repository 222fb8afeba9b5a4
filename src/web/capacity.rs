//! The administrators' page of capacity: how many more sessions there is room for, and what bounds them.

use askama::Template;
use axum::extract::State;
use http::{Response, StatusCode};

use super::gate::Known;
use super::person::{Person, Tab};
use super::words::{self, Text};
use super::{Failure, Site};
use crate::auth::policy;
use crate::body::Body;
use crate::capacity::{Capacity, Line, Resource, Room};
use crate::language::Language;
use crate::respond::{self, Surface};

#[derive(Template)]
#[template(path = "capacity.html")]
struct CapacityPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    tab: Tab,
    every_s: u64,
    rooms: Vec<RoomView>,
    lines: Vec<LineView>,
}

/// A template and how many more of it.
struct RoomView {
    title: String,
    name: String,
    more: u64,
    bound_by: String,
    others: String,
}

/// A resource as a bar.
struct LineView {
    id: &'static str,
    name: Text,
    /// Whether it bounds some template.
    binds: bool,
    /// Percent of what may be promised.
    reserved: String,
    /// Percent of what there is; `None` where it is not known.
    used: Option<String>,
    /// What the bar shows, as a sentence.
    text: String,
    why: Option<String>,
}

/// `GET /admin/capacity`; to everyone else it does not exist.
pub(super) async fn show(
    State(site): State<Site>,
    Known(known): Known,
    language: Language,
) -> Result<Response<Body>, Failure> {
    policy::administer(&known).map_err(|_denied| Failure::not_found())?;
    let capacity = site.stats().capacity();
    let page = CapacityPage {
        surface: site.portal(),
        language,
        person: &Person::of(&known, language),
        tab: Tab::Capacity,
        every_s: site.stats().every().as_secs(),
        rooms: capacity.iter().flat_map(|c| &c.templates).map(|room| room_view(language, room)).collect(),
        lines: capacity.iter().flat_map(|c| lines(language, c)).collect(),
    };
    Ok(respond::page(site.portal(), StatusCode::OK, &page))
}

fn room_view(language: Language, room: &Room) -> RoomView {
    let fits = room.by_resource.iter().map(|fits| {
        let resource = ("resource", name(language, fits.resource).into());
        language.say("capacity-fits", &[resource, ("more", fits.more.into())])
    });
    RoomView {
        title: room.title.clone(),
        name: room.template.clone(),
        more: room.more,
        bound_by: language.say("capacity-bound", &[("resource", name(language, room.bound_by).into())]),
        others: fits.collect::<Vec<_>>().join(" · "),
    }
}

fn lines(language: Language, capacity: &Capacity) -> Vec<LineView> {
    let needed = |line: &&Line| {
        let fits = |room: &Room| room.by_resource.iter().any(|fits| fits.resource == line.resource);
        capacity.templates.iter().any(fits)
    };
    let binds = |resource| capacity.templates.iter().any(|room| room.bound_by == resource);
    let view = |line: &Line| line_view(language, line, binds(line.resource));
    capacity.resources.iter().filter(needed).map(view).collect()
}

fn line_view(language: Language, line: &Line, binds: bool) -> LineView {
    let amount = |value: f64| amount(language, line.resource, value);
    let text = [
        ("reserved", amount(line.reserved).into()),
        ("promised", amount(line.promised).into()),
        ("free", amount(line.free).into()),
        ("total", amount(line.total).into()),
        ("used", line.used.map_or_else(|| "–".to_owned(), amount).into()),
    ];
    let why = (line.kept > 0.0).then(|| language.say("capacity-kept", &[("kept", amount(line.kept).into())]));
    LineView {
        id: line.resource.name(),
        name: name(language, line.resource),
        binds,
        reserved: percent(line.reserved, line.promised),
        used: line.used.map(|used| percent(used, line.total)),
        text: language.say("capacity-line", &text),
        why,
    }
}

/// A share in percent, for the drawing.
fn percent(part: f64, whole: f64) -> String {
    let share = if whole > 0.0 { (part / whole * 100.0).clamp(0.0, 100.0) } else { 100.0 };
    format!("{share:.1}")
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "amounts are not negative")]
fn amount(language: Language, resource: Resource, value: f64) -> String {
    match resource {
        Resource::Memory | Resource::Disk => words::size(language, value as u64),
        Resource::Cpu if value.fract() != 0.0 => {
            format!("{value:.1}").replace('.', &language.text("size-point"))
        }
        Resource::Cpu
        | Resource::Sessions
        | Resource::Pids
        | Resource::AddressesInternal
        | Resource::AddressesEgress
        | Resource::AddressesOwn => format!("{value:.0}"),
    }
}

fn name(language: Language, resource: Resource) -> Text {
    language.text(match resource {
        Resource::Memory => "capacity-memory",
        Resource::Cpu => "capacity-cpu",
        Resource::Sessions => "capacity-sessions",
        Resource::Pids => "capacity-pids",
        Resource::Disk => "capacity-disk",
        Resource::AddressesInternal => "capacity-addresses-internal",
        Resource::AddressesEgress => "capacity-addresses-egress",
        Resource::AddressesOwn => "capacity-addresses-own",
    })
}
