//! What a request for a session asks for, read once and before anything is decided.

use std::net::IpAddr;

use ::http::header::{self, HeaderMap};
use ::http::uri::PathAndQuery;
use ::http::{Method, Request};
use hyper::body::Incoming;

use super::headers::Place;
use super::{Early, Outcome, ProxyError, Surface, Target, capability, see_other};
use crate::broker::Intent;
use crate::session::{Protocol, ViewerRole};

/// What kind of request a browser says it is (Fetch Metadata).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Navigation {
    /// A page's own request, or no browser's.
    None,
    /// A frame inside a page.
    Framed,
    /// A tab.
    Top,
}

/// What a request asks for, read once.
#[derive(Debug)]
pub(super) struct Ask {
    /// Where the browser believes to be.
    pub(super) place: Place,
    /// Path and query as the container knows them.
    pub(super) path: PathAndQuery,
    /// What the container speaks.
    pub(super) protocol: Protocol,
    /// What the URL has in the place of a capability; not yet looked up.
    pub(super) capability: Option<String>,
    /// What kind of request it is.
    pub(super) navigation: Navigation,
}

impl Ask {
    pub(super) fn of(request: &Request<Incoming>, target: &Target, peer: IpAddr) -> Result<Self, Early> {
        // A template that is no longer configured has no protocol to speak.
        let template = target.entry.template.as_ref().ok_or(Outcome::NotFound)?;
        let authority = authority(request).ok_or(Outcome::NotFound)?;
        let whole = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let (mut prefix, mut rest) = match target.surface {
            Surface::Path => split_label(whole, target.entry.label.as_str()).ok_or(Outcome::NotFound)?,
            Surface::Host => (String::new(), whole),
        };
        let path_mode = target.surface == Surface::Path;
        let sandboxed = path_mode && template.protocol == Protocol::Http && !template.danger_share_origin;
        let (path_only, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        let mut capability = None;
        if sandboxed && let Some((text, after)) = capability::split(path_only) {
            capability = Some(text.to_owned());
            prefix = format!("{prefix}/~{text}");
            rest = &rest[path_only.len() - after.len()..];
            debug_assert!(rest.ends_with(query));
        }
        let path = if rest.starts_with('/') { rest.parse() } else { format!("/{rest}").parse() };
        let origin_null = request.headers().get(header::ORIGIN).is_some_and(|origin| origin == "null");
        let from_sandbox = capability.is_some() && origin_null;
        let place = Place { authority, prefix, sandboxed, from_sandbox, peer, upstream_port: template.port };
        let path = path.map_err(|_| Outcome::NotFound)?;
        let navigation = navigation(request);
        Ok(Self { place, path, protocol: template.protocol, capability, navigation })
    }

    /// An owner who opens a page wakes the session; a page that polls does not, and neither does
    /// anybody else.
    pub(super) fn intent(&self, role: ViewerRole) -> Intent {
        match (role, self.navigation) {
            (ViewerRole::Owner, Navigation::Framed | Navigation::Top) => Intent::Open,
            (ViewerRole::Owner, Navigation::None) | (ViewerRole::Helper | ViewerRole::Observer, _) => {
                Intent::Use
            }
        }
    }

    /// Where a path-mode request without the slash after its prefix belongs.
    pub(super) fn slashed<B>(&self, request: &Request<B>) -> Option<String> {
        let bare = request.uri().path() == self.place.prefix && request.method() == Method::GET;
        bare.then(|| format!("{}{}", self.place.prefix, self.path))
    }

    pub(super) fn wants_capability(&self) -> bool {
        self.place.sandboxed && self.capability.is_none()
    }

    pub(super) fn is_preflight(&self, request: &Request<Incoming>) -> bool {
        self.place.from_sandbox
            && request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// A WebSocket must come from a page of this very origin, or from a sandboxed page that
    /// knows the capability.
    pub(super) fn check_origin(&self, headers: &HeaderMap) -> Result<(), ProxyError> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let (origin, more) = (origins.next(), origins.next());
        let own = self.place.origin();
        let allowed =
            self.place.from_sandbox || origin.is_some_and(|origin| origin.as_bytes() == own.as_bytes());
        if allowed && more.is_none() { Ok(()) } else { Err(ProxyError::OriginForeign) }
    }

    /// A capability that is not in force, or not this person's: a person starts again without.
    pub(super) fn without_capability(&self) -> Outcome {
        if self.navigation == Navigation::None {
            return Outcome::NotFound;
        }
        let bare = self.place.prefix.rsplit_once("/~").map_or("", |(bare, _)| bare);
        Outcome::Response(see_other(&format!("{bare}/")))
    }
}

/// The host and port that the browser believes to talk to.
fn authority(request: &Request<Incoming>) -> Option<String> {
    let by_uri = request.uri().authority().map(ToString::to_string);
    let by_header = || Some(request.headers().get(header::HOST)?.to_str().ok()?.to_owned());
    by_uri.or_else(by_header)
}

/// `/s/<label>` and what follows it.
fn split_label<'a>(whole: &'a str, label: &str) -> Option<(String, &'a str)> {
    let rest = whole.strip_prefix("/s/")?.strip_prefix(label)?;
    let ends = rest.is_empty() || rest.starts_with(['/', '?']);
    ends.then(|| (format!("/s/{label}"), rest))
}

/// By Fetch Metadata; a browser without it navigates when it asks for HTML.
fn navigation<B>(request: &Request<B>) -> Navigation {
    let field = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    match (field("sec-fetch-mode"), field("sec-fetch-dest")) {
        (Some("navigate"), Some("document")) => Navigation::Top,
        (Some("navigate"), Some(_) | None) => Navigation::Framed,
        (Some(_), _) => Navigation::None,
        (None, _) => {
            let html = field("accept").is_some_and(|accept| accept.contains("text/html"));
            if html && request.method() == Method::GET { Navigation::Top } else { Navigation::None }
        }
    }
}
