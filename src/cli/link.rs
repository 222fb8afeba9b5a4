//! Links: made, listed, taken back.

use super::args::{LinkArgs, LinkCommand, OutputArgs};
use super::desk::Desk;
use super::failure::Failure;
use super::out::{put, tell};
use super::show::{done, print, refusal};
use super::table::{Table, relative_text};
use crate::control::{LinkRow, Reply, Request};
use crate::session::LinkAction;

pub(super) async fn link(desk: &Desk, command: LinkCommand, output: OutputArgs) -> Result<(), Failure> {
    match command {
        LinkCommand::Create(arguments) => create(desk, arguments, output).await,
        LinkCommand::List => match desk.ask(Request::LinkList).await? {
            Reply::Links { links } => {
                print(output, &links, || table(&links).print("no links are in force"));
                Ok(())
            }
            other => Err(refusal(other)),
        },
        LinkCommand::Revoke { id } => done(desk.ask(Request::LinkRevoke { id }).await?, output),
    }
}

async fn create(desk: &Desk, arguments: LinkArgs, output: OutputArgs) -> Result<(), Failure> {
    let action = match (arguments.access, arguments.remove) {
        (Some(client), _) => LinkAction::Access(client),
        (None, Some(client)) => LinkAction::Remove(client),
        // The command line takes exactly one of the three.
        (None, None) => LinkAction::RemoveAll,
    };
    let request = Request::LinkCreate { action, lasts_s: arguments.expires.as_secs(), uses: arguments.uses };
    let (link, url) = match desk.ask(request).await? {
        Reply::Link { link, secret, url } => {
            let built = || format!("{}link/{}", desk.portal(), secret.expose());
            (link, url.map_or_else(built, |url| url.expose().clone()))
        }
        other => return Err(refusal(other)),
    };
    print(output, &serde_json::json!({ "url": url, "link": link }), || {
        put(&url);
        tell!(
            "good until {}, {} time(s); `berth link revoke {}` takes it back",
            link.expires_at,
            link.uses,
            link.id
        );
    });
    Ok(())
}

fn table(links: &[LinkRow]) -> Table {
    let mut table = Table::new(&["ID", "ACTION", "USED", "UNTIL", "BY", "CLIENT"]);
    for link in links {
        // Any text is an id: what a terminal would obey is written as an escape.
        let client = link.action.client().map(|client| client.as_str().escape_debug().to_string());
        table.row([
            link.id.to_string(),
            link.action.name().to_owned(),
            format!("{}/{}", link.used, link.uses),
            relative_text(Some(&link.expires_at), "-"),
            link.created_by.clone(),
            client.unwrap_or_default(),
        ]);
    }
    table
}
