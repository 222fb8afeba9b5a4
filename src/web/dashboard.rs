//! The dashboard: one's own sessions in the order one likes, those of others, and the form for a new one.

use std::net::IpAddr;
use std::sync::Arc;

use askama::Template as Askama;
use axum::extract::{Query, State};
use http::{Response, StatusCode};
use serde::Deserialize;

use super::card::{Card, Primary};
use super::gate::{Arrival, Changing, Known};
use super::homes::{self, Wanted};
use super::person::{Person, Tab};
use super::session_page::see_other;
use super::shared::SharedCard;
use super::words::Text;
use super::{Failure, Site, landing, template_words};
use crate::audit::Actor;
use crate::auth::AuthError;
use crate::body::Body;
use crate::broker::{BrokerError, Entry, Wish};
use crate::fault::Answer;
use crate::language::Language;
use crate::respond::{self, Surface};
use crate::session::{Excess, SessionName, SessionNameError, TemplateName, UserLimits};
use crate::store::{StoreError, UniqueKey};

#[derive(Askama)]
#[template(path = "dashboard.html")]
struct DashboardPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Person,
    csrf: &'a str,
    tab: Tab,
    cards: Vec<Card>,
    /// Whether one of them is on its way, up or down: without a script the page looks again by itself.
    moving: bool,
    /// The tools for finding one, where there are many.
    finder: Option<Finder>,
    shared: Vec<SharedCard>,
    form: CreateForm,
    /// Why there is no machine to land in.
    notice: Option<String>,
    /// What the script says.
    words: String,
}

/// The form for a new session, with what was typed and what was wrong with it.
#[derive(Default)]
struct CreateForm {
    open: bool,
    templates: Vec<Choice>,
    name: String,
    name_problem: Option<String>,
    template_problem: Option<String>,
    problem: Option<String>,
}

/// The tools for finding one machine among many.
struct Finder {
    find: String,
    sorts: Vec<(&'static str, Text, bool)>,
    /// Whether no card is shown.
    unfound: bool,
}

/// A template to choose.
struct Choice {
    name: String,
    title: String,
    description: String,
    icon: &'static str,
    limits: Vec<String>,
    /// A name that is still free.
    suggestion: String,
    /// Nothing can be started from it now.
    missing: bool,
    /// What an administrator does about that.
    command: Option<String>,
    chosen: bool,
}

/// What the form brings.
#[derive(Debug, Deserialize)]
pub(super) struct NewSession {
    #[serde(default)]
    template: String,
    #[serde(default)]
    name: String,
    /// The machine that is to stop for it.
    #[serde(default)]
    instead_of: String,
}

/// What was wrong with the form.
#[derive(Default)]
struct Flaws {
    name: Option<String>,
    template: Option<String>,
    whole: Option<String>,
}

/// What the address of the dashboard may carry.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Ask {
    /// Only machines with this in their name or type.
    #[serde(default)]
    find: String,
    #[serde(default)]
    sort: String,
    /// Present, with whatever value: the form for a new one is open.
    new: Option<String>,
    /// Why there is no machine to land in: a stable code.
    refused: Option<String>,
}

/// The order of the cards.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sort {
    /// As they were created.
    Age,
    /// By their names.
    Name,
    /// What runs first.
    State,
    /// The one used last first.
    Used,
}

impl Sort {
    /// What the form says, the message, and the order.
    const ALL: [(&'static str, &'static str, Self); 4] = [
        ("age", "sort-age", Self::Age),
        ("used", "sort-used", Self::Used),
        ("name", "sort-name", Self::Name),
        ("state", "sort-state", Self::State),
    ];

    fn of(text: &str) -> Self {
        Self::ALL.iter().find(|(value, ..)| *value == text).map_or(Self::Age, |(.., sort)| *sort)
    }
}

/// How many machines are too many to look through.
const MANY: usize = 5;

impl Finder {
    /// The tools, if there are many machines or somebody is using them.
    fn of(language: Language, cards: &[Card], ask: &Ask) -> Option<Self> {
        let chosen = Sort::of(&ask.sort);
        let sort = |(value, id, sort)| (value, language.text(id), sort == chosen);
        let wanted = cards.len() > MANY || !ask.find.is_empty();
        wanted.then(|| Self {
            find: ask.find.clone(),
            sorts: Sort::ALL.map(sort).into(),
            unfound: cards.iter().all(|card| card.hidden),
        })
    }
}

/// Puts cards in order and hides those that are not looked for: a script shows them again as fast
/// as one types, so all of them are on the page.
fn arrange(cards: &mut [Card], ask: &Ask) {
    match Sort::of(&ask.sort) {
        Sort::Age => {}
        Sort::Name => cards.sort_by_cached_key(|card| card.name.to_lowercase()),
        Sort::State => cards.sort_by_key(|card| card.rank),
        Sort::Used => cards.sort_by_cached_key(|card| std::cmp::Reverse(card.used_at)),
    }
    let find = ask.find.trim().to_lowercase();
    for card in cards {
        card.hidden = !card.sought().contains(&find);
    }
}

/// `GET /`
pub(super) async fn show(
    State(site): State<Site>,
    Known(known): Known,
    language: Language,
    Query(ask): Query<Ask>,
) -> Result<Response<Body>, Failure> {
    let person = Person::of(&known, language);
    let open = ask.new.is_some() || site.broker().entries_of(person.id).is_empty();
    let form = CreateForm { open, ..CreateForm::default() };
    page(&site, &person, StatusCode::OK, &ask, form, None).await
}

/// `POST /sessions`
pub(super) async fn create(
    State(site): State<Site>,
    arrival: Arrival,
    language: Language,
    Changing { known, form }: Changing<NewSession>,
) -> Result<Response<Body>, Failure> {
    let person = Person::of(&known, language);
    let (status, flaws) = match try_create(&site, &person, arrival.address, &form).await {
        Ok(entry) => return Ok(see_other(&site.address(&entry))),
        Err(Refusal::Name(error)) => {
            let flaws = Flaws { name: Some(about_name(language, error)), ..Flaws::default() };
            (StatusCode::UNPROCESSABLE_ENTITY, flaws)
        }
        Err(Refusal::Template) => {
            let text = language.text("problem-template-unlisted").into_owned();
            (StatusCode::UNPROCESSABLE_ENTITY, Flaws { template: Some(text), ..Flaws::default() })
        }
        Err(Refusal::Broker(BrokerError::HomeInUse { name, label })) => {
            let wanted = Wanted::Create { template: &form.template, name: &form.name };
            return Ok(homes::in_use(&site, &person, &wanted, (&name, &label)));
        }
        Err(Refusal::Broker(error)) => (respond::status(&error), flaws_of(error, language)?),
        Err(Refusal::Other(failure)) => return Err(failure),
    };
    let again = CreateForm {
        open: true,
        name_problem: flaws.name,
        template_problem: flaws.template,
        problem: flaws.whole,
        ..CreateForm::default()
    };
    page(&site, &person, status, &Ask::default(), again, Some(&form)).await
}

/// Why nothing was created.
enum Refusal {
    Name(SessionNameError),
    /// Text that no template can be called; only a forged or very old form brings it.
    Template,
    Broker(BrokerError),
    Other(Failure),
}

async fn try_create(
    site: &Site,
    person: &Person,
    address: IpAddr,
    form: &NewSession,
) -> Result<Arc<Entry>, Refusal> {
    let name: SessionName = form.name.parse().map_err(Refusal::Name)?;
    let unknown = || Refusal::Other(Failure::from(AuthError::LoginRequired));
    let owner = site.0.state.store.user(person.id).await.map_err(|error| Refusal::Other(error.into()))?;
    let owner = owner.ok_or_else(unknown)?;
    let template: TemplateName = form.template.parse().map_err(|_| Refusal::Template)?;
    let wish = Wish { language: Some(person.language), ..Wish::of(template, name) };
    let by = Actor::user(&owner.name, address);
    // Somebody else's is nobody's here.
    let own = |entry: &Arc<Entry>| entry.owner == owner.id;
    let created = match site.broker().find(&form.instead_of).filter(own) {
        Some(of) => site.broker().create_instead(&owner, wish, &of, &by).await,
        None => site.broker().create_for(&owner, wish, &by).await,
    };
    created.map_err(Refusal::Broker)
}

/// The refusals that belong beside a field; everything else is an error like any other.
fn flaws_of(error: BrokerError, language: Language) -> Result<Flaws, Failure> {
    let text = Some(error.sentence().said(language));
    match error {
        BrokerError::Store(StoreError::Conflict(UniqueKey::SessionName)) => {
            Ok(Flaws { name: text, ..Flaws::default() })
        }
        BrokerError::TemplateUnknown(_) | BrokerError::OverLimit(Excess::Template(_)) => {
            Ok(Flaws { template: text, ..Flaws::default() })
        }
        BrokerError::Full { .. }
        | BrokerError::HomeBusy
        | BrokerError::OverLimit(Excess::Cpus { .. } | Excess::Memory { .. })
        | BrokerError::TooMany { .. } => Ok(Flaws { whole: text, ..Flaws::default() }),
        BrokerError::BrokenOff
        | BrokerError::CopyUnknown(_)
        | BrokerError::Engine(_)
        | BrokerError::ExtendSpent { .. }
        | BrokerError::HomeInUse { .. }
        | BrokerError::Illegal(_)
        | BrokerError::NotFound
        | BrokerError::Store(_) => Err(error.into()),
    }
}

fn about_name(language: Language, error: SessionNameError) -> String {
    let id = match error {
        SessionNameError::Empty => "create-name-empty",
        SessionNameError::Long => "create-name-long",
        SessionNameError::Control => "create-name-control",
    };
    language.text(id).into_owned()
}

async fn page(
    site: &Site,
    person: &Person,
    status: StatusCode,
    ask: &Ask,
    mut form: CreateForm,
    typed: Option<&NewSession>,
) -> Result<Response<Body>, Failure> {
    let user = site.0.state.store.user(person.id).await?;
    let own = user.map(|user| user.limits).unwrap_or_default();
    let (routing, language) = (site.settings().routing, person.language);
    let entries = site.broker().entries_of(person.id);
    let card = |entry: &Arc<Entry>| Card::of(site.broker(), entry, routing, language);
    let mut cards: Vec<Card> = entries.iter().map(card).collect();
    arrange(&mut cards, ask);
    form.templates = choices(site, (person, &own), typed.map(|typed| typed.template.as_str()), &cards);
    let suggested = form.templates.iter().find(|choice| choice.chosen);
    let suggested = suggested.map(|choice| choice.suggestion.clone());
    form.name = typed.map_or_else(|| suggested.unwrap_or_default(), |typed| typed.name.clone());
    let shared = site.broker().shared_with(person.id);
    let card = |entry: &Arc<Entry>| SharedCard::of(entry, person.id, routing, language);
    let shared = shared.iter().filter_map(card).collect();
    let shown = DashboardPage {
        surface: site.portal(),
        language,
        person,
        csrf: &person.csrf,
        tab: Tab::Dashboard,
        finder: Finder::of(language, &cards, ask),
        moving: cards.iter().any(|card| matches!(card.state, "starting" | "stopping")),
        cards,
        shared,
        form,
        notice: ask.refused.as_deref().map(|code| landing::refused(language, code)),
        words: language.script("dashboard"),
    };
    Ok(respond::page(site.portal(), status, &shown))
}

/// What they may make a machine from. One without an image is shown to administrators, who can do
/// something about it, and where nothing else could be chosen: then it says why.
fn choices(
    site: &Site,
    (person, own): (&Person, &UserLimits),
    chosen: Option<&str>,
    cards: &[Card],
) -> Vec<Choice> {
    let broker = site.broker();
    let missing = |name: &TemplateName| broker.installed(name).is_missing();
    let offered = if person.admin { broker.offered(own).collect() } else { broker.at_hand(own) };
    let mut ready =
        offered.iter().map(|template| &template.name).filter(|name| !missing(name)).map(TemplateName::as_str);
    let chosen = chosen.and_then(|chosen| ready.clone().find(|name| *name == chosen)).or(ready.next());
    let choice = |template: &Arc<crate::session::Template>| Choice {
        name: template.name.to_string(),
        title: template.title.of(person.language).to_owned(),
        description: template.description.of(person.language).to_owned(),
        icon: template.icon.name(),
        limits: template_words::limits(person.language, template, broker.settings().reap),
        suggestion: suggestion(template.title.of(person.language), cards),
        missing: missing(&template.name),
        command: person.admin.then(|| template.image_command()),
        chosen: chosen == Some(template.name.as_str()),
    };
    offered.into_iter().map(choice).collect()
}

/// A name that is still free, so that one press is enough.
fn suggestion(title: &str, cards: &[Card]) -> String {
    let taken = |name: &str| cards.iter().any(|card| card.name == name);
    let numbered = (2..).map(|number| format!("{title} {number}"));
    std::iter::once(title.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}
