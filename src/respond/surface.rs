//! Where a page is shown: on the portal, or on a session's own host.

/// Which origin a page belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The portal, with the sessions of path mode under `/s/`.
    Portal,
    /// A session's own host; our own paths live under `/.berth/` there.
    SessionHost,
}

/// The addresses that a page links to, as seen from its own origin. Made once, shared by all.
#[derive(Clone, Debug)]
pub struct Surface {
    /// Which origin.
    pub place: Place,
    /// Prefix of the static files, with their version and without a trailing slash.
    pub assets: String,
    /// The address of noVNC's `rfb.js`.
    pub novnc: String,
    /// The dashboard; ends in a slash.
    pub home: String,
    /// The login page.
    pub login: String,
    /// Further hosts that a form's answer may lead to, as a source of `form-action`.
    pub form_action: String,
}

impl Surface {
    /// The event stream of one session.
    #[must_use]
    pub fn events(&self, label: &str) -> String {
        match self.place {
            Place::Portal => format!("/events?session={label}"),
            Place::SessionHost => "/.berth/events".to_owned(),
        }
    }

    /// The viewer's WebSocket.
    #[must_use]
    pub fn socket(&self, label: &str) -> String {
        match self.place {
            Place::Portal => format!("/s/{label}/rfb"),
            Place::SessionHost => "/rfb".to_owned(),
        }
    }

    /// What answers at once whoever asks, for a page that measures its network.
    #[must_use]
    pub fn ping(&self) -> &'static str {
        match self.place {
            Place::Portal => "/health",
            Place::SessionHost => "/.berth/ping",
        }
    }

    /// An address of the portal, from here.
    #[must_use]
    pub fn portal(&self, path: &str) -> String {
        format!("{}{}", self.home, path.trim_start_matches('/'))
    }
}
