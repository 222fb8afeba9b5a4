//! What may become of a variable.

use super::value::Form;

/// What becomes of a variable.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// When a session that nobody uses is frozen: of the kiosk its template's own limit.
    Away(Form),
    /// An environment variable of the template.
    Env(&'static str),
    /// The address to listen on.
    Host,
    /// A key of the configuration, `section.key`.
    Key(&'static str, Form),
    /// Nothing is written; this takes its place.
    Named(&'static str),
    /// The port to listen on.
    Port,
    /// A key of the template.
    Template(&'static str, Form),
    /// The administrator's token, in a file.
    Token,
}

impl Rule {
    /// For the documentation.
    pub(super) fn becomes(self) -> String {
        match self {
            Self::Away(form) => format!("`away_s`{}", form.says()),
            Self::Env(name) => format!("`env` of the template: `{name}`"),
            Self::Host | Self::Port => "`server.listen`".to_owned(),
            Self::Key(key, form) => format!("`{key}`{}", form.says()),
            Self::Named("nothing") => "named: nothing takes its place".to_owned(),
            Self::Named(instead) => format!("named: {instead}"),
            Self::Template(key, form) => format!("`{key}` of the template{}", form.says()),
            Self::Token => "`auth.api_token_file`".to_owned(),
        }
    }
}
