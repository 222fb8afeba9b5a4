//! A list of users: asked for, shown as a trial run, carried out, and what became of it.

use askama::Template;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Path, Query, Request, State};
use axum::response::IntoResponse;
use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde::Deserialize;

use super::administrator;
use crate::audit::Actor;
use crate::auth::csrf;
use crate::auth::import::sheet::ListedUser;
use crate::auth::import::{Field, Planned, RowOutcome, RowResult, Tally, sheet};
use crate::body::Body;
use crate::fault::Answer;
use crate::language::Language;
use crate::people::{Import, ImportId, Progress};
use crate::respond::{self, Surface, Unreadable};
use crate::web::gate::{Arrival, Changing, Known, Nothing};
use crate::web::person::{Person as Reader, Tab};
use crate::web::session_page::see_other;
use crate::web::{Failure, Site};

/// The most rows that a page shows; those that were refused come first.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "import.html")]
struct AskPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Reader,
    tab: Tab,
    notice: Option<String>,
    problem: Option<String>,
    typed: String,
    columns: String,
}

#[derive(Template)]
#[template(path = "import_rows.html")]
struct RowsPage<'a> {
    surface: &'a Surface,
    language: Language,
    person: &'a Reader,
    tab: Tab,
    id: ImportId,
    /// Where it is: `shown`, `running` or `ended`.
    stage: &'static str,
    title: &'static str,
    said: String,
    counts: Vec<(&'static str, usize)>,
    /// How many will get a password that is made, or got one that can be fetched.
    passwords: Option<String>,
    done: usize,
    all: usize,
    rows: Vec<Row>,
    more: Option<String>,
    /// Whether anything is there to be done.
    useful: bool,
}

struct Row {
    line: u64,
    name: String,
    outcome: &'static str,
    word: &'static str,
    detail: String,
}

/// What the address of the page may carry.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Ask {
    gone: Option<String>,
}

/// A list that somebody who is logged in sends on a page of ours; checked as [`Changing`] is.
pub(super) struct Sent {
    known: std::sync::Arc<crate::auth::Principal>,
    file: Bytes,
    text: String,
}

impl FromRequest<Site> for Sent {
    type Rejection = Failure;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let Known(known) = Known::from_request_parts(&mut parts, site).await?;
        administrator(&known)?;
        let headers = parts.headers.clone();
        let refused = |status| Failure::from(Unreadable { status });
        let request = Request::from_parts(parts, body);
        let mut fields = Multipart::from_request(request, site)
            .await
            .map_err(|error| refused(error.into_response().status()))?;
        let (mut token, mut file, mut text) = (None, Bytes::new(), String::new());
        loop {
            let field = fields.next_field().await.map_err(|error| refused(error.status()))?;
            let Some(field) = field else { break };
            match field.name().unwrap_or_default().to_owned().as_str() {
                "csrf" => token = Some(field.text().await.map_err(|error| refused(error.status()))?),
                "file" => file = field.bytes().await.map_err(|error| refused(error.status()))?,
                "text" => text = field.text().await.map_err(|error| refused(error.status()))?,
                // What else a form may bring is nobody's business here.
                _ => {}
            }
        }
        csrf::check(&known, token.as_deref(), csrf::Provenance::of(&headers), site.origin())?;
        Ok(Self { known, file, text })
    }
}

/// `GET /admin/user-import`
pub(super) async fn ask(
    State(site): State<Site>,
    Known(known): Known,
    Query(ask): Query<Ask>,
    language: Language,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let notice = ask.gone.map(|_| language.text("import-gone").into_owned());
    Ok(form(&site, &Reader::of(&known, language), StatusCode::OK, notice, None))
}

/// `POST /admin/user-import`: the trial run.
pub(super) async fn trial(
    State(site): State<Site>,
    language: Language,
    Sent { known, file, text }: Sent,
) -> Result<Response<Body>, Failure> {
    let bytes = if file.is_empty() { text.as_bytes() } else { &file };
    let rows = match sheet::read(bytes) {
        Ok(rows) => rows,
        Err(flaw) => {
            let reader = Reader::of(&known, language);
            let again = Some((flaw.sentence().said(language), text));
            return Ok(form(&site, &reader, StatusCode::UNPROCESSABLE_ENTITY, None, again));
        }
    };
    let import = site.0.imports.hold(known.user, site.auth().plan_import(rows, Some(known.user)).await?);
    Ok(see_other(&format!("/admin/user-import/{}", import.id)))
}

/// `GET /admin/user-import/<id>`
pub(super) async fn show(
    State(site): State<Site>,
    Known(known): Known,
    Path(id): Path<String>,
    language: Language,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    match found(&site, &id, &known)? {
        Some(import) => Ok(rows_page(&site, &Reader::of(&known, language), &import)),
        None => Ok(see_other("/admin/user-import?gone=yes")),
    }
}

/// `POST /admin/user-import/<id>`: does what was shown.
pub(super) async fn begin(
    State(site): State<Site>,
    arrival: Arrival,
    Path(id): Path<String>,
    Changing { known, .. }: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let Some(import) = found(&site, &id, &known)? else {
        return Ok(see_other("/admin/user-import?gone=yes"));
    };
    let state = &site.0.state;
    import.begin(state.auth.clone(), Actor::user(&known.name, arrival.address), &state.tasks);
    Ok(see_other(&format!("/admin/user-import/{}", import.id)))
}

/// `POST /admin/user-import/<id>/passwords`: the passwords that were made, as a file, this once.
pub(super) async fn passwords(
    State(site): State<Site>,
    Path(id): Path<String>,
    Changing { known, .. }: Changing<Nothing>,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let made = found(&site, &id, &known)?.and_then(|import| import.take_passwords());
    match made {
        Some(made) => Ok(table("berth-passwords.csv", sheet::write_passwords(&made))),
        None => Ok(see_other(&format!("/admin/user-import/{id}"))),
    }
}

/// `GET /admin/user-import/<id>/results`: what became, or would become, of every row, as a file. The
/// page has the first of them.
pub(super) async fn results(
    State(site): State<Site>,
    Known(known): Known,
    Path(id): Path<String>,
    language: Language,
) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let Some(import) = found(&site, &id, &known)? else {
        return Ok(see_other("/admin/user-import?gone=yes"));
    };
    let results = match import.progress() {
        Progress::Ended { results, .. } => results.to_vec(),
        Progress::Shown | Progress::Running(_) => import.planned().iter().map(Planned::foreseen).collect(),
    };
    Ok(table("berth-import.csv", sheet::write_results(&results, language)))
}

/// `GET /admin/users.csv`
pub(super) async fn export(State(site): State<Site>, Known(known): Known) -> Result<Response<Body>, Failure> {
    administrator(&known)?;
    let users = site.0.state.store.users().await?;
    Ok(table("berth-users.csv", sheet::write(users.into_iter().map(ListedUser::from))))
}

fn found(
    site: &Site,
    id: &str,
    known: &crate::auth::Principal,
) -> Result<Option<std::sync::Arc<Import>>, Failure> {
    let id: ImportId = id.parse().map_err(|_| Failure::not_found())?;
    Ok(site.0.imports.find(id, known.user))
}

/// A table to be kept as a file.
fn table(name: &'static str, text: String) -> Response<Body> {
    let mut response = respond::bare(StatusCode::OK, text);
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment")));
    response
}

fn form(
    site: &Site,
    reader: &Reader,
    status: StatusCode,
    notice: Option<String>,
    again: Option<(String, String)>,
) -> Response<Body> {
    let (problem, typed) = again.map_or((None, String::new()), |(problem, typed)| (Some(problem), typed));
    let shown = AskPage {
        surface: site.portal(),
        language: reader.language,
        person: reader,
        tab: Tab::Users,
        notice,
        problem,
        typed,
        columns: sheet::columns().join(", "),
    };
    respond::page(site.portal(), status, &shown)
}

fn rows_page(site: &Site, reader: &Reader, import: &Import) -> Response<Body> {
    let language = reader.language;
    let all = import.planned().len();
    let foreseen = || import.planned().iter().map(Planned::foreseen).collect::<Vec<RowResult>>();
    let making = import.planned().iter().filter(|planned| planned.needs_password()).count();
    let (stage, (title, text), results, done, passwords) = match import.progress() {
        Progress::Shown => {
            let said = ("import-shown", "import-shown-text");
            ("shown", said, foreseen(), 0, ("import-will-make", making))
        }
        Progress::Running(done) => {
            let said = ("import-running", "import-running-text");
            ("running", said, Vec::new(), done, ("import-will-make", 0))
        }
        Progress::Ended { results, passwords } => {
            let said = ("import-ended", "import-ended-text");
            ("ended", said, results.to_vec(), all, ("import-made", passwords))
        }
    };
    let tally = Tally::of(&results);
    let rows = shown_rows(language, &results);
    let more = results.len() - rows.len();
    let shown = RowsPage {
        surface: site.portal(),
        language,
        person: reader,
        tab: Tab::Users,
        id: import.id,
        stage,
        title,
        said: language.say(text, &[("done", done.into()), ("count", all.into())]),
        counts: counts(tally),
        passwords: (passwords.1 > 0).then(|| language.say(passwords.0, &[("count", passwords.1.into())])),
        done,
        all,
        rows,
        more: (more > 0).then(|| language.say("import-more", &[("count", more.into())])),
        useful: tally.created + tally.changed > 0,
    };
    respond::page(site.portal(), StatusCode::OK, &shown)
}

fn counts(tally: Tally) -> Vec<(&'static str, usize)> {
    [
        ("import-count-created", tally.created),
        ("import-count-changed", tally.changed),
        ("import-count-exists", tally.exists),
        ("import-count-refused", tally.refused),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .collect()
}

fn shown_rows(language: Language, results: &[RowResult]) -> Vec<Row> {
    let refused = |result: &&RowResult| matches!(result.outcome, RowOutcome::Refused(_));
    let others = results.iter().filter(|result| !refused(result));
    results.iter().filter(refused).chain(others).take(SHOWN).map(|result| row(language, result)).collect()
}

fn row(language: Language, result: &RowResult) -> Row {
    let (word, detail) = match &result.outcome {
        RowOutcome::Created { .. } => ("import-created", String::new()),
        RowOutcome::Changed { fields } => ("import-changed", changed(language, fields)),
        RowOutcome::Exists => ("import-exists", String::new()),
        RowOutcome::Refused(flaw) => ("import-refused", flaw.sentence().said(language)),
    };
    Row { line: result.line, name: result.name.clone(), outcome: result.outcome.name(), word, detail }
}

fn changed(language: Language, fields: &[Field]) -> String {
    let word = |field: &Field| {
        language.text(match field {
            Field::Disabled => "import-field-disabled",
            Field::Limits => "import-field-limits",
            Field::Role => "import-field-role",
        })
    };
    fields.iter().map(word).collect::<Vec<_>>().join(", ")
}
