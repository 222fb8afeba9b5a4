//! Where somebody goes who logs in: to the dashboard, or straight into their machine.
//!
//! A login is a change that the person asked for, so a machine may be made then; no address that
//! is only looked at makes one. Whatever does not work out ends at the dashboard, which leads
//! nowhere by itself.

use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::Arc;

use super::Site;
use super::card;
use super::next::NextPath;
use crate::audit::Actor;
use crate::auth::Principal;
use crate::broker::{BrokerError, Entry, Wish};
use crate::fault::Answer;
use crate::language::Language;
use crate::session::{StateKind, Template};
use crate::store::Role;

/// Where somebody goes who logs in and asked for no other page.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Landing {
    /// To the dashboard.
    #[default]
    Dashboard,
    /// Into their machine, which is made the first time, where there is one template for them. Never for
    /// administrators, who come to look after others.
    Desktop,
}

/// Where `known` goes now; `next` is what they asked for before they logged in.
pub(super) async fn after_login(
    site: &Site,
    known: &Principal,
    next: &NextPath,
    (language, address): (Language, IpAddr),
) -> String {
    // Whoever has to choose a password first comes back after that.
    let lands = next.as_str() == "/" && !known.must_change;
    let Some(template) = template(site, known).await.filter(|_| lands) else {
        return next.as_str().to_owned();
    };
    let own = site.broker().entries_of(known.user);
    if let Some(entry) = last_used(&own) {
        // A start that failed is explained on its card, and tried again by whoever reads that. One
        // that is being deleted leads nowhere.
        let session = entry.session();
        let leads = session.state.kind() != StateKind::Failed && !card::leaving(&session.state);
        return if leads { site.address(&entry) } else { "/".to_owned() };
    }
    let by = Actor::user(&known.name, address);
    match create(site, known, &template, language, &by).await {
        Ok(entry) => site.address(&entry),
        Err(code) => format!("/?refused={code}"),
    }
}

/// Whether a session's page gives way to the dashboard: where people land in their machine, its
/// failed start leads there, to its card with the explanation.
pub(super) async fn gives_way(site: &Site, known: &Principal, entry: &Entry) -> bool {
    let failed = entry.session().state.kind() == StateKind::Failed;
    failed && known.user == entry.owner && template(site, known).await.is_some()
}

/// What the dashboard says when there was no machine to land in.
pub(super) fn refused(language: Language, code: &str) -> String {
    match code {
        "full" => language.text("problem-full").into_owned(),
        // An open set: whatever an address may say.
        _ => language.text("landing-refused").into_owned(),
    }
}

/// The one template that `known` lands in, if they do: the only one that they may use and that is here.
async fn template(site: &Site, known: &Principal) -> Option<Arc<Template>> {
    if site.settings().landing != Landing::Desktop || known.role == Role::Admin {
        return None;
    }
    let user = site.0.state.store.user(known.user).await.ok()??;
    match site.broker().at_hand(&user.limits).as_slice() {
        [only] => Some((*only).clone()),
        _ => None,
    }
}

fn last_used(own: &[Arc<Entry>]) -> Option<Arc<Entry>> {
    let place = |entry: &&Arc<Entry>| {
        let session = entry.session();
        (card::leaving(&session.state), Reverse(card::used_at(entry, &session)))
    };
    // Of two that were used at the same moment the newer one.
    own.iter().rev().min_by_key(place).cloned()
}

/// A machine called what its template is; the code of the refusal if there can be none.
async fn create(
    site: &Site,
    known: &Principal,
    template: &Template,
    language: Language,
    by: &Actor,
) -> Result<Arc<Entry>, &'static str> {
    let owner = site.0.state.store.user(known.user).await.map_err(|error| error.code())?;
    let owner = owner.ok_or_else(|| BrokerError::NotFound.code())?;
    let title = template.title.of(language).parse();
    // A title that no session may have as its name: too long, say.
    let name = title.or_else(|_| template.name.as_str().parse()).map_err(|_| "name_invalid")?;
    let wish = Wish { language: Some(language), ..Wish::of(template.name.clone(), name) };
    site.broker().create_for(&owner, wish, by).await.map_err(|error| error.code())
}
