//! `berth grant` and `berth invitation`: who else may open a session.

use super::args::{GrantArgs, GrantCommand, InvitationArgs, InvitationCommand, OutputArgs};
use super::desk::Desk;
use super::failure::Failure;
use super::out::put;
use super::sessions;
use super::show::{done, print, refusal};
use super::table::{Table, relative_text};
use crate::control::{GrantRow, InvitationRow, Reply, Request, SharingRequest};

pub(super) async fn grant(desk: &Desk, command: GrantCommand, output: OutputArgs) -> Result<(), Failure> {
    let request = match command {
        GrantCommand::List { label } => {
            let (_, grants) = sessions::show(desk, label).await?;
            print(output, &grants, || print_grants(&grants));
            return Ok(());
        }
        GrantCommand::Create(GrantArgs { label, user, role, expires }) => {
            SharingRequest::Grant { label, user, role, lasts_s: expires.map(|expires| expires.as_secs()) }
        }
        GrantCommand::Withdraw { label, user } => SharingRequest::Withdraw { label, user },
    };
    done(desk.ask(Request::Sharing(request)).await?, output)
}

pub(super) async fn invitation(
    desk: &Desk,
    command: InvitationCommand,
    output: OutputArgs,
) -> Result<(), Failure> {
    let ask = async |request| desk.ask(Request::Sharing(request)).await;
    match command {
        InvitationCommand::Create(InvitationArgs { label, role, expires, people }) => {
            let lasts_s = expires.as_secs();
            let request = SharingRequest::Invite { label: label.clone(), role, lasts_s, most: people };
            match ask(request).await? {
                Reply::Invitation { invitation, secret } => {
                    let url = format!("{}join?token={}", desk.portal(), secret.expose());
                    tell(&label, &invitation, &url, output);
                    Ok(())
                }
                other => Err(refusal(other)),
            }
        }
        InvitationCommand::List { label } => match ask(SharingRequest::Invitations { label }).await? {
            Reply::Invitations { invitations } => {
                print(output, &invitations, || table(&invitations).print("no link into it is in force"));
                Ok(())
            }
            other => Err(refusal(other)),
        },
        InvitationCommand::Withdraw { label, id } => {
            done(ask(SharingRequest::WithdrawInvitation { label, id }).await?, output)
        }
    }
}

/// The address alone on standard output, for a script to keep; the rest beside it.
fn tell(label: &str, invitation: &InvitationRow, url: &str, output: OutputArgs) {
    print(output, &serde_json::json!({ "url": url, "invitation": invitation }), || {
        put(url);
        eprintln!(
            "whoever has it and logs in is {} until {}; `berth invitation withdraw {label} {}` takes it back",
            invitation.role, invitation.expires_at, invitation.id
        );
    });
}

pub(super) fn print_grants(grants: &[GrantRow]) {
    let mut table = Table::new(&["USER", "ROLE", "GIVEN BY", "SINCE", "UNTIL"]);
    for grant in grants {
        table.row([
            grant.user.clone(),
            grant.role.clone(),
            grant.granted_by.clone(),
            relative_text(Some(&grant.created_at), "-"),
            relative_text(grant.expires_at.as_deref(), "withdrawn"),
        ]);
    }
    table.print("nobody else may open it");
}

fn table(invitations: &[InvitationRow]) -> Table {
    let mut table = Table::new(&["ID", "ROLE", "UNTIL", "PEOPLE", "MADE BY", "GUESTS"]);
    for row in invitations {
        let most = row.most.map_or("any number".to_owned(), |most| most.to_string());
        let guests: Vec<_> = row.guests.iter().map(|guest| guest.user.as_str()).collect();
        table.row([
            row.id.to_string(),
            row.role.clone(),
            relative_text(Some(&row.expires_at), "-"),
            format!("{} of {most}", guests.len()),
            row.made_by.clone(),
            guests.join(" "),
        ]);
    }
    table
}
