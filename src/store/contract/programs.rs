//! What every store must do with tokens of programs and the answers kept for them.

use std::time::Duration;

use super::{WORKS, added_user, is_stale};
use crate::clock;
use crate::secret::{TokenHash, random_token};
use crate::session::UserId;
use crate::store::{ApiToken, KeptAnswer, Scope, Scopes, Store, TokenId};

/// A token that reads sessions and does not lapse.
#[must_use]
pub fn sample_api_token(user: Option<UserId>) -> ApiToken {
    ApiToken {
        id: TokenId::random(),
        hash: TokenHash::of(random_token().expose()),
        name: "course «ü» '".to_owned(),
        scopes: Scopes::from_iter([Scope::SessionsRead]),
        user,
        created_by: "root".to_owned(),
        created_at: clock::now(),
        expires_at: None,
        last_used_at: None,
    }
}

pub(super) async fn tokens(store: &dyn Store) {
    let user = added_user(store).await;
    let bound =
        ApiToken { scopes: Scopes::all(), expires_at: Some(clock::now()), ..sample_api_token(Some(user.id)) };
    let free = sample_api_token(None);
    for token in [&bound, &free] {
        store.insert_api_token(token).await.expect(WORKS);
        assert_eq!(store.api_token(&token.hash).await.expect(WORKS).as_ref(), Some(token));
    }
    let listed: Vec<TokenId> = store.api_tokens().await.expect(WORKS).iter().map(|token| token.id).collect();
    let place = |id| listed.iter().position(|listed| *listed == id);
    assert!(place(bound.id).is_some() && place(bound.id) < place(free.id), "oldest first");

    let at = clock::now();
    store.note_api_token_used(bound.id, at).await.expect(WORKS);
    store.note_api_token_used(TokenId::random(), at).await.expect("absent is success");
    let used = store.api_token(&bound.hash).await.expect(WORKS).and_then(|token| token.last_used_at);
    assert_eq!(used, Some(at));

    let removed = store.remove_api_token(free.id).await.expect(WORKS);
    assert_eq!(removed, Some(free.clone()));
    assert_eq!(store.remove_api_token(free.id).await.expect("removing again is success"), None);
    assert_eq!(store.api_token(&free.hash).await.expect(WORKS), None);
    let orphan = sample_api_token(Some(UserId::random()));
    assert!(is_stale(&store.insert_api_token(&orphan).await), "no such user");
}

pub(super) async fn tokens_go_with_their_user(store: &dyn Store) {
    let (user, other) = (added_user(store).await, added_user(store).await);
    let tokens = [sample_api_token(Some(user.id)), sample_api_token(Some(other.id)), sample_api_token(None)];
    for token in &tokens {
        store.insert_api_token(token).await.expect(WORKS);
    }
    let removed = store.remove_api_tokens_of(user.id).await.expect(WORKS);
    assert_eq!(removed, tokens[..1]);
    store.remove_user(other.id).await.expect(WORKS);
    for (token, left) in tokens.iter().zip([false, false, true]) {
        assert_eq!(store.api_token(&token.hash).await.expect(WORKS).is_some(), left);
    }
}

pub(super) async fn answers_are_kept_for_a_while(store: &dyn Store) {
    let hash = || TokenHash::of(random_token().expose());
    let now = clock::now();
    let earlier = clock::earlier(now, Duration::from_secs(60)).expect("not that near the beginning of time");
    let old = KeptAnswer {
        key: hash(),
        request: hash(),
        status: 202,
        location: Some("/api/v1/sessions/x".to_owned()),
        body: "{\"«ü»\":1}".to_owned(),
        answered_at: earlier,
    };
    let new = KeptAnswer { key: hash(), location: None, answered_at: now, ..old.clone() };
    for answer in [&old, &new] {
        store.keep_answer(answer).await.expect(WORKS);
        assert_eq!(store.kept_answer(&answer.key).await.expect(WORKS).as_ref(), Some(answer));
    }
    let again = KeptAnswer { status: 201, ..new.clone() };
    store.keep_answer(&again).await.expect("the newer one counts");
    assert_eq!(store.kept_answer(&new.key).await.expect(WORKS), Some(again));
    assert!(store.purge_answers(now).await.expect(WORKS) >= 1);
    assert_eq!(store.kept_answer(&old.key).await.expect(WORKS), None);
    assert!(store.kept_answer(&new.key).await.expect(WORKS).is_some());
}
