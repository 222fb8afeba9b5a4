//! The dashboard: one's own sessions, and the form for a new one.

use std::net::IpAddr;
use std::sync::Arc;

use askama::Template as Askama;
use axum::extract::State;
use http::{Response, StatusCode};
use serde::Deserialize;

use super::card::{Card, Primary};
use super::gate::{Arrival, Changing, Known};
use super::homes::{self, Wanted};
use super::person::{Person, Tab};
use super::session_page::see_other;
use super::share::SharedCard;
use super::{Failure, Site, template_words};
use crate::audit::Actor;
use crate::auth::AuthError;
use crate::body::Body;
use crate::broker::{BrokerError, Entry, Wish};
use crate::fault::Answer;
use crate::language::{Language, Sentence};
use crate::respond::{self, Surface};
use crate::session::{SessionName, SessionNameError, TemplateName};
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
    shared: Vec<SharedCard>,
    form: CreateForm,
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

/// A template to choose.
struct Choice {
    name: String,
    title: String,
    description: String,
    icon: &'static str,
    limits: String,
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

/// `GET /`
pub(super) async fn show(
    State(site): State<Site>,
    Known(known): Known,
    language: Language,
) -> Response<Body> {
    let person = Person::of(&known, language);
    let entries = site.broker().entries_of(person.id);
    let form = CreateForm { open: entries.is_empty(), ..CreateForm::default() };
    page(&site, &person, StatusCode::OK, form, None)
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
    Ok(page(&site, &person, status, again, Some(&form)))
}

/// Why nothing was created.
enum Refusal {
    Name(SessionNameError),
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
    let template: Result<TemplateName, _> = form.template.parse();
    // Text that no template can be called is answered as one that is not configured.
    let Ok(template) = template else { return Err(Refusal::Other(Failure::from(NoTemplate))) };
    let wish = Wish { template, name, password: None, language: Some(person.language) };
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
        BrokerError::TemplateUnknown(_) => Ok(Flaws { template: text, ..Flaws::default() }),
        BrokerError::Full { .. } | BrokerError::HomeBusy | BrokerError::TooMany { .. } => {
            Ok(Flaws { whole: text, ..Flaws::default() })
        }
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

/// A template that nobody offered; only a forged or very old form brings it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the form names no template")]
struct NoTemplate;

impl Answer for NoTemplate {
    fn fault(&self) -> crate::fault::Fault {
        crate::fault::Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "template_unknown"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-template-unlisted")
    }
}

fn page(
    site: &Site,
    person: &Person,
    status: StatusCode,
    mut form: CreateForm,
    typed: Option<&NewSession>,
) -> Response<Body> {
    let (routing, language) = (site.settings().routing, person.language);
    let entries = site.broker().entries_of(person.id);
    let card = |entry: &Arc<Entry>| Card::of(site.broker(), entry, routing, language);
    let cards: Vec<Card> = entries.iter().map(card).collect();
    form.templates = choices(site, person, typed.map(|typed| typed.template.as_str()));
    form.name =
        typed.map_or_else(|| suggestion(language, &form.templates, &cards), |typed| typed.name.clone());
    let shared = site.broker().shared_with(person.id);
    let card = |entry: &Arc<Entry>| SharedCard::of(entry, person.id, routing, language);
    let shared = shared.iter().filter_map(card).collect();
    let shown = DashboardPage {
        surface: site.portal(),
        language,
        person,
        csrf: &person.csrf,
        tab: Tab::Dashboard,
        cards,
        shared,
        form,
        words: language.script("dashboard"),
    };
    respond::page(site.portal(), status, &shown)
}

/// Every template. One without an image is shown too, but not to be chosen: whoever was told to take
/// it reads why they cannot.
fn choices(site: &Site, person: &Person, chosen: Option<&str>) -> Vec<Choice> {
    let broker = site.broker();
    let templates = broker.templates();
    let missing = |name: &TemplateName| broker.installed(name).is_missing();
    let mut offered = templates.keys().filter(|name| !missing(name)).map(TemplateName::as_str);
    let chosen = chosen.and_then(|chosen| offered.clone().find(|name| *name == chosen)).or(offered.next());
    let choice = |template: &Arc<crate::session::Template>| Choice {
        name: template.name.to_string(),
        title: template.title.clone(),
        description: template.description.clone(),
        icon: template.icon.name(),
        limits: template_words::limits(person.language, template, broker.settings().reap).join(" · "),
        missing: missing(&template.name),
        command: person.admin.then(|| template.image_command()),
        chosen: chosen == Some(template.name.as_str()),
    };
    templates.values().map(choice).collect()
}

/// A name that is still free, so that one press is enough.
fn suggestion(language: Language, templates: &[Choice], cards: &[Card]) -> String {
    let chosen = templates.iter().find(|choice| choice.chosen);
    let title = chosen
        .map_or_else(|| language.text("create-machine"), |choice| choice.title.as_str().to_owned().into());
    let taken = |name: &str| cards.iter().any(|card| card.name == name);
    let numbered = (2..).map(|number| format!("{title} {number}"));
    std::iter::once(title.to_string()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}
