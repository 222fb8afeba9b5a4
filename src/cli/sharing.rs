//! `berth grant` and `berth invitation`: who else may open a session.

use super::args::{GrantArgs, GrantCommand, InvitationArgs, InvitationCommand, OutputArgs};
use super::desk::Desk;
use super::failure::Failure;
use super::out::{put, tell};
use super::show::{done, print, refusal};
use super::table::{Table, relative_text};
use crate::control::{GrantRow, InvitationRow, Reply, Request, SharingRequest};

pub(super) async fn grant(desk: &Desk, command: GrantCommand, output: OutputArgs) -> Result<(), Failure> {
    let request = match command {
        GrantCommand::List { label } => {
            return match desk.ask(Request::Sharing(SharingRequest::Grants { label })).await? {
                Reply::Grants { grants } => {
                    print(output, &grants, || print_grants(&grants));
                    Ok(())
                }
                other => Err(refusal(other)),
            };
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
                Reply::Invitation { invitation, secret, url } => {
                    let built = || format!("{}join?token={}", desk.portal(), secret.expose());
                    told(&label, &invitation, &url.map_or_else(built, |url| url.expose().clone()), output);
                    Ok(())
                }
                other => Err(refusal(other)),
            }
        }
        InvitationCommand::List { label } => match ask(SharingRequest::Invitations { label }).await? {
            Reply::Invitations { invitations } => {
                print(output, &invitations, || table(&invitations).print("no invitation to it is in force"));
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
fn told(label: &str, invitation: &InvitationRow, url: &str, output: OutputArgs) {
    print(output, &serde_json::json!({ "url": url, "invitation": invitation }), || {
        put(url);
        tell!(
            "whoever has it and logs in is {} until {}; `berth invitation withdraw {label} {}` takes it back",
            invitation.role,
            invitation.expires_at,
            invitation.id
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
