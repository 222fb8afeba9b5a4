//! A gateway on another machine, asked through its API.
//!
//! The same requests as over the control socket, as far as the API answers them: what it does not say
//! is not invented here, and what needs the machine itself (backups and their files) stays there.

mod audit;
mod machine;
mod programs;
mod sharing;
mod trust;
mod users;

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request as HttpRequest, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::args::RemoteArgs;
use super::failure::{Exit, Failure};
use crate::control::{Reply, Request, SessionChange, SessionRow};
use crate::fault::chain;
use crate::secret::Secret;

/// The bound of reaching the gateway.
const REACH: Duration = Duration::from_secs(20);
/// The bound of one call: putting a home back takes minutes.
const BOUND: Duration = Duration::from_mins(10);
/// No document of the API comes near it.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// What stands in a segment of a path as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// A gateway by its address, and the right to ask it.
pub(super) struct Remote {
    host: String,
    port: u16,
    token: Secret<String>,
    tls: TlsConnector,
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
        Ok(Some(Self { host, port: uri.port_u16().unwrap_or(443), token, tls }))
    }

    /// Asks what would be asked over the control socket.
    ///
    /// # Errors
    /// The gateway cannot be reached, or the API has no such request.
    pub(super) async fn ask(&self, request: Request) -> Result<Reply, Failure> {
        Ok(match request {
            Request::SessionList => match self.items("/api/v1/sessions").await? {
                Ok(items) => Reply::Sessions { sessions: items.iter().filter_map(session).collect() },
                Err(refused) => refused,
            },
            Request::SessionShow { label } => self.show(&label).await?,
            Request::SessionCreate { owner, template, name } => {
                let wish = json!({ "owner": owner, "template": template, "name": name });
                match self.call(Method::POST, "/api/v1/sessions", Some(wish)).await? {
                    Ok(made) => {
                        let session = Box::new(session(&made).ok_or_else(another_version)?);
                        Reply::Session { session, grants: Vec::new() }
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
            Request::HomeList => match self.items("/api/v1/homes").await? {
                Ok(items) => Reply::Homes { homes: items.into_iter().filter_map(read).collect() },
                Err(refused) => refused,
            },
            Request::HomeRestore { owner, copy } => {
                let path = format!("/api/v1/users/{}/home/restore", segment(&owner));
                let restored = self.call(Method::POST, &path, Some(json!({ "copy": copy }))).await?;
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
    ///
    /// # Errors
    /// As for [`Remote::ask`].
    pub(super) async fn items(&self, path: &str) -> Result<Result<Vec<Value>, Reply>, Failure> {
        let (mut items, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let query = cursor.as_ref().map(|at| format!("{join}cursor={}", segment(at))).unwrap_or_default();
            let mut page = match self.call(Method::GET, &format!("{path}{query}"), None).await? {
                Ok(page) => page,
                Err(refused) => return Ok(Err(refused)),
            };
            if let Some(more) = page["items"].as_array_mut() {
                items.append(more);
            }
            let next = page["next"].as_str().map(ToOwned::to_owned);
            // One that says the same again would never end.
            if next.is_none() || next == cursor {
                return Ok(Ok(items));
            }
            cursor = next;
        }
    }

    async fn show(&self, label: &str) -> Result<Reply, Failure> {
        let path = format!("/api/v1/sessions/{}", segment(label));
        let shown = match self.call(Method::GET, &path, None).await? {
            Ok(shown) => shown,
            Err(refused) => return Ok(refused),
        };
        let grants = match self.call(Method::GET, &format!("{path}/grants"), None).await? {
            Ok(mut grants) => grants["items"].as_array_mut().map(std::mem::take).unwrap_or_default(),
            // Apps have none.
            Err(_) => Vec::new(),
        };
        let grants = grants.into_iter().filter_map(read).collect();
        Ok(match session(&shown) {
            Some(session) => Reply::Session { session: Box::new(session), grants },
            None => return Err(another_version()),
        })
    }

    async fn change(&self, label: &str, change: SessionChange) -> Result<Reply, Failure> {
        let path = format!("/api/v1/sessions/{}", segment(label));
        let verb = change.verb();
        let answer = match change {
            SessionChange::Remove => self.call(Method::DELETE, &path, None).await?,
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

    /// The gateway's address as browsers name it, with a slash at its end.
    pub(super) fn portal(&self) -> String {
        format!("https://{}/", self.authority())
    }

    /// One call with a document: what it answered, or how it was refused.
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Result<Value, Reply>, Failure> {
        self.send(method, path, body.map(|body| ("application/json", body.to_string()))).await
    }

    /// The same with a text of any media type.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, String)>,
    ) -> Result<Result<Value, Reply>, Failure> {
        let unreached = |why: &dyn std::fmt::Display| {
            let todo =
                "check the address, this machine's way to it, and --ca-file if its certificate is your own";
            let what = format!("the gateway at {}:{} was not reached", self.host, self.port);
            Failure::new(Exit::Missing, what, why, todo)
        };
        let exchange = timeout(BOUND, self.exchange(method, path, body)).await;
        let (status, bytes) = exchange
            .map_err(|_| unreached(&format!("it did not answer within {} s", BOUND.as_secs())))?
            .map_err(|why| unreached(&why))?;
        let answer =
            if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or_default() };
        if status.is_success() {
            return Ok(Ok(answer));
        }
        if status == StatusCode::UNAUTHORIZED {
            let todo =
                "make one with `berth token create` on its machine, and name its file with --token-file";
            return Err(Failure::new(Exit::Refused, "the gateway does not accept the token", status, todo));
        }
        let code = answer["code"].as_str().map_or_else(|| status.to_string(), ToOwned::to_owned);
        let detail = answer["detail"].as_str().map_or_else(|| status.to_string(), ToOwned::to_owned);
        Ok(Err(Reply::Refused { code, text: detail }))
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, String)>,
    ) -> Result<(StatusCode, Bytes), String> {
        let said = |error: &dyn std::error::Error| chain(error).to_string();
        let tcp = timeout(REACH, TcpStream::connect((self.host.as_str(), self.port))).await;
        let tcp = tcp.map_err(|_| format!("nothing answers within {} s", REACH.as_secs()))?;
        let tcp = tcp.map_err(|error| said(&error))?;
        let name = ServerName::try_from(self.host.clone()).map_err(|error| said(&error))?;
        let stream = self.tls.connect(name, tcp).await.map_err(|error| said(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| said(&error))?;
        let mut request = HttpRequest::builder()
            .method(method)
            .uri(path)
            .header("host", self.authority())
            .header("accept", "application/json")
            .header("authorization", format!("Bearer {}", self.token.expose()));
        let (kind, text) = body.unwrap_or_default();
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let request = request.body(Full::new(Bytes::from(text))).map_err(|error| said(&error))?;
        let answer = async {
            let response: Response<_> = sender.send_request(request).await.map_err(|error| said(&error))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MOST_BYTES).collect().await.map_err(|error| error.to_string())?;
            Ok((head.status, body.to_bytes()))
        };
        tokio::pin!(answer, connection);
        let mut open = true;
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer,
                // How it ended is told by the answer, or by its absence.
                _ = &mut connection, if open => open = false,
            }
        }
    }

    fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 443 { host } else { format!("{host}:{}", self.port) }
    }
}

fn another_version() -> Failure {
    let todo = "use the version of berth that runs there";
    Failure::new(Exit::Failed, "the gateway is of another version", "its answer makes no sense here", todo)
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

fn read<T: serde::de::DeserializeOwned>(item: Value) -> Option<T> {
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
