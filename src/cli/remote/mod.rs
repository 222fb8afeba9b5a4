//! A gateway on another machine, asked through its API.
//!
//! The same requests as over the control socket, as far as the API answers them: what it does not say
//! is not invented here, and what needs the machine itself (backups and their files) stays there.

mod audit;
mod connection;
mod machine;
mod programs;
mod sharing;
mod trust;
mod users;

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use http::{Method, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::connection::{CallError, Connection};
use super::args::RemoteArgs;
use super::failure::{Exit, Failure};
use crate::control::{Reply, Request, SessionChange, SessionRow};

/// The bound of one call.
const BOUND: Duration = Duration::from_secs(60);
/// The bound of a call that copies files, or removes many sessions.
const LONG: Duration = Duration::from_hours(2);
/// What stands in a segment of a path as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// A gateway by its address, and the right to ask it.
pub(super) struct Remote {
    connection: Connection,
    /// Why the audit could not be read last.
    unread: Mutex<Option<Failure>>,
}

impl Remote {
    /// The gateway that the command line or the environment names; `None` if neither does.
    ///
    /// # Errors
    /// The address, the token or the certificates cannot be used.
    pub(super) fn of(arguments: &RemoteArgs) -> Result<Option<Self>, Failure> {
        let Some(url) = &arguments.url else { return Ok(None) };
        let wrong = |why: &str| {
            let todo = "name it like https://portal.example.org or https://portal.example.org:8443";
            Failure::new(Exit::Refused, format!("{url} is no address of a gateway"), why, todo)
        };
        let uri: Uri = url.parse().map_err(|_| wrong("it cannot be read"))?;
        if uri.scheme_str() != Some("https") {
            return Err(wrong("a token is sent over https only"));
        }
        let host = uri.host().ok_or_else(|| wrong("it names no host"))?.trim_matches(['[', ']']).to_owned();
        if !matches!(uri.path(), "" | "/") {
            return Err(wrong("it has a path"));
        }
        let token = trust::token(arguments.token_file.as_deref())?;
        let tls = trust::connector(arguments.ca_file.as_deref())?;
        let connection = Connection::new((host, uri.port_u16().unwrap_or(443)), token, tls);
        Ok(Some(Self { connection, unread: Mutex::default() }))
    }

    /// Asks what would be asked over the control socket.
    ///
    /// # Errors
    /// The gateway cannot be reached, or the API has no such request.
    pub(super) async fn ask(&self, request: Request) -> Result<Reply, Failure> {
        Ok(match request {
            Request::SessionList => match self.items("/api/v1/sessions").await? {
                Ok(items) => Reply::Sessions { sessions: each(&items, session)? },
                Err(refused) => refused,
            },
            Request::SessionShow { label } => self.show(&label).await?,
            Request::SessionCreate { owner, template, name } => {
                let wish = json!({ "owner": owner, "template": template, "name": name });
                match self.call(Method::POST, "/api/v1/sessions", Some(wish)).await? {
                    Ok(made) => {
                        let session = Box::new(session(&made).ok_or_else(another_version)?);
                        Reply::Session { session, grants: None }
                    }
                    Err(refused) => refused,
                }
            }
            Request::SessionChange { label, change } => self.change(&label, change).await?,
            Request::User(request) => self.user(request).await?,
            Request::TokenCreate { wish } => self.make_token(&wish).await?,
            Request::TokenList => self.tokens().await?,
            Request::TokenRevoke { id } => self.revoke_token(&id).await?,
            Request::LinkCreate { action, lasts_s, uses } => self.make_link(&action, lasts_s, uses).await?,
            Request::LinkList => self.links().await?,
            Request::LinkRevoke { id } => self.revoke_link(&id.to_string()).await?,
            Request::Capacity => self.capacity().await?,
            Request::HomeList => match self.rows("/api/v1/homes").await? {
                Ok(homes) => Reply::Homes { homes },
                Err(refused) => refused,
            },
            Request::HomeRestore { owner, copy } => {
                let path = format!("/api/v1/users/{}/home/restore", segment(&owner));
                let restored =
                    self.call_within(LONG, Method::POST, &path, Some(json!({ "copy": copy }))).await?;
                done(restored, |_| {
                    format!("the home of {owner} is as it was at {copy}; what it held is a copy now")
                })
            }
            Request::Sharing(request) => self.sharing(request).await?,
            Request::Stats => self.stats().await?,
            Request::TemplateList | Request::TemplateProgress => self.templates().await?,
            Request::TemplatePull { name } => self.pull(&name).await?,
        })
    }

    /// Every item of a list, page by page.
    async fn items(&self, path: &str) -> Result<Result<Vec<Value>, Reply>, Failure> {
        let (mut items, mut seen, mut query) = (Vec::new(), HashSet::new(), String::new());
        loop {
            let mut page = match self.call(Method::GET, &format!("{path}{query}"), None).await? {
                Ok(page) => page,
                Err(refused) => return Ok(Err(refused)),
            };
            let more = page.get_mut("items").and_then(Value::as_array_mut).ok_or_else(another_version)?;
            if !more.iter().all(Value::is_object) {
                return Err(another_version());
            }
            items.append(more);
            let Some(next) = page.get("next").and_then(Value::as_str) else { return Ok(Ok(items)) };
            let join = if path.contains('?') { '&' } else { '?' };
            query = format!("{join}cursor={}", segment(next));
            // One that comes again would never end.
            if !seen.insert(next.to_owned()) {
                return Err(another_version());
            }
        }
    }

    /// The same as rows of ours.
    async fn rows<T: DeserializeOwned>(&self, path: &str) -> Result<Result<Vec<T>, Reply>, Failure> {
        match self.items(path).await? {
            Ok(items) => Ok(Ok(each(&items, |item| read(item.clone()))?)),
            Err(refused) => Ok(Err(refused)),
        }
    }

    async fn show(&self, label: &str) -> Result<Reply, Failure> {
        let path = format!("/api/v1/sessions/{}", segment(label));
        let shown = match self.call(Method::GET, &path, None).await? {
            Ok(shown) => shown,
            Err(refused) => return Ok(refused),
        };
        // Who may see a session may not always know with whom it is shared.
        let grants = self.rows(&format!("{path}/grants")).await?.ok();
        let session = Box::new(session(&shown).ok_or_else(another_version)?);
        Ok(Reply::Session { session, grants })
    }

    async fn change(&self, label: &str, change: SessionChange) -> Result<Reply, Failure> {
        let path = format!("/api/v1/sessions/{}", segment(label));
        let verb = change.verb();
        let answer = match change {
            SessionChange::Remove => self.call_within(LONG, Method::DELETE, &path, None).await?,
            SessionChange::Reset { home: true } => {
                let how = json!({ "home": true, "confirm": label });
                self.call(Method::POST, &format!("{path}/reset"), Some(how)).await?
            }
            SessionChange::Extend
            | SessionChange::Pause
            | SessionChange::Reset { home: false }
            | SessionChange::Restart
            | SessionChange::Resume
            | SessionChange::Start
            | SessionChange::Stop => self.call(Method::POST, &format!("{path}/{verb}"), None).await?,
        };
        Ok(done(answer, |session| match text(session, "state") {
            "" => format!("session {label}: {verb} is under way"),
            state => format!("session {label}: {verb} is under way; it is {state}"),
        }))
    }

    /// The gateway's address as it was given, with a slash at its end.
    pub(super) fn portal(&self) -> String {
        format!("https://{}/", self.connection.authority())
    }

    /// Why the audit could not be read last, in this command's own words.
    pub(super) fn why_unread(&self) -> Option<Failure> {
        self.unread.lock().expect("no code panics while it holds this lock").take()
    }

    /// One call with a document: what it answered, or how it was refused.
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Result<Value, Reply>, Failure> {
        self.call_within(BOUND, method, path, body).await
    }

    /// The same with a bound of its own.
    async fn call_within(
        &self,
        bound: Duration,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Result<Value, Reply>, Failure> {
        self.send(method, path, body.map(|body| ("application/json", body.to_string())), bound).await
    }

    /// The same with a text of any media type.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, String)>,
        bound: Duration,
    ) -> Result<Result<Value, Reply>, Failure> {
        let exchanged = self.connection.exchange(method, path, body, bound).await;
        let (status, bytes) = exchanged.map_err(|error| self.unanswered(&error))?;
        let answer = match &bytes[..] {
            [] => Some(Value::Null),
            bytes => serde_json::from_slice(bytes).ok().filter(Value::is_object),
        };
        if status.is_success() {
            // A page in front of the gateway may answer anything with 200.
            return Ok(Ok(answer.ok_or_else(another_version)?));
        }
        if status == StatusCode::UNAUTHORIZED {
            let todo =
                "make one with `berth token create` on its machine, and name its file with --token-file";
            return Err(Failure::new(Exit::Refused, "the gateway does not accept the token", status, todo));
        }
        let said =
            |key: &str| answer.as_ref().and_then(|answer| answer.get(key)?.as_str()).map(str::to_owned);
        let code = said("code").unwrap_or_else(|| status.to_string());
        let text = said("detail").unwrap_or_else(|| status.to_string());
        Ok(Err(Reply::Refused { code, text }))
    }

    fn unanswered(&self, error: &CallError) -> Failure {
        let there = self.connection.authority();
        match error {
            CallError::Unreached(why) => Failure::new(
                Exit::Missing,
                format!("the gateway at {there} was not reached"),
                why,
                "check the address, this machine's way to it, and --ca-file if its certificate is your own",
            ),
            CallError::Unanswered(why) => Failure::new(
                Exit::Failed,
                format!("the gateway at {there} did not answer"),
                why,
                "it may have done what was asked: look before you try again",
            ),
        }
    }
}

fn another_version() -> Failure {
    let todo =
        "check that it is the gateway that answers there, and use the version of berth that runs there";
    Failure::new(Exit::Failed, "the answer is not one of this API", "it makes no sense here", todo)
}

fn done(answer: Result<Value, Reply>, say: impl Fn(&Value) -> String) -> Reply {
    match answer {
        Ok(answer) => Reply::Done { text: say(&answer) },
        Err(refused) => refused,
    }
}

/// A session as the API shows it, as a row of ours.
fn session(shown: &Value) -> Option<SessionRow> {
    let mut row = shown.clone();
    row["viewers"] = json!(shown["viewers"].as_array().map(Vec::len));
    serde_json::from_value(row).ok()
}

/// What each item means; one that means nothing is of another version, and not left out.
fn each<T>(items: &[Value], read: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>, Failure> {
    items.iter().map(read).collect::<Option<_>>().ok_or_else(another_version)
}

fn read<T: DeserializeOwned>(item: Value) -> Option<T> {
    serde_json::from_value(item).ok()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_the_api_is_a_row() {
        let shown = json!({
            "id": "1", "label": "bcdf", "owner": "ann", "template": "desktop", "name": "mine", "state": "ready",
            "phase": null, "reason": null, "reason_text": null, "created_at": "2026-01-01T00:00:00Z", "ready_at": null,
            "last_input_at": null, "viewers": [{}, {}], "expires_at": "2026-01-01T01:00:00Z", "expires_because": "away",
            "something": {"new": true},
        });
        let row = session(&shown).unwrap();
        assert_eq!((row.label.as_str(), row.viewers), ("bcdf", Some(2)));
        assert_eq!(row.expires_because.as_deref(), Some("away"));
    }

    #[test]
    fn addresses_are_https_and_whole() {
        for wrong in [
            "http://portal.example.org",
            "portal.example.org",
            "https://portal.example.org/berth",
            "https://",
        ] {
            let arguments = RemoteArgs { url: Some(wrong.to_owned()), token_file: None, ca_file: None };
            assert!(Remote::of(&arguments).is_err(), "{wrong}");
        }
        assert!(Remote::of(&RemoteArgs::default()).unwrap().is_none());
    }

    #[test]
    fn a_label_stays_one_segment() {
        assert_eq!(segment("../users?x#y"), "%2E%2E%2Fusers%3Fx%23y");
        assert_eq!(segment("bcdf-2"), "bcdf-2");
    }
}
