//! The connection to a gateway elsewhere: made when it is needed, and used again while it lasts.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::fault::chain;
use crate::secret::Secret;
use crate::tasks::Tasks;

/// The bound of reaching the gateway: TCP, TLS and HTTP.
const REACH: Duration = Duration::from_secs(20);
/// No document of the API comes near it.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Why a call came to nothing.
#[derive(Debug, Error)]
pub(super) enum CallError {
    /// Nothing was asked.
    #[error("{0}")]
    Unreached(String),
    /// It was asked, and may have been done.
    #[error("{0}")]
    Unanswered(String),
}

/// Where a gateway is, and the right to ask it.
pub(super) struct Connection {
    host: String,
    port: u16,
    token: Secret<String>,
    tls: TlsConnector,
    tasks: Tasks,
    /// Held through a call: they follow one another.
    open: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

impl Connection {
    pub(super) fn new((host, port): (String, u16), token: Secret<String>, tls: TlsConnector) -> Self {
        Self { host, port, token, tls, tasks: Tasks::new(), open: Mutex::default() }
    }

    /// The address as it stands in `Host`.
    pub(super) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 443 { host } else { format!("{host}:{}", self.port) }
    }

    /// Asks, and reads the whole answer within `bound`.
    pub(super) async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, String)>,
        bound: Duration,
    ) -> Result<(StatusCode, Bytes), CallError> {
        let mut open = self.open.lock().await;
        let mut sender = match open.take() {
            // One that was closed meanwhile has taken nothing.
            Some(mut kept) => match kept.ready().await {
                Ok(()) => kept,
                Err(_closed) => self.reach().await?,
            },
            None => self.reach().await?,
        };
        let request =
            self.request(method, path, body).map_err(|error| CallError::Unreached(error.to_string()))?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(|error| chain(&error))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MOST_BYTES).collect().await.map_err(|error| error.to_string())?;
            Ok((head.status, body.to_bytes()))
        };
        let answered = timeout(bound, answer).await;
        let answered = answered.unwrap_or_else(|_| Err(format!("nothing came within {} s", bound.as_secs())));
        let answered = answered.map_err(CallError::Unanswered)?;
        *open = Some(sender);
        Ok(answered)
    }

    async fn reach(&self) -> Result<SendRequest<Full<Bytes>>, CallError> {
        let reached = async {
            let tcp =
                TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|error| chain(&error))?;
            let name = ServerName::try_from(self.host.clone()).map_err(|error| chain(&error))?;
            let stream = self.tls.connect(name, tcp).await.map_err(|error| chain(&error))?;
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| chain(&error))
        };
        let reached = timeout(REACH, reached).await;
        let reached =
            reached.unwrap_or_else(|_| Err(format!("nothing answers within {} s", REACH.as_secs())));
        let (sender, connection) = reached.map_err(CallError::Unreached)?;
        // How it ended is told by the answer, or by its absence.
        self.tasks.spawn("connection", async { drop(connection.await) });
        Ok(sender)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, String)>,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.authority())
            .header("accept", "application/json")
            .header("authorization", format!("Bearer {}", self.token.expose()));
        let (kind, text) = body.unwrap_or_default();
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        request.body(Full::new(Bytes::from(text)))
    }
}
