//! Invitations, those who come by them, and the grants that come of them.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::{
    RACERS, WORKS, added_session, added_user, grant_exists, is_conflict, is_stale, sample_grant,
    sample_invitation,
};
use crate::clock;
use crate::secret::{TokenHash, random_token};
use crate::session::{Grant, Invitation, SessionId, UserId};
use crate::store::{Invited, Store, UniqueKey, User};

/// Runs every case.
pub(super) async fn run(store: &dyn Store) {
    invitations(store).await;
    a_guest_comes_once_and_the_last_place_is_taken_once(store).await;
    a_withdrawn_invitation_takes_its_grants_along(store).await;
    lapsed_invitations_are_purged(store).await;
}

/// The grant that `grantee` gets by `invitation`.
fn grant_by(invitation: &Invitation, grantee: &User) -> Grant {
    Grant { invitation: Some(invitation.id), ..sample_grant(invitation.session, grantee) }
}

async fn added_invitation(store: &dyn Store, most: Option<u32>) -> (Invitation, TokenHash) {
    let invitation = Invitation { most, ..sample_invitation(added_session(store).await.id) };
    let token = TokenHash::of(random_token().expose());
    store.insert_invitation(&invitation, &token).await.expect(WORKS);
    (invitation, token)
}

async fn guests(store: &dyn Store, token: &TokenHash) -> Vec<UserId> {
    let invited = store.invitation(token).await.expect(WORKS).expect("it is there");
    invited.guests.iter().map(|guest| guest.user).collect()
}

async fn invitations(store: &dyn Store) {
    let (invitation, token) = added_invitation(store, Some(3)).await;
    let nobody = |invitation: &Invitation| Invited { invitation: invitation.clone(), guests: Vec::new() };
    let found = store.invitation(&token).await.expect(WORKS);
    assert_eq!(found, Some(nobody(&invitation)));
    assert_eq!(store.invitation(&TokenHash::of("another")).await.expect(WORKS), None);
    let again = store.insert_invitation(&invitation, &TokenHash::of(random_token().expose())).await;
    assert!(is_conflict(&again, UniqueKey::Invitation), "one of each id");
    let older = Invitation {
        created_at: "2001-01-01T00:00:00Z".parse().expect("a valid time"),
        ..sample_invitation(invitation.session)
    };
    let second = TokenHash::of(random_token().expose());
    store.insert_invitation(&older, &second).await.expect(WORKS);
    let listed = store.invitations_of(invitation.session).await.expect(WORKS);
    assert_eq!(listed, [nobody(&older), nobody(&invitation)], "oldest first");
    assert_eq!(store.invitations_of(SessionId::random()).await.expect(WORKS), []);
    let nowhere = sample_invitation(SessionId::random());
    let token_too = TokenHash::of(random_token().expose());
    assert!(is_stale(&store.insert_invitation(&nowhere, &token_too).await), "no session");
    store.remove_session(invitation.session).await.expect(WORKS);
    assert_eq!(store.invitation(&token).await.expect(WORKS), None, "it goes with its session");
}

async fn a_guest_comes_once_and_the_last_place_is_taken_once(store: &dyn Store) {
    let (invitation, token) = added_invitation(store, Some(2)).await;
    let (ann, bob) = (added_user(store).await, added_user(store).await);
    let by_name = sample_grant(invitation.session, &bob);
    store.insert_grant(&by_name).await.expect(WORKS);
    let grant = grant_by(&invitation, &ann);
    store.accept_invitation(&grant).await.expect(WORKS);
    let stored = store.grants().await.expect(WORKS).into_iter().find(|stored| stored.id == grant.id);
    assert_eq!(stored, Some(grant.clone()));
    let refused = store.accept_invitation(&grant_by(&invitation, &bob)).await;
    assert!(is_conflict(&refused, UniqueKey::Grant), "he has one by name");
    assert_eq!(guests(store, &token).await, [ann.id], "a refusal takes no place");

    store.remove_grant(grant.id).await.expect(WORKS);
    let again = store.accept_invitation(&grant_by(&invitation, &ann)).await;
    assert!(is_conflict(&again, UniqueKey::Guest), "nobody comes back by the same link");
    let elsewhere = Grant { session: added_session(store).await.id, ..grant_by(&invitation, &bob) };
    assert!(is_stale(&store.accept_invitation(&elsewhere).await), "it leads to one session only");
    assert!(is_stale(&store.accept_invitation(&sample_grant(invitation.session, &ann)).await), "by none");

    let mut racers = Vec::new();
    for _ in 0..RACERS {
        racers.push(grant_by(&invitation, &added_user(store).await));
    }
    let results = join_all(racers.iter().map(|grant| store.accept_invitation(grant))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "one place was left");
    assert_eq!(results.iter().filter(|result| is_stale(result)).count(), RACERS - 1);
    assert_eq!(guests(store, &token).await.len(), 2);
}

async fn a_withdrawn_invitation_takes_its_grants_along(store: &dyn Store) {
    let (invitation, token) = added_invitation(store, None).await;
    let (ann, bob) = (added_user(store).await, added_user(store).await);
    let (by_link, by_name) = (grant_by(&invitation, &ann), sample_grant(invitation.session, &bob));
    store.accept_invitation(&by_link).await.expect(WORKS);
    store.insert_grant(&by_name).await.expect(WORKS);
    store.remove_invitation(invitation.id).await.expect(WORKS);
    store.remove_invitation(invitation.id).await.expect("removing again is success");
    assert_eq!(store.invitation(&token).await.expect(WORKS), None);
    assert!(!grant_exists(store, by_link.id).await && grant_exists(store, by_name.id).await);
    assert!(is_stale(&store.accept_invitation(&grant_by(&invitation, &added_user(store).await)).await));
}

async fn lapsed_invitations_are_purged(store: &dyn Store) {
    // Long ago, so that nothing else in the store lapses with it.
    let then: Timestamp = "2001-01-01T00:00:00.5Z".parse().expect("a valid time");
    let session = added_session(store).await;
    let early = Invitation { expires_at: then, ..sample_invitation(session.id) };
    let token = TokenHash::of(random_token().expose());
    store.insert_invitation(&early, &token).await.expect(WORKS);
    let (lasting, other) = added_invitation(store, None).await;
    let late = store.accept_invitation(&grant_by(&early, &added_user(store).await)).await;
    assert!(is_stale(&late), "nobody comes by one that has lapsed");
    let before = clock::earlier(then, Duration::from_nanos(1)).expect("a valid time");
    assert_eq!(store.purge_invitations(before).await.expect(WORKS), 0, "not before its time");
    assert_eq!(store.purge_invitations(then).await.expect(WORKS), 1);
    assert_eq!(store.invitation(&token).await.expect(WORKS), None);
    let found = store.invitation(&other).await.expect(WORKS);
    assert_eq!(found.map(|invited| invited.invitation.id), Some(lasting.id));
}
