//! A first run: directories, development certificate, first users. Safe to repeat.

use super::failure::{Exit, Failure};
use super::here::ask;
use super::out::say;
use crate::config::Config;
use crate::control::{Reply, Request, UserRequest};
use crate::fault::chain;
use crate::secret::random_password;
use crate::server::tls::Certificates;
use crate::store::Role;

pub(super) async fn setup(config: &Config) -> Result<(), Failure> {
    let certificates = Certificates::open(&config.tls, &config.server.domain).map_err(|error| {
        Failure::new(
            Exit::Missing,
            "the certificate cannot be used",
            chain(&error),
            "put a matching pair where [tls] says, or remove both for a development certificate",
        )
    })?;
    say!("certificate  {} (until {})", config.tls.certificate.display(), certificates.expires_at());
    let users = match ask(config, Request::User(UserRequest::List)).await? {
        Reply::Users { users } => users,
        _ => Vec::new(),
    };
    if !users.is_empty() {
        say!("users        {} there already; `berth user passwd NAME` makes a new password", users.len());
        return Ok(());
    }
    say!(
        "users        two to begin with; their first passwords are shown this once and changed under /account:"
    );
    for (name, role) in [("admin", Role::Admin), ("student", Role::User)] {
        let password = random_password();
        let request =
            UserRequest::Add { name: name.to_owned(), role, password: password.clone(), must_change: false };
        match ask(config, Request::User(request)).await? {
            Reply::Refused { code, text } => {
                return Err(Failure::new(
                    Exit::Failed,
                    format!("the user {name} was not made: {text}"),
                    code,
                    "run it again",
                ));
            }
            _ => {
                say!("               {name:<8} {}", password.expose());
            }
        }
    }
    Ok(())
}
