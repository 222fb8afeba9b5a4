//! The portal behind the door: its pages and its API.

use std::net::IpAddr;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;

use crate::api::Api;
use crate::auth::{AuthError, cookies};
use crate::body::Body;
use crate::broker::BrokerError;
use crate::fault::Answer;
use crate::language::Language;
use crate::respond::{self, Asker, Place, Wants};
use crate::tasks::Tasks;
use crate::web::Web;

/// Who asks the portal, as far as an answer needs it.
pub(super) struct Asking {
    /// From where.
    pub(super) address: IpAddr,
    /// What they can read.
    pub(super) wants: Wants,
    /// The request as it is called in the log.
    pub(super) id: String,
}

/// Pages and API. Clones share everything.
#[derive(Clone)]
pub(super) struct Control {
    /// The pages.
    pub(super) web: Web,
    /// The API.
    pub(super) api: Api,
    /// Where a change goes on when whoever asked for it goes away.
    pub(super) tasks: Tasks,
}

impl Control {
    /// Answers a request that was read whole. What may change something runs to its end, also when
    /// the connection breaks: half of a change, such as a user who is disabled and whose logins go on,
    /// is worse than one that nobody reads the answer of.
    pub(super) async fn answer(&self, request: Request<Full<Bytes>>, asking: Asking) -> Response<Body> {
        if !may_change(&request) {
            return self.answer_now(request, &asking).await;
        }
        let language = language(&request);
        let (control, id) = (self.clone(), asking.id.clone());
        let wants = asking.wants;
        let change = async move { control.answer_now(request, &asking).await };
        let answer = self.tasks.carry("change", change).await;
        answer.unwrap_or_else(|| self.failed(&BrokerError::BrokenOff, (wants, &id, language)))
    }

    async fn answer_now(&self, request: Request<Full<Bytes>>, asking: &Asking) -> Response<Body> {
        let Asking { address, wants, id } = asking;
        if !Api::owns(request.uri().path()) {
            return self.web.handle(request, *address, id).await;
        }
        let (language, uri) = (language(&request), request.uri().clone());
        match self.api.handle(request, *address).await {
            Ok(response) => response,
            // A person who looks there with a browser is sent to log in first.
            Err(error) if *wants == Wants::Page && error.code() == AuthError::LoginRequired.code() => {
                self.web.log_in_first(&uri)
            }
            Err(error) => self.failed(error.as_ref(), (*wants, id, language)),
        }
    }

    /// The answer to a request that failed.
    pub(super) fn failed(
        &self,
        error: &dyn Answer,
        (wants, request_id, language): (Wants, &str, Language),
    ) -> Response<Body> {
        let surface = self.web.surface(Place::Portal);
        respond::failure(error, &Asker { wants, request_id, surface, language })
    }
}

/// Scripts of a replaced system change things with `GET`, too.
fn may_change(request: &Request<Full<Bytes>>) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD)
        || matches!(request.uri().path(), "/access" | "/remove" | "/remove-all")
}

fn language<B>(request: &Request<B>) -> Language {
    let headers = request.headers();
    cookies::choice(headers).language.unwrap_or_else(|| Language::of(headers))
}
