//! The links by which a session is shared: the form for a new one, the one that was just made, and
//! those in force with who came by which.

use std::time::Duration;

use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;

use super::gate::{Arrival, Changing, Nothing};
use super::session_page::see_other;
use super::share::{self, Choice, Forms, Moment, roles};
use super::words::{self, Text};
use super::{Failure, Site};
use crate::audit::Actor;
use crate::auth::policy::Verb as Right;
use crate::body::Body;
use crate::broker::{
    Broker, BrokerError, Entry, InvitationError, Invite, LONGEST_INVITATION, MadeInvitation,
};
use crate::clock;
use crate::fault::Answer;
use crate::language::Language;
use crate::respond;
use crate::session::{GrantRole, InvitationId};
use crate::store::Invited;

/// The most people that a form lets one link be for; a session has no more grants than that.
const MOST_PEOPLE: u32 = 100;

/// How long a link may work: the form's value, and the message.
const LASTS: [(&str, &str); 4] = [
    ("10m", "invite-lasts-10m"),
    ("1h", "invite-lasts-1h"),
    ("today", "invite-lasts-today"),
    ("custom", "invite-lasts-custom"),
];

/// What a number of its own counts: the form's value, the message, and the seconds.
const UNITS: [(&str, &str, u64); 3] =
    [("minutes", "invite-minutes", 60), ("hours", "invite-hours", 3600), ("days", "invite-days", 86_400)];

/// The form, with what was typed and what was wrong with it.
#[derive(Default)]
pub(super) struct InviteForm {
    pub id: String,
    pub roles: Vec<Choice>,
    pub lasts: Vec<Choice>,
    pub number: String,
    pub units: Vec<Choice>,
    pub most: String,
    pub role_problem: Option<Text>,
    pub lasts_problem: Option<Text>,
    pub most_problem: Option<Text>,
    pub problem: Option<Text>,
}

/// What the form brings.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NewInvitation {
    /// Drawn with the page, so that a second press makes no second link.
    #[serde(default)]
    id: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    lasts: String,
    #[serde(default)]
    number: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    most: String,
}

/// The link that was just made: the only time that it can be read.
pub(super) struct Made {
    pub url: String,
    pub may: Text,
    pub until: Moment,
}

/// A link in the list.
pub(super) struct InvitationRow {
    pub id: String,
    pub role: Text,
    pub until: Moment,
    pub by: String,
    pub places: String,
    pub guests: Vec<GuestRow>,
}

/// Somebody who came by a link.
pub(super) struct GuestRow {
    pub name: String,
    pub came: Moment,
}

impl InviteForm {
    /// The form as it was sent, or as it is at first.
    pub(super) fn of(language: Language, typed: &NewInvitation) -> Self {
        let or =
            |typed: &str, usual: &str| if typed.is_empty() { usual.to_owned() } else { typed.to_owned() };
        let (lasts, unit) = (or(&typed.lasts, "1h"), or(&typed.unit, "hours"));
        let choice = |value: &'static str, id: &str, chosen: &str| Choice {
            value,
            title: language.text(id),
            sentence: "".into(),
            chosen: chosen == value,
        };
        Self {
            id: InvitationId::random().to_string(),
            roles: roles(language, &typed.role),
            lasts: LASTS.map(|(value, id)| choice(value, id, &lasts)).into(),
            number: or(&typed.number, "3"),
            units: UNITS.map(|(value, id, _)| choice(value, id, &unit)).into(),
            most: typed.most.clone(),
            ..Self::default()
        }
    }

    /// Puts what is wrong beside its field.
    fn blame(&mut self, language: Language, flaw: Flaw) {
        match flaw {
            Flaw::Lasts => self.lasts_problem = Some(language.text("invite-lasts-wrong")),
            Flaw::Most => self.most_problem = Some(language.text("invite-most-wrong")),
            Flaw::Role => self.role_problem = Some(language.text("share-role-missing")),
        }
    }
}

/// What is wrong with the form before anything is tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Flaw {
    Lasts,
    Most,
    Role,
}

/// `POST /sessions/<label>/invitations`
pub(super) async fn make(
    State(site): State<Site>,
    arrival: Arrival,
    language: Language,
    Path(label): Path<String>,
    Changing { known, form }: Changing<NewInvitation>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Right::Change, &label).await?;
    let mut forms = Forms { invite: InviteForm::of(language, &form), ..Forms::fresh(language) };
    let invite = match wanted(&form, zone(site.broker())) {
        Ok(invite) => invite,
        Err(flaw) => {
            forms.invite.blame(language, flaw);
            return share::page(&site, &known, language, &entry, StatusCode::UNPROCESSABLE_ENTITY, forms)
                .await;
        }
    };
    let by = Actor::user(&known.name, arrival.address);
    let status = match site.broker().invite(&entry, invite, by).await {
        Ok(made) => {
            forms = Forms { made: Some(Made::of(&site, language, &made)), ..Forms::fresh(language) };
            StatusCode::CREATED
        }
        // Sent twice: the link is there, and can be read by nobody any more.
        Err(InvitationError::Made) => return Ok(see_other(&format!("/sessions/{label}/share"))),
        Err(InvitationError::Broker(BrokerError::NotFound)) => return Err(Failure::not_found()),
        Err(error @ (InvitationError::NotDesktop | InvitationError::TooMany)) => {
            let status = respond::status(&error);
            forms.invite.problem = Some(error.sentence().said(language).into());
            status
        }
        Err(error) => return Err(error.into()),
    };
    share::page(&site, &known, language, &entry, status, forms).await
}

/// `POST /sessions/<label>/invitations/<id>/withdraw`
pub(super) async fn withdraw(
    State(site): State<Site>,
    arrival: Arrival,
    Path((label, id)): Path<(String, String)>,
    Changing { known, form: Nothing {} }: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    let entry = site.entry(&known, arrival.address, Right::Change, &label).await?;
    let id = id.parse().map_err(|_| Failure::not_found())?;
    let by = Actor::user(&known.name, arrival.address);
    site.broker().withdraw_invitation(&entry, id, by).await?;
    Ok(see_other(&format!("/sessions/{label}/share")))
}

/// The links to a session that are in force.
pub(super) async fn rows(
    site: &Site,
    language: Language,
    entry: &Entry,
) -> Result<Vec<InvitationRow>, BrokerError> {
    let invited = site.broker().invitations(entry).await?;
    Ok(invited.into_iter().map(|invited| row(language, invited)).collect())
}

fn row(language: Language, Invited { invitation, guests }: Invited) -> InvitationRow {
    let came = ("came", guests.len().into());
    let places = match invitation.most {
        None => language.say("invite-came", &[came]),
        Some(most) => language.say("invite-came-of", &[came, ("most", most.into())]),
    };
    let guest = |guest: crate::store::Guest| GuestRow {
        came: Moment::past(language, guest.came_at),
        name: guest.name,
    };
    InvitationRow {
        id: invitation.id.to_string(),
        role: words::role(language, invitation.role).0,
        until: Moment::to_come(language, invitation.expires_at),
        by: invitation.made_by,
        places,
        guests: guests.into_iter().map(guest).collect(),
    }
}

impl Made {
    fn of(site: &Site, language: Language, made: &MadeInvitation) -> Self {
        Self {
            url: format!("{}/join?token={}", site.origin(), made.token.expose()),
            may: words::role(language, made.invitation.role).1,
            until: Moment::to_come(language, made.invitation.expires_at),
        }
    }
}

/// What the form asks for, once it makes sense.
fn wanted(form: &NewInvitation, zone: TimeZone) -> Result<Invite, Flaw> {
    let most = match form.most.trim() {
        "" => None,
        number => {
            let most = number.parse().ok().filter(|most| (1..=MOST_PEOPLE).contains(most));
            Some(most.ok_or(Flaw::Most)?)
        }
    };
    Ok(Invite {
        // A page of an older version has none.
        id: form.id.parse().unwrap_or_else(|_| InvitationId::random()),
        role: form.role.parse::<GrantRole>().map_err(|_| Flaw::Role)?,
        lasts: lasts(form, clock::now(), zone).ok_or(Flaw::Lasts)?,
        most,
    })
}

/// How long the link is to work, if that is a time at all.
fn lasts(form: &NewInvitation, now: Timestamp, zone: TimeZone) -> Option<Duration> {
    match form.lasts.as_str() {
        "10m" => Some(Duration::from_mins(10)),
        "1h" => Some(Duration::from_hours(1)),
        "today" => until_tomorrow(now, zone),
        "custom" => {
            let (_, _, seconds) = UNITS.iter().find(|(value, _, _)| *value == form.unit)?;
            let number: u64 = form.number.trim().parse().ok()?;
            let lasts = Duration::from_secs(number.checked_mul(*seconds)?);
            (!lasts.is_zero() && lasts <= LONGEST_INVITATION).then_some(lasts)
        }
        // An open set: whatever a form may say.
        _ => None,
    }
}

/// The rest of the day that it is on the server.
fn until_tomorrow(now: Timestamp, zone: TimeZone) -> Option<Duration> {
    let here = now.to_zoned(zone);
    let tomorrow = here.start_of_day().ok()?.checked_add(1.day()).ok()?;
    Duration::try_from(tomorrow.timestamp().duration_since(now)).ok()
}

/// The time zone that closing times are in.
fn zone(broker: &Broker) -> TimeZone {
    let name = &broker.settings().time_zone;
    let system = || TimeZone::try_system().unwrap_or(TimeZone::UTC);
    TimeZone::get(name).unwrap_or_else(|_| system())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(lasts: &str, number: &str, unit: &str, most: &str) -> NewInvitation {
        let text = str::to_owned;
        NewInvitation {
            role: text("observer"),
            lasts: text(lasts),
            number: text(number),
            unit: text(unit),
            most: text(most),
            ..NewInvitation::default()
        }
    }

    #[test]
    fn a_link_works_for_as_long_as_was_chosen() {
        let now: Timestamp = "2026-11-29T22:30:00Z".parse().unwrap();
        let paris = TimeZone::get("Europe/Paris").unwrap();
        for (asked, seconds) in [
            (form("10m", "", "", ""), Some(600)),
            (form("1h", "9", "days", ""), Some(3600)),
            (form("today", "", "", ""), Some(1800)),
            (form("custom", " 90 ", "minutes", ""), Some(5400)),
            (form("custom", "30", "days", ""), Some(2_592_000)),
            (form("custom", "31", "days", ""), None),
            (form("custom", "0", "hours", ""), None),
            (form("custom", "-1", "hours", ""), None),
            (form("custom", "1.5", "hours", ""), None),
            (form("custom", "3", "weeks", ""), None),
            (form("custom", "99999999999999999999", "days", ""), None),
            (form("", "", "", ""), None),
        ] {
            let found = lasts(&asked, now, paris.clone()).map(|lasts| lasts.as_secs());
            assert_eq!(found, seconds, "{asked:?}");
        }
    }

    #[test]
    fn the_number_of_people_may_be_left_open() {
        let most = |text: &str| wanted(&form("1h", "", "", text), TimeZone::UTC).map(|invite| invite.most);
        assert_eq!((most(""), most(" 3 ")), (Ok(None), Ok(Some(3))));
        for wrong in ["0", "101", "-1", "many", "1.5"] {
            assert_eq!(most(wrong), Err(Flaw::Most), "{wrong}");
        }
    }
}
