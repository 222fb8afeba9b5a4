//! Tokens and links of a gateway elsewhere.

use http::Method;
use serde_json::{Value, json};

use super::{Remote, another_version, done, each, read, segment, text};
use crate::cli::failure::Failure;
use crate::control::{LinkRow, Reply, TokenRow, TokenWish};
use crate::secret::Secret;
use crate::session::LinkAction;

const TOKENS: &str = "/api/v1/tokens";
const LINKS: &str = "/api/v1/links";

impl Remote {
    pub(super) async fn make_token(&self, wish: &TokenWish) -> Result<Reply, Failure> {
        let TokenWish { name, scopes, user, lasts_s } = wish;
        let new = json!({ "name": name, "scopes": scopes, "user": user, "lasts_s": lasts_s });
        let made = match self.call(Method::POST, TOKENS, Some(new)).await? {
            Ok(made) => made,
            Err(refused) => return Ok(refused),
        };
        let row = read::<TokenRow>(made["token"].clone()).ok_or_else(another_version)?;
        let secret = Some(Secret::new(text(&made, "secret").to_owned()));
        Ok(Reply::Tokens { tokens: vec![TokenRow { secret, ..row }] })
    }

    pub(super) async fn tokens(&self) -> Result<Reply, Failure> {
        Ok(match self.rows(TOKENS).await? {
            Ok(tokens) => Reply::Tokens { tokens },
            Err(refused) => refused,
        })
    }

    pub(super) async fn revoke_token(&self, id: &str) -> Result<Reply, Failure> {
        let revoked = self.call(Method::DELETE, &format!("{TOKENS}/{}", segment(id)), None).await?;
        Ok(done(revoked, |_| format!("token {id} is revoked")))
    }

    pub(super) async fn make_link(
        &self,
        action: &LinkAction,
        lasts_s: u64,
        uses: u32,
    ) -> Result<Reply, Failure> {
        let mut new = json!({ "action": action.name(), "expires_s": lasts_s, "uses": uses });
        if let Some(client) = action.client() {
            new["client_id"] = client.as_str().into();
        }
        let made = match self.call(Method::POST, LINKS, Some(new)).await? {
            Ok(made) => made,
            Err(refused) => return Ok(refused),
        };
        let url = text(&made, "url").to_owned();
        let secret = Secret::new(url.rsplit('/').next().unwrap_or_default().to_owned());
        let link = Box::new(row(&made).ok_or_else(another_version)?);
        Ok(Reply::Link { link, secret, url: Some(Secret::new(url)) })
    }

    pub(super) async fn links(&self) -> Result<Reply, Failure> {
        Ok(match self.items(LINKS).await? {
            Ok(items) => Reply::Links { links: each(&items, row)? },
            Err(refused) => refused,
        })
    }

    pub(super) async fn revoke_link(&self, id: &str) -> Result<Reply, Failure> {
        let revoked = self.call(Method::DELETE, &format!("{LINKS}/{}", segment(id)), None).await?;
        Ok(done(revoked, |_| format!("link {id} is revoked")))
    }
}

/// A link as the API shows it, as a row of ours.
fn row(shown: &Value) -> Option<LinkRow> {
    let client = || shown["client_id"].as_str()?.parse().ok();
    let count = |key: &str| u32::try_from(shown[key].as_u64()?).ok();
    Some(LinkRow {
        id: read(shown["id"].clone())?,
        action: match text(shown, "action") {
            "access" => LinkAction::Access(client()?),
            "remove" => LinkAction::Remove(client()?),
            "remove_all" => LinkAction::RemoveAll,
            _ => return None,
        },
        uses: count("uses")?,
        used: count("used")?,
        created_by: text(shown, "created_by").to_owned(),
        created_at: text(shown, "created_at").to_owned(),
        expires_at: text(shown, "expires_at").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_of_the_api_is_a_row() {
        let shown = json!({
            "id": "2f1c8f5e-4a0e-4f7e-9a52-0d4d7b1c7d11", "action": "access", "client_id": "room 7", "uses": 3, "used": 1,
            "created_by": "root", "created_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T01:00:00Z",
        });
        let link = row(&shown).unwrap();
        assert_eq!((link.action.name(), link.uses, link.used), ("access", 3, 1));
        assert!(row(&json!({ "action": "explode" })).is_none());
    }
}
