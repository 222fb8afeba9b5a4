//! Which users the table shows, and which part of them: all of it is in the address.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::people;
use crate::store::{Role, User, UserOrder, UserPage, UserPlace, UserQuery};
use crate::web::{Failure, Site};

/// How many users one page shows.
const PAGE: usize = 50;

/// What the table is asked for; all of it stands in its address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    pub(super) search: String,
    pub(super) role: String,
    pub(super) state: String,
    pub(super) sort: String,
    /// The user before the page.
    pub(super) cursor: String,
    /// The user behind the page.
    pub(super) before: String,
    pub(super) removed: String,
}

/// One part of the list, and the users beside whom those around it begin.
pub(super) struct Part {
    pub(super) found: UserPage,
    pub(super) previous: Option<UserPlace>,
    pub(super) next: Option<UserPlace>,
}

impl Part {
    /// The part that is asked for.
    pub(super) async fn of(site: &Site, asked: &Asked) -> Result<Self, Failure> {
        let query = asked.query()?;
        let backwards = query.before.is_some();
        let found = site.0.state.store.find_users(&query).await?;
        if backwards && !found.more {
            // The list begins here: its first part, and not what is left of one.
            let query = UserQuery { before: None, after: None, ..query };
            let found = site.0.state.store.find_users(&query).await?;
            return Ok(Self { previous: None, next: last(&found, query.order, found.more), found });
        }
        let place = |user: &User| UserPlace::of(user, query.order);
        let previous = found.users.first().map(place).or_else(|| query.after.clone());
        Ok(Self {
            previous: previous.filter(|_| backwards || query.after.is_some()),
            next: last(&found, query.order, backwards || found.more),
            found,
        })
    }
}

/// The last user of a page that others follow.
fn last(page: &UserPage, order: UserOrder, follow: bool) -> Option<UserPlace> {
    page.users.last().filter(|_| follow).map(|last| UserPlace::of(last, order))
}

impl Asked {
    fn query(&self) -> Result<UserQuery, Failure> {
        let role = [Role::Admin, Role::User].into_iter().find(|role| role.name() == self.role);
        let place = |cursor: &str| (!cursor.is_empty()).then(|| people::place(cursor)).transpose();
        Ok(UserQuery {
            search: self.search.trim().to_owned(),
            role,
            disabled: match self.state.as_str() {
                "disabled" => Some(true),
                "active" => Some(false),
                _ => None,
            },
            order: match self.sort.as_str() {
                "created" => UserOrder::Created,
                "last_login" => UserOrder::LastLogin,
                _ => UserOrder::Name,
            },
            after: place(&self.cursor)?,
            before: place(&self.before)?,
            limit: PAGE,
        })
    }

    /// The address of the part of the same list that begins or ends at a cursor.
    pub(super) fn at(&self, side: &str, cursor: &str) -> String {
        let fields = [
            ("search", self.search.as_str()),
            ("role", self.role.as_str()),
            ("state", self.state.as_str()),
            ("sort", self.sort.as_str()),
            (side, cursor),
        ];
        let mut address = "/admin/users".to_owned();
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            let sign = if address.contains('?') { '&' } else { '?' };
            address.push_str(&format!("{sign}{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        }
        address
    }
}
