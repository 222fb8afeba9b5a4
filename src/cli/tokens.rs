//! `berth token`: tokens of programs.

use super::args::TokenCommand;
use super::data::{done, print_json};
use super::desk::Desk;
use super::failure::Failure;
use crate::control::{Reply, Request, TokenRow, TokenWish};
use crate::store::Scope;

pub(super) async fn token(desk: &Desk, command: TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Create { name, scopes, user, lasts_s, output } => {
            let wish = TokenWish { name, scopes, user, lasts_s };
            match desk.ask(Request::TokenCreate { wish }).await? {
                Reply::Tokens { tokens } if output.json => print_json(&tokens.first()),
                Reply::Tokens { tokens } => tell(tokens.first()),
                other => return done(other),
            }
            Ok(())
        }
        TokenCommand::List(output) => match desk.ask(Request::TokenList).await? {
            Reply::Tokens { tokens } if output.json => {
                print_json(&tokens);
                Ok(())
            }
            Reply::Tokens { tokens } => {
                show(&tokens);
                Ok(())
            }
            other => done(other),
        },
        TokenCommand::Revoke { id } => done(desk.ask(Request::TokenRevoke { id }).await?),
    }
}

/// The text alone on standard output, for a script to keep; the rest beside it.
fn tell(made: Option<&TokenRow>) {
    if let Some((row, secret)) = made.and_then(|row| Some((row, row.secret.as_ref()?))) {
        println!("{}", secret.expose());
        eprintln!("token {} ({}) may {}; nobody can read it again", row.name, row.id, names(&row.scopes));
    }
}

fn show(tokens: &[TokenRow]) {
    println!("{:<32} {:<24} {:<30} {:<16} {:<21} LAST USED", "ID", "NAME", "SCOPES", "USER", "EXPIRES");
    let short = |at: &Option<String>, none: &'static str| {
        at.as_deref().and_then(|at| at.split('.').next()).unwrap_or(none).to_owned()
    };
    for row in tokens {
        let user = row.user.as_deref().unwrap_or("-");
        let (expires, used) = (short(&row.expires_at, "never"), short(&row.last_used_at, "never"));
        let scopes = names(&row.scopes);
        println!("{:<32} {:<24} {scopes:<30} {user:<16} {expires:<21} {used}", row.id, row.name);
    }
}

fn names(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ")
}
