//! `berth token`: tokens of programs.

use super::args::{OutputArgs, TokenCommand};
use super::desk::Desk;
use super::failure::Failure;
use super::out::{put, tell};
use super::show::{done, print, refusal};
use super::table::{Table, relative_text};
use crate::control::{Reply, Request, TokenRow, TokenWish};
use crate::store::Scope;

pub(super) async fn token(desk: &Desk, command: TokenCommand, output: OutputArgs) -> Result<(), Failure> {
    let (request, made) = match command {
        TokenCommand::Create { name, scopes, user, lasts_s } => {
            (Request::TokenCreate { wish: TokenWish { name, scopes, user, lasts_s } }, true)
        }
        TokenCommand::List => (Request::TokenList, false),
        TokenCommand::Revoke { id } => return done(desk.ask(Request::TokenRevoke { id }).await?, output),
    };
    match desk.ask(request).await? {
        Reply::Tokens { tokens } if made => print(output, &tokens.first(), || told(tokens.first())),
        Reply::Tokens { tokens } => print(output, &tokens, || table(&tokens).print("no tokens")),
        other => return Err(refusal(other)),
    }
    Ok(())
}

/// The text alone on standard output, for a script to keep; the rest beside it.
fn told(made: Option<&TokenRow>) {
    if let Some((row, secret)) = made.and_then(|row| Some((row, row.secret.as_ref()?))) {
        put(secret.expose());
        tell!("token {} ({}) may {}; nobody can read it again", row.name, row.id, names(&row.scopes));
    }
}

fn table(tokens: &[TokenRow]) -> Table {
    let mut table = Table::new(&["ID", "NAME", "SCOPES", "USER", "EXPIRES", "LAST USED"]);
    for row in tokens {
        table.row([
            row.id.clone(),
            row.name.clone(),
            names(&row.scopes),
            row.user.clone().unwrap_or_else(|| "-".to_owned()),
            relative_text(row.expires_at.as_deref(), "never"),
            relative_text(row.last_used_at.as_deref(), "never"),
        ]);
    }
    table
}

fn names(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ")
}
