//! Links: made, listed, taken back.

use super::args::{LinkArgs, LinkCommand};
use super::data::{done, print_json, show};
use super::desk::Desk;
use super::failure::Failure;
use crate::control::{LinkRow, Reply, Request};
use crate::session::LinkAction;

pub(super) async fn link(desk: &Desk, command: LinkCommand) -> Result<(), Failure> {
    match command {
        LinkCommand::Create(arguments) => create(desk, arguments).await,
        LinkCommand::List(output) => match desk.ask(Request::LinkList).await? {
            Reply::Links { links } if !output.json => {
                table(&links);
                Ok(())
            }
            reply => show(reply, output),
        },
        LinkCommand::Revoke { id } => done(desk.ask(Request::LinkRevoke { id }).await?),
    }
}

async fn create(desk: &Desk, arguments: LinkArgs) -> Result<(), Failure> {
    let action = match (arguments.access, arguments.remove) {
        (Some(client), _) => LinkAction::Access(client),
        (None, Some(client)) => LinkAction::Remove(client),
        // The command line takes exactly one of the three.
        (None, None) => LinkAction::RemoveAll,
    };
    let request = Request::LinkCreate { action, lasts_s: arguments.expires.as_secs(), uses: arguments.uses };
    let (link, secret) = match desk.ask(request).await? {
        Reply::Link { link, secret } => (link, secret),
        other => return done(other),
    };
    let url = format!("{}link/{}", desk.portal(), secret.expose());
    if arguments.json {
        print_json(&serde_json::json!({ "url": url, "link": link }));
        return Ok(());
    }
    println!("{url}");
    eprintln!(
        "good until {}, {} time(s); `berth link revoke {}` takes it back",
        link.expires_at, link.uses, link.id
    );
    Ok(())
}

fn table(links: &[LinkRow]) {
    println!("{:<34} {:<10} {:>9} {:<21} {:<16} CLIENT", "ID", "ACTION", "USED", "UNTIL", "BY");
    for link in links {
        let until = link.expires_at.split('.').next().unwrap_or_default();
        // Any text is an id: what a terminal would obey is written as an escape.
        let client = link.action.client().map(|client| client.as_str().escape_debug().to_string());
        let used = format!("{}/{}", link.used, link.uses);
        let id = link.id.to_string();
        println!(
            "{id:<34} {:<10} {used:>9} {until:<21} {:<16} {}",
            link.action.name(),
            link.created_by,
            client.unwrap_or_default()
        );
    }
}
