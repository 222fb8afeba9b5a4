//! Who else may open a session of a gateway elsewhere.

use http::Method;
use serde_json::{Value, json};

use super::{Remote, another_version, done, read, segment, text};
use crate::cli::failure::Failure;
use crate::control::{Reply, SharingRequest};
use crate::secret::Secret;

fn address(label: &str, what: &str) -> String {
    format!("/api/v1/sessions/{}/{what}", segment(label))
}

impl Remote {
    pub(super) async fn sharing(&self, request: SharingRequest) -> Result<Reply, Failure> {
        Ok(match request {
            SharingRequest::Grant { label, user, role, lasts_s } => {
                let new = json!({ "user": user, "role": role, "lasts_s": lasts_s });
                let given = self.call(Method::POST, &address(&label, "grants"), Some(new)).await?;
                done(given, |grant| {
                    format!("user {} may open session {label} as {}", text(grant, "user"), role.name())
                })
            }
            SharingRequest::Grants { label } => match self.rows(&address(&label, "grants")).await? {
                Ok(grants) => Reply::Grants { grants },
                Err(refused) => refused,
            },
            SharingRequest::Withdraw { label, user } => self.withdraw(&label, &user).await?,
            SharingRequest::Invite { label, role, lasts_s, most } => {
                let new = json!({ "role": role, "lasts_s": lasts_s, "most": most });
                match self.call(Method::POST, &address(&label, "invitations"), Some(new)).await? {
                    Ok(made) => invitation(made).ok_or_else(another_version)?,
                    Err(refused) => refused,
                }
            }
            SharingRequest::Invitations { label } => {
                match self.rows(&address(&label, "invitations")).await? {
                    Ok(invitations) => Reply::Invitations { invitations },
                    Err(refused) => refused,
                }
            }
            SharingRequest::WithdrawInvitation { label, id } => {
                let path = format!("{}/{id}", address(&label, "invitations"));
                let withdrawn = self.call(Method::DELETE, &path, None).await?;
                done(withdrawn, |_| {
                    format!("invitation {id} is withdrawn, and the right of everybody who came by it")
                })
            }
        })
    }

    /// People name whose right it is; the API names the right.
    async fn withdraw(&self, label: &str, user: &str) -> Result<Reply, Failure> {
        let grants = match self.items(&address(label, "grants")).await? {
            Ok(grants) => grants,
            Err(refused) => return Ok(refused),
        };
        let Some(grant) = grants.iter().find(|grant| text(grant, "user").eq_ignore_ascii_case(user)) else {
            let text = format!("user {user} has no grant for session {label}");
            return Ok(Reply::Refused { code: "not_found".to_owned(), text });
        };
        let path = format!("{}/{}", address(label, "grants"), segment(text(grant, "id")));
        let withdrawn = self.call(Method::DELETE, &path, None).await?;
        Ok(done(withdrawn, |_| format!("user {} may no longer open session {label}", text(grant, "user"))))
    }
}

/// A link that was just made; its secret stands at the end of its address.
fn invitation(made: Value) -> Option<Reply> {
    let url = text(&made, "url").to_owned();
    let secret = Secret::new(url.rsplit_once('=')?.1.to_owned());
    Some(Reply::Invitation { invitation: Box::new(read(made)?), secret, url: Some(Secret::new(url)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_was_made_is_told_with_its_secret() {
        let made = json!({
            "id": "2f1c8f5e-4a0e-4f7e-9a52-0d4d7b1c7d11", "role": "observer", "most": null, "made_by": "root",
            "created_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T01:00:00Z", "guests": [],
            "url": "https://portal.example.org/join?token=aBc-_9",
        });
        let Some(Reply::Invitation { invitation, secret, url }) = invitation(made) else {
            panic!("it is one")
        };
        assert_eq!((secret.expose().as_str(), invitation.role.as_str()), ("aBc-_9", "observer"));
        assert!(url.is_some_and(|url| url.expose().starts_with("https://portal.example.org/")));
    }
}
