mod users;

use std::iter;

use serde_json::Value;

use super::*;
use crate::audit::Actor;
use crate::fault::Answer;
use crate::secret::random_token;
use crate::store::sqlite::SqliteStore;

const PASSWORD: &str = "correct horse";

struct Rig {
    auth: Auth,
    store: Arc<dyn Store>,
}

impl Rig {
    fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
        Self { auth: another(&store), store }
    }

    async fn user(&self, name: &str) -> User {
        let new = NewUser { name: name.to_owned(), role: Role::User, password: secret(PASSWORD) };
        self.auth.create_user(&Actor::cli(), new).await.unwrap()
    }

    async fn log_in(&self, name: &str, password: &str) -> Result<NewLogin, AuthError> {
        self.auth.log_in(name, &secret(password), &visitor("192.0.2.1")).await
    }

    async fn holds(&self, login: &NewLogin) -> bool {
        self.auth.authenticate(iter::once(login.token.expose().as_str())).await.unwrap().is_some()
    }

    async fn audit(&self) -> Vec<Value> {
        let lines = self.store.audit(0, usize::MAX).await.unwrap();
        lines.iter().map(|line| serde_json::from_str(&line.body).unwrap()).collect()
    }
}

/// Another gateway over the same store.
fn another(store: &Arc<dyn Store>) -> Auth {
    let settings = Settings { refusal_floor: Duration::ZERO, ..Settings::default() };
    Auth::new(store.clone(), Audit::new(store.clone()), settings)
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn visitor(address: &str) -> Visitor {
    Visitor { address: address.parse().unwrap(), user_agent: "x".repeat(1000) }
}

async fn ended(principal: &Principal) -> CloseReason {
    tokio::time::timeout(Duration::from_secs(1), principal.revocation.revoked())
        .await
        .expect("told within 1 s")
}

#[tokio::test]
async fn a_login_makes_a_principal_that_the_cookie_finds_again() {
    let rig = Rig::new();
    let user = rig.user("Ann").await;
    let login = rig.log_in(" ann ", PASSWORD).await.unwrap();
    let again = rig.log_in("ANN", PASSWORD).await.unwrap();
    assert_ne!(login.token, again.token, "always a new token");
    assert_eq!((login.principal.user, login.principal.name.as_str()), (user.id, "Ann"));
    assert!(login.principal.session.is_none() && login.principal.role == Role::User);
    assert!(rig.store.user(user.id).await.unwrap().unwrap().last_login_at.is_some());
    assert_eq!(rig.store.login(&login.principal.login).await.unwrap().unwrap().user_agent.len(), 256);

    let values = ["", "stale", login.token.expose().as_str(), again.token.expose().as_str()];
    let found = rig.auth.authenticate(values.into_iter()).await.unwrap().unwrap();
    assert!(Arc::ptr_eq(&found, &login.principal), "the first valid one, from memory");
    assert!(rig.auth.authenticate(["", "stale"].into_iter()).await.unwrap().is_none());
    let many = iter::repeat_n("stale", 100).chain([login.token.expose().as_str()]);
    assert!(rig.auth.authenticate(many).await.unwrap().is_none(), "nobody sends a hundred");
    assert_eq!(rig.auth.live.len(), 2, "what is not valid is not kept");
}

#[tokio::test]
async fn unknown_disabled_and_wrong_get_one_answer_for_the_same_work() {
    let rig = Rig::new();
    rig.user("ann").await;
    let bob = rig.user("bob").await;
    rig.auth.disable_user(&Actor::cli(), bob.id).await.unwrap();
    let long = "x".repeat(65);
    let big = "x".repeat(5000);
    for (name, password) in [
        ("ann", "wrong"),
        ("bob", PASSWORD),
        ("bob", "wrong"),
        ("nobody", PASSWORD),
        (&long, "x"),
        ("", ""),
        ("ann", &big),
    ] {
        let before = rig.auth.passwords.computed();
        let refused = rig.log_in(name, password).await.unwrap_err();
        assert_eq!(
            (refused.code(), refused.public()),
            ("credentials_wrong", AuthError::CredentialsWrong.public())
        );
        assert_eq!(rig.auth.passwords.computed(), before + 1, "{name}");
    }
    let audit = rig.audit().await;
    let reasons: Vec<_> = audit.iter().filter(|line| line["event"] == "login_refused").collect();
    let expected = [
        "wrong_password",
        "disabled",
        "disabled",
        "unknown_user",
        "unknown_user",
        "unknown_user",
        "wrong_password",
    ];
    assert_eq!(reasons.iter().map(|line| line["reason"].as_str().unwrap()).collect::<Vec<_>>(), expected);
    assert_eq!(reasons[0]["target"], "ann");
    assert!(reasons[3].get("target").is_none(), "what was typed is not kept: it may be a password");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_takes_its_time() {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
    let auth = Auth::new(store.clone(), Audit::new(store), Settings::default());
    let start = tokio::time::Instant::now();
    auth.log_in("nobody", &secret("x"), &visitor("192.0.2.1")).await.unwrap_err();
    assert!(start.elapsed() >= Duration::from_millis(500));
}

#[tokio::test]
async fn ten_failures_are_enough_and_the_audit_says_so_once() {
    let rig = Rig::new();
    rig.user("ann").await;
    for _ in 0..10 {
        assert_eq!(rig.log_in("ann", "wrong").await.unwrap_err().code(), "credentials_wrong");
    }
    let before = rig.auth.passwords.computed();
    for _ in 0..3 {
        let refused = rig.log_in("ann", PASSWORD).await.unwrap_err();
        assert_eq!(refused.code(), "throttled");
        let wait = refused.retry_after().unwrap();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(30));
    }
    assert_eq!(rig.auth.passwords.computed(), before, "refused unseen");
    let throttled = rig.audit().await.iter().filter(|line| line["reason"] == "throttled").count();
    assert_eq!(throttled, 1);
}

#[tokio::test]
async fn a_crowd_of_guesses_at_once_gets_no_more_than_its_budget() {
    let rig = Rig::new();
    rig.user("ann").await;
    let before = rig.auth.passwords.computed();
    futures_util::future::join_all((0..40).map(|_| rig.log_in("ann", "wrong"))).await;
    assert!(rig.auth.passwords.computed() - before <= 11, "ten, and one that was under way");
}

#[tokio::test]
async fn an_imported_bcrypt_hash_works_once_and_becomes_ours() {
    let rig = Rig::new();
    let truncated = "$2b$04$abcdefghijklmnopqrstuu".to_owned();
    let hash = bcrypt::hash(PASSWORD, 4).unwrap();
    let (user, usable) =
        rig.auth.import_user(&Actor::cli(), "ann", Role::Admin, Secret::new(hash.clone())).await.unwrap();
    assert!(usable && hash.starts_with("$2b$"));
    let before = rig.auth.passwords.computed();
    assert!(rig.log_in("ann", "wrong").await.is_err());
    assert_eq!(rig.auth.passwords.computed(), before + 1);
    rig.log_in("ann", PASSWORD).await.unwrap();
    let rehashed = rig.store.user(user.id).await.unwrap().unwrap().password_hash;
    assert!(rehashed.expose().starts_with("$argon2id$"));
    rig.log_in("ann", PASSWORD).await.unwrap();
    assert_eq!(rig.store.user(user.id).await.unwrap().unwrap().password_hash, rehashed, "only once");

    let (_, usable) =
        rig.auth.import_user(&Actor::cli(), "bob", Role::User, Secret::new(truncated)).await.unwrap();
    assert!(!usable);
    assert_eq!(rig.log_in("bob", PASSWORD).await.unwrap_err().code(), "credentials_wrong");
}

#[tokio::test]
async fn logging_out_ends_the_login_everywhere_and_its_children() {
    let rig = Rig::new();
    rig.user("ann").await;
    let login = rig.log_in("ann", PASSWORD).await.unwrap();
    let other = rig.log_in("ann", PASSWORD).await.unwrap();
    let session = SessionId::random();
    let ticket = rig.auth.mint(&login.principal, session).await.unwrap();
    let child = rig.auth.redeem(ticket.expose(), session).await.unwrap();
    assert_eq!((child.principal.session, child.principal.user), (Some(session), login.principal.user));
    assert_eq!(child.principal.expires_at, login.principal.expires_at);
    assert_ne!(child.principal.csrf, login.principal.csrf);

    // A socket that waits is told.
    let socket = child.principal.clone();
    let (reason, out) =
        tokio::join!(ended(&socket), rig.auth.log_out(&login.principal, "192.0.2.1".parse().unwrap()));
    out.unwrap();
    assert_eq!(reason, CloseReason::LoginEnded);
    assert_eq!(ended(&login.principal).await, CloseReason::LoginEnded);
    assert!(!rig.holds(&login).await && !rig.holds(&child).await && rig.holds(&other).await);
    rig.auth.log_out(&login.principal, "192.0.2.1".parse().unwrap()).await.expect("again is success");
    assert_eq!(rig.audit().await.iter().filter(|line| line["event"] == "logout").count(), 1);
}

#[tokio::test]
async fn a_ticket_opens_its_session_once() {
    let rig = Rig::new();
    rig.user("ann").await;
    let login = rig.log_in("ann", PASSWORD).await.unwrap();
    let session = SessionId::random();
    let ticket = rig.auth.mint(&login.principal, session).await.unwrap();
    let child = rig.auth.redeem(ticket.expose(), session).await.unwrap();
    assert_eq!(rig.auth.redeem(ticket.expose(), session).await.unwrap_err().code(), "ticket_invalid");
    assert_eq!(rig.auth.redeem("guess", session).await.unwrap_err().code(), "ticket_invalid");

    let ticket = rig.auth.mint(&login.principal, session).await.unwrap();
    let elsewhere = rig.auth.redeem(ticket.expose(), SessionId::random()).await;
    assert_eq!(elsewhere.unwrap_err().code(), "ticket_invalid");
    assert!(rig.auth.redeem(ticket.expose(), session).await.is_err(), "used up by the wrong host");

    let from_container = rig.auth.mint(&child.principal, session).await;
    assert_eq!(from_container.unwrap_err().code(), "login_required");
    let ticket = rig.auth.mint(&login.principal, session).await.unwrap();
    rig.auth.log_out(&login.principal, "192.0.2.1".parse().unwrap()).await.unwrap();
    assert_eq!(rig.auth.redeem(ticket.expose(), session).await.unwrap_err().code(), "ticket_invalid");
    assert_eq!(rig.auth.mint(&login.principal, session).await.unwrap_err().code(), "login_required");
}

#[tokio::test]
async fn a_lapsed_ticket_is_refused() {
    let rig = Rig::new();
    rig.user("ann").await;
    let login = rig.log_in("ann", PASSWORD).await.unwrap();
    let (token, session) = (random_token(), SessionId::random());
    let ticket = crate::store::Ticket {
        token: TokenHash::of(token.expose()),
        login: login.principal.login,
        session,
        expires_at: clock::now(),
    };
    rig.store.insert_ticket(&ticket).await.unwrap();
    assert_eq!(rig.auth.redeem(token.expose(), session).await.unwrap_err().code(), "ticket_invalid");
}

#[tokio::test]
async fn disabling_and_passwords_and_removal_end_logins() {
    let rig = Rig::new();
    let ann = rig.user("ann").await;
    let cli = Actor::cli();

    let login = rig.log_in("ann", PASSWORD).await.unwrap();
    rig.auth.set_password(&cli, ann.id, &secret("battery staple"), Renewal::Optional).await.unwrap();
    assert_eq!(ended(&login.principal).await, CloseReason::LoginEnded);
    assert!(!rig.holds(&login).await);
    assert!(rig.log_in("ann", PASSWORD).await.is_err());

    let login = rig.log_in("ann", "battery staple").await.unwrap();
    rig.auth.disable_user(&cli, ann.id).await.unwrap();
    ended(&login.principal).await;
    assert!(rig.log_in("ann", "battery staple").await.is_err());
    rig.auth.enable_user(&cli, ann.id).await.unwrap();
    assert!(!rig.holds(&login).await, "old logins do not come back");

    let login = rig.log_in("ann", "battery staple").await.unwrap();
    rig.auth.remove_user(&cli, ann.id).await.unwrap();
    ended(&login.principal).await;
    assert!(!rig.holds(&login).await);
    let unknown = rig.auth.set_password(&cli, ann.id, &secret("battery staple"), Renewal::Optional).await;
    assert_eq!(unknown.unwrap_err().code(), "user_unknown");

    let events: Vec<_> =
        rig.audit().await.iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect();
    for event in
        ["user_created", "user_password_changed", "user_disabled", "user_enabled", "user_removed", "login_ok"]
    {
        assert!(events.contains(&event.to_owned()), "{event} in {events:?}");
    }
    crate::audit::verify(&*rig.store).await.unwrap();
}

#[tokio::test]
async fn names_and_passwords_are_refused_with_a_reason() {
    let rig = Rig::new();
    rig.user("ann").await;
    let create = async |name: &str, password: &str| {
        let new = NewUser { name: name.to_owned(), role: Role::User, password: secret(password) };
        rig.auth.create_user(&Actor::cli(), new).await.map_or_else(|error| error.code(), |_| "ok")
    };
    assert_eq!(create("ANN", PASSWORD).await, "user_taken");
    assert_eq!(create("System", PASSWORD).await, "name_invalid");
    assert_eq!(create(" ", PASSWORD).await, "name_invalid");
    assert_eq!(create("a\u{202e}b", PASSWORD).await, "name_invalid");
    assert_eq!(create("bob", "short").await, "password_weak");
    assert_eq!(create("bob", PASSWORD).await, "ok");
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let rig = Rig::new();
    let admin = async |name: &str| {
        let new = NewUser { name: name.to_owned(), role: Role::Admin, password: secret(PASSWORD) };
        rig.auth.create_user(&Actor::cli(), new).await.unwrap().id
    };
    let (root, other) = (admin("root").await, admin("other").await);
    rig.auth.disable_user(&Actor::cli(), other).await.unwrap();
    assert_eq!(rig.auth.disable_user(&Actor::cli(), root).await.unwrap_err().code(), "last_admin");
    assert_eq!(rig.auth.remove_user(&Actor::cli(), root).await.unwrap_err().code(), "last_admin");
    rig.auth.enable_user(&Actor::cli(), other).await.unwrap();
    rig.auth.remove_user(&Actor::cli(), root).await.unwrap();
}

/// Lets a login lapse, in memory and in the store, without waiting for it.
async fn lapse(rig: &Rig, login: &NewLogin) {
    let stored = rig.store.login(&login.principal.login).await.unwrap().unwrap();
    rig.store.remove_login(&stored.token).await.unwrap();
    let expires_at = clock::now();
    rig.store.insert_login(&Login { expires_at, ..stored.clone() }).await.unwrap();
    let lapsed = Principal { expires_at, ..(*login.principal).clone() };
    rig.auth.live.insert(stored.token, Arc::new(lapsed));
}

#[tokio::test]
async fn a_lapsed_login_is_refused_and_its_sockets_are_told() {
    let rig = Rig::new();
    rig.user("ann").await;
    let seen = rig.log_in("ann", PASSWORD).await.unwrap();
    lapse(&rig, &seen).await;
    assert!(!rig.holds(&seen).await, "at the next request");
    assert_eq!(ended(&seen.principal).await, CloseReason::LoginEnded);

    let unseen = rig.log_in("ann", PASSWORD).await.unwrap();
    lapse(&rig, &unseen).await;
    rig.auth.purge().await.unwrap();
    assert_eq!(ended(&unseen.principal).await, CloseReason::LoginEnded);
    assert_eq!(rig.store.login(&unseen.principal.login).await.unwrap(), None);
    assert!(rig.auth.live.is_empty());
}

#[tokio::test]
async fn what_another_process_ends_ends_here_too() {
    let rig = Rig::new();
    let ann = rig.user("ann").await;
    let bob = rig.user("bob").await;
    let logins = [rig.log_in("ann", PASSWORD).await.unwrap(), rig.log_in("bob", PASSWORD).await.unwrap()];
    let elsewhere = another(&rig.store);
    elsewhere.disable_user(&Actor::cli(), ann.id).await.unwrap();
    rig.auth.resync().await.unwrap();
    ended(&logins[0].principal).await;
    assert!(!rig.holds(&logins[0]).await && rig.holds(&logins[1]).await);
    assert_eq!(logins[1].principal.user, bob.id);
}

#[tokio::test]
async fn a_restart_keeps_logins_and_where_they_are_from() {
    let rig = Rig::new();
    rig.user("ann").await;
    let login = rig.log_in("ann", PASSWORD).await.unwrap();
    let restarted = another(&rig.store);
    let principal = restarted.authenticate(iter::once(login.token.expose().as_str())).await.unwrap().unwrap();
    assert_eq!((principal.user, &principal.csrf), (login.principal.user, &login.principal.csrf));
    for guess in 0..300 {
        restarted.throttle.failed(&format!("guess{guess}"), "192.0.2.1".parse().unwrap());
    }
    restarted.log_in("ann", &secret(PASSWORD), &visitor("192.0.2.1")).await.unwrap();
}

#[tokio::test]
async fn logging_in_while_being_disabled_never_leaves_a_login() {
    let rig = Rig::new();
    for _ in 0..5 {
        let user = rig.user(&format!("ann {}", SessionId::random())).await;
        let cli = Actor::cli();
        let (login, disabled) =
            tokio::join!(rig.log_in(&user.name, PASSWORD), rig.auth.disable_user(&cli, user.id));
        disabled.unwrap();
        if let Ok(login) = login {
            ended(&login.principal).await;
            assert!(!rig.holds(&login).await);
        }
        assert!(rig.store.user(user.id).await.unwrap().unwrap().disabled, "a login does not undo it");
        assert_eq!(rig.store.remove_logins_of(user.id).await.unwrap(), []);
    }
}
