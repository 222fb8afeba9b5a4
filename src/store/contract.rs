//! What every store must do, as one suite that any implementation is run through.
//!
//! It is compiled always, so that tests outside the crate can call [`run`]; only tests do. Each
//! case makes records of its own under random names, so the store need not be empty.

mod audit;
mod invitations;
mod programs;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::{
    Login, Preferences, Role, StatPoint, StatSpan, Store, StoreError, Ticket, UniqueKey, User, UserOrder,
    UserPlace, UserQuery,
};
use crate::clock;
use crate::language::Language;
use crate::look::Look;
use crate::secret::{Secret, TokenHash, random_bytes, random_token};
use crate::session::{
    ClientId, Grant, GrantId, GrantRole, InputSource, Invitation, InvitationId, Label, Link, LinkAction,
    LinkId, NodeName, Session, SessionId, State, StopReason, Upstream, UserId, UserLimits,
};

const RACERS: usize = 20;
const WORKS: &str = "the store works";

/// Runs every case.
///
/// # Panics
/// When the store breaks the contract; the message says where.
pub async fn run(store: Arc<dyn Store>) {
    users(&*store).await;
    user_updates(&*store).await;
    users_are_found_part_by_part(&*store).await;
    noted_logins(&*store).await;
    logins(&*store).await;
    logins_end_with_their_parent(&*store).await;
    logins_end_with_their_user(&*store).await;
    lapsed_are_purged(&*store).await;
    tickets_work_once(&*store).await;
    sessions(&*store).await;
    session_keys_are_unique(&*store).await;
    one_updater_wins_each_version(&*store).await;
    one_of_many_inserts_wins(&*store).await;
    grants(&*store).await;
    grants_go_with_session_and_grantee(&*store).await;
    lapsed_grants_are_purged(&*store).await;
    clients_have_one_session_each(&*store).await;
    links(&*store).await;
    one_of_many_takes_each_use(&*store).await;
    programs::tokens(&*store).await;
    programs::tokens_go_with_their_user(&*store).await;
    programs::answers_are_kept_for_a_while(&*store).await;
    invitations::run(&*store).await;
    remembers_that_it_was_restored(&*store).await;
    statistics_are_kept(&*store).await;
    audit::run(&*store).await;
    store.check().await.expect(WORKS);
}

/// A user with a random name.
#[must_use]
pub fn sample_user() -> User {
    User {
        id: UserId::random(),
        name: format!("Ann {}", SessionId::random()),
        role: Role::User,
        password_hash: random_token(),
        disabled: false,
        created_at: clock::now(),
        last_login_at: None,
        must_change: false,
        limits: UserLimits::default(),
        preferences: Preferences::default(),
    }
}

/// A login of this user that lapses in an hour.
#[must_use]
pub fn sample_login(user: UserId) -> Login {
    Login {
        token: TokenHash::of(random_token().expose()),
        user,
        parent: None,
        session: None,
        csrf: random_token(),
        created_at: clock::now(),
        expires_at: clock::later(clock::now(), Duration::from_secs(3600)),
        address: "2001:db8::1".to_owned(),
        user_agent: "Mozilla/5.0 «ü» '\"\u{0}".to_owned(),
    }
}

pub use self::programs::sample_api_token;

/// A session of this owner with random label and name.
#[must_use]
pub fn sample_session(owner: UserId) -> Session {
    let id = SessionId::random();
    Session {
        id,
        label: Label::from_random(&random_bytes()),
        owner,
        owner_name: "Ann".to_owned(),
        template: "desktop".parse().expect("a valid template name"),
        name: format!("✏️ {id}").parse().expect("a valid name"),
        client: None,
        language: Some(Language::French),
        state: State::Ready {
            upstream: Upstream {
                node: NodeName("n1".into()),
                container: "c".repeat(64),
                port: 5900,
                epoch: 3,
            },
        },
        epoch: 3,
        version: 7,
        created_at: clock::now(),
        state_since: clock::now(),
        ready_at: Some(clock::now()),
        last_input_at: Some(clock::now()),
        last_input_source: Some(InputSource::Key),
        closes_at: Some(clock::later(clock::now(), Duration::from_hours(24))),
        extended_s: 1800,
        secret: Secret::new("s3cret".to_owned()),
    }
}

/// A link that lets somebody into a client's session once within the hour; and its token.
#[must_use]
pub fn sample_link() -> Link {
    let client: ClientId =
        format!("salle/été «{}» '\"\\", SessionId::random()).parse().expect("any text is an id");
    Link {
        id: LinkId::random(),
        token: TokenHash::of(random_token().expose()),
        action: LinkAction::Access(client),
        uses: 1,
        used: 0,
        created_by: "Ann «ü» '".to_owned(),
        created_at: clock::now(),
        expires_at: clock::later(clock::now(), Duration::from_secs(3600)),
    }
}

/// A grant that lets `grantee` watch `session` without an end.
#[must_use]
pub fn sample_grant(session: SessionId, grantee: &User) -> Grant {
    Grant {
        id: GrantId::random(),
        session,
        grantee: grantee.id,
        grantee_name: grantee.name.clone(),
        role: GrantRole::Observer,
        granted_by: "Ann «ü» '".to_owned(),
        invitation: None,
        created_at: clock::now(),
        expires_at: None,
    }
}

async fn added_user(store: &dyn Store) -> User {
    let user = sample_user();
    store.insert_user(&user).await.expect(WORKS);
    user
}

async fn added_login(store: &dyn Store, login: Login) -> Login {
    store.insert_login(&login).await.expect(WORKS);
    login
}

fn is_stale<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Stale))
}

fn is_conflict<T>(result: &Result<T, StoreError>, key: UniqueKey) -> bool {
    matches!(result, Err(StoreError::Conflict(found)) if *found == key)
}

async fn users(store: &dyn Store) {
    let user = added_user(store).await;
    assert_eq!(store.user(user.id).await.expect(WORKS).as_ref(), Some(&user));
    assert_eq!(store.user(UserId::random()).await.expect(WORKS), None);
    let shouted = user.name.to_ascii_uppercase();
    assert_eq!(store.user_by_name(&shouted).await.expect(WORKS).as_ref(), Some(&user));
    assert_eq!(store.user_by_name("nobody' OR 1=1 --").await.expect(WORKS), None);

    let twin = User { id: UserId::random(), name: shouted, ..user.clone() };
    assert!(is_conflict(&store.insert_user(&twin).await, UniqueKey::UserName));
    assert!(is_conflict(&store.insert_user(&user).await, UniqueKey::UserName));

    let names =
        |users: Vec<User>| users.into_iter().map(|user| user.name.to_ascii_lowercase()).collect::<Vec<_>>();
    let listed = names(store.users().await.expect(WORKS));
    assert!(listed.is_sorted() && listed.contains(&user.name.to_ascii_lowercase()));

    store.remove_user(user.id).await.expect(WORKS);
    store.remove_user(user.id).await.expect("removing again is success");
    assert_eq!(store.user(user.id).await.expect(WORKS), None);
    store.insert_user(&twin).await.expect("the name is free again");
}

async fn user_updates(store: &dyn Store) {
    let (user, other) = (added_user(store).await, added_user(store).await);
    let changed = User {
        name: format!("{} II", user.name),
        role: Role::Admin,
        password_hash: random_token(),
        disabled: true,
        last_login_at: Some(clock::now()),
        must_change: true,
        limits: UserLimits {
            max_sessions: Some(0),
            max_cpus: Some(1.5),
            max_memory_mib: Some(4096),
            templates: Some(["desktop".parse().expect("a valid template name")].into()),
        },
        preferences: Preferences { language: Some(Language::French), look: Some(Look::Dark) },
        ..user.clone()
    };
    store.update_user(&changed).await.expect(WORKS);
    assert_eq!(store.user(user.id).await.expect(WORKS).as_ref(), Some(&changed));
    assert_eq!(store.user(other.id).await.expect(WORKS), Some(other.clone()));
    assert!(is_stale(&store.update_user(&sample_user()).await));
    let usurper = User { name: other.name, ..changed };
    assert!(is_conflict(&store.update_user(&usurper).await, UniqueKey::UserName));
}

async fn users_are_found_part_by_part(store: &dyn Store) {
    // Under a name of their own, so that the store need not be empty.
    let group = SessionId::random().to_string();
    let mut all = Vec::new();
    for number in 0..5_u64 {
        let then = clock::later(clock::now(), Duration::from_secs(number % 3));
        let user = User {
            name: format!("{}{number} {group}", if number % 2 == 0 { "n" } else { "N" }),
            role: if number == 0 { Role::Admin } else { Role::User },
            disabled: number == 4,
            created_at: then,
            last_login_at: (number > 1).then_some(then),
            ..sample_user()
        };
        store.insert_user(&user).await.expect(WORKS);
        all.push(user);
    }
    let wanted = UserQuery { search: group.to_ascii_uppercase(), limit: 2, ..UserQuery::default() };
    for order in [UserOrder::Name, UserOrder::Created, UserOrder::LastLogin] {
        let mut expected = all.clone();
        // The newest first; times and names sort as text.
        expected.sort_by(|one, other| {
            let (one, other) = (UserPlace::of(one, order), UserPlace::of(other, order));
            let names = one.name.to_ascii_lowercase().cmp(&other.name.to_ascii_lowercase());
            other.key.cmp(&one.key).then(names)
        });
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let query = UserQuery { order, after: after.take(), ..wanted.clone() };
            let page = store.find_users(&query).await.expect(WORKS);
            assert!(page.total == 5 && page.users.len() <= 2, "{order:?}");
            after = page.users.last().map(|last| UserPlace::of(last, order));
            found.extend(page.users);
            if !page.more {
                break;
            }
        }
        assert_eq!(found, expected, "{order:?}");
        let mut before = found.pop().map(|last| UserPlace::of(&last, order));
        while before.is_some() {
            let query = UserQuery { order, before, ..wanted.clone() };
            let page = store.find_users(&query).await.expect(WORKS);
            assert_eq!(page.users, found.split_off(found.len().saturating_sub(2)), "{order:?} backwards");
            assert_eq!((page.total, page.more), (5, !found.is_empty()), "{order:?} backwards");
            before = page.users.first().filter(|_| page.more).map(|first| UserPlace::of(first, order));
        }
    }
    let names = async |query: UserQuery| {
        let page = store.find_users(&query).await.expect(WORKS);
        (page.total, page.users.len(), page.more)
    };
    assert_eq!(names(UserQuery { role: Some(Role::Admin), ..wanted.clone() }).await, (1, 1, false));
    assert_eq!(names(UserQuery { disabled: Some(false), ..wanted.clone() }).await, (4, 2, true));
    assert_eq!(names(UserQuery { search: format!("%{group}"), ..wanted }).await, (0, 0, false));
}

async fn noted_logins(store: &dyn Store) {
    let user = added_user(store).await;
    let (at, rehashed) = (clock::now(), random_token());
    let first = store.note_login(user.id, at, &user.password_hash, Some(&rehashed)).await;
    first.expect(WORKS);
    let noted = User { last_login_at: Some(at), password_hash: rehashed.clone(), ..user.clone() };
    assert_eq!(store.user(user.id).await.expect(WORKS).as_ref(), Some(&noted));
    assert!(is_stale(&store.note_login(user.id, at, &user.password_hash, None).await), "another password");
    store.note_login(user.id, at, &rehashed, None).await.expect(WORKS);
    store.update_user(&User { disabled: true, ..noted }).await.expect(WORKS);
    assert!(is_stale(&store.note_login(user.id, at, &rehashed, None).await), "disabled");
    assert!(is_stale(&store.note_login(UserId::random(), at, &rehashed, None).await), "gone");
}

async fn logins(store: &dyn Store) {
    let user = added_user(store).await;
    let login = added_login(store, sample_login(user.id)).await;
    assert_eq!(store.login(&login.token).await.expect(WORKS).as_ref(), Some(&login));
    assert_eq!(store.login(&TokenHash([0; 32])).await.expect(WORKS), None);
    assert!(is_stale(&store.insert_login(&sample_login(UserId::random())).await), "its user is gone");
    let orphan = Login { parent: Some(TokenHash([0; 32])), ..sample_login(user.id) };
    assert!(is_stale(&store.insert_login(&orphan).await), "its parent is gone");
    assert_eq!(store.remove_login(&login.token).await.expect(WORKS), vec![login.token]);
    assert_eq!(store.remove_login(&login.token).await.expect(WORKS), Vec::new());
    assert_eq!(store.login(&login.token).await.expect(WORKS), None);
}

async fn logins_end_with_their_parent(store: &dyn Store) {
    let user = added_user(store).await;
    let parent = added_login(store, sample_login(user.id)).await;
    let other = added_login(store, sample_login(user.id)).await;
    let child =
        Login { parent: Some(parent.token), session: Some(SessionId::random()), ..sample_login(user.id) };
    let child = added_login(store, child).await;
    let ticket = sample_ticket(parent.token);
    store.insert_ticket(&ticket).await.expect(WORKS);
    assert_eq!(store.login(&child.token).await.expect(WORKS).as_ref(), Some(&child));

    let listed = store.logins_of(user.id).await.expect(WORKS);
    assert!(listed == [other.clone(), parent.clone()] || listed == [parent.clone(), other.clone()]);
    assert!(listed.is_sorted_by(|newer, older| newer.created_at >= older.created_at));

    let ended = store.remove_login(&parent.token).await.expect(WORKS);
    assert!(ended.len() == 2 && ended.contains(&parent.token) && ended.contains(&child.token));
    assert_eq!(store.login(&child.token).await.expect(WORKS), None);
    assert_eq!(store.take_ticket(&ticket.token).await.expect(WORKS), None);
    assert!(store.login(&other.token).await.expect(WORKS).is_some());
}

async fn logins_end_with_their_user(store: &dyn Store) {
    let (user, other) = (added_user(store).await, added_user(store).await);
    let kept = added_login(store, sample_login(other.id)).await;
    let first = added_login(store, sample_login(user.id)).await;
    let second = added_login(store, Login { parent: Some(first.token), ..sample_login(user.id) }).await;
    let ended = store.remove_logins_of(user.id).await.expect(WORKS);
    assert!(ended.len() == 2 && ended.contains(&first.token) && ended.contains(&second.token));
    assert_eq!(store.remove_logins_of(user.id).await.expect(WORKS), Vec::new());

    let third = added_login(store, sample_login(user.id)).await;
    let ticket = sample_ticket(third.token);
    store.insert_ticket(&ticket).await.expect(WORKS);
    store.remove_user(user.id).await.expect(WORKS);
    assert_eq!(store.login(&third.token).await.expect(WORKS), None);
    assert_eq!(store.take_ticket(&ticket.token).await.expect(WORKS), None);
    assert!(store.login(&kept.token).await.expect(WORKS).is_some());
}

async fn lapsed_are_purged(store: &dyn Store) {
    let user = added_user(store).await;
    // Long ago, so that nothing else in the store lapses with them.
    let then: Timestamp = "2001-01-01T00:00:00.5Z".parse().expect("a valid time");
    let early = Login { expires_at: then, ..sample_login(user.id) };
    let early = added_login(store, early).await;
    let child = Login { parent: Some(early.token), expires_at: then, ..sample_login(user.id) };
    let child = added_login(store, child).await;
    let live = added_login(store, sample_login(user.id)).await;
    let ticket = Ticket { expires_at: then, ..sample_ticket(live.token) };
    store.insert_ticket(&ticket).await.expect(WORKS);

    assert_eq!(store.purge_lapsed(then).await.expect(WORKS), 0, "not before its time has passed");
    assert!(store.login(&early.token).await.expect(WORKS).is_some(), "a lapsed login is still told");
    let after = clock::later(then, Duration::from_nanos(1));
    assert_eq!(store.purge_lapsed(after).await.expect(WORKS), 2);
    for token in [early.token, child.token] {
        assert_eq!(store.login(&token).await.expect(WORKS), None);
    }
    assert_eq!(store.take_ticket(&ticket.token).await.expect(WORKS), None);
    assert!(store.login(&live.token).await.expect(WORKS).is_some());
}

fn sample_ticket(login: TokenHash) -> Ticket {
    Ticket {
        token: TokenHash::of(random_token().expose()),
        login,
        session: SessionId::random(),
        expires_at: clock::later(clock::now(), Duration::from_secs(30)),
    }
}

async fn tickets_work_once(store: &dyn Store) {
    let user = added_user(store).await;
    let login = added_login(store, sample_login(user.id)).await;
    let ticket = sample_ticket(login.token);
    store.insert_ticket(&ticket).await.expect(WORKS);
    let takers = (0..RACERS).map(|_| store.take_ticket(&ticket.token));
    let taken: Vec<Ticket> =
        join_all(takers).await.into_iter().filter_map(|taken| taken.expect(WORKS)).collect();
    assert_eq!(taken, [ticket]);
    assert!(is_stale(&store.insert_ticket(&sample_ticket(TokenHash([0; 32]))).await), "its login is gone");
}

async fn sessions(store: &dyn Store) {
    let owner = UserId::random();
    let session = sample_session(owner);
    store.insert_session(&session).await.expect(WORKS);
    assert_eq!(store.session(session.id).await.expect(WORKS).as_ref(), Some(&session));
    assert_eq!(store.session_by_label(&session.label).await.expect(WORKS).as_ref(), Some(&session));
    assert_eq!(store.session(SessionId::random()).await.expect(WORKS), None);
    let elsewhere = Label::from_random(&random_bytes());
    assert_eq!(store.session_by_label(&elsewhere).await.expect(WORKS), None);

    let older = Session {
        created_at: "2001-01-01T00:00:00Z".parse().expect("a valid time"),
        ..sample_session(owner)
    };
    store.insert_session(&older).await.expect(WORKS);
    let listed: Vec<SessionId> =
        store.sessions().await.expect(WORKS).iter().map(|session| session.id).collect();
    let place = |id| listed.iter().position(|listed| *listed == id);
    assert!(place(older.id).is_some() && place(older.id) < place(session.id), "oldest first");

    let stopped = Session { state: State::Stopped { reason: StopReason::Away }, ..session.clone() };
    assert_eq!(store.update_session(&stopped).await.expect(WORKS), session.version + 1);
    let stored = store.session(session.id).await.expect(WORKS);
    assert_eq!(stored, Some(Session { version: session.version + 1, ..stopped.clone() }));
    assert!(is_stale(&store.update_session(&stopped).await), "the version is used");

    store.remove_session(session.id).await.expect(WORKS);
    store.remove_session(session.id).await.expect("removing again is success");
    assert_eq!(store.session(session.id).await.expect(WORKS), None);
    assert!(is_stale(&store.update_session(&stopped).await), "it is gone");
    store.insert_session(&session).await.expect("its keys are free again");
}

async fn session_keys_are_unique(store: &dyn Store) {
    let session = sample_session(UserId::random());
    store.insert_session(&session).await.expect(WORKS);
    let same_name = Session { name: session.name.clone(), ..sample_session(session.owner) };
    assert!(is_conflict(&store.insert_session(&same_name).await, UniqueKey::SessionName));
    let same_label = Session { label: session.label.clone(), ..sample_session(session.owner) };
    assert!(is_conflict(&store.insert_session(&same_label).await, UniqueKey::Label));
    let same_id = Session { id: session.id, ..sample_session(session.owner) };
    assert!(is_conflict(&store.insert_session(&same_id).await, UniqueKey::Label));
    let others = Session { owner: UserId::random(), ..same_name };
    store.insert_session(&others).await.expect("another owner may use the name");
}

async fn one_updater_wins_each_version(store: &dyn Store) {
    let session = sample_session(UserId::random());
    store.insert_session(&session).await.expect(WORKS);
    for round in 0..3 {
        let seen = Session { version: session.version + round, ..session.clone() };
        let results = join_all((0..RACERS).map(|_| store.update_session(&seen))).await;
        let won: Vec<&u64> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        assert_eq!(won, [&(seen.version + 1)]);
        assert_eq!(results.iter().filter(|result| is_stale(result)).count(), RACERS - 1);
    }
}

async fn one_of_many_inserts_wins(store: &dyn Store) {
    let owner = UserId::random();
    let name = sample_session(owner).name;
    let wanted: Vec<Session> =
        (0..RACERS).map(|_| Session { name: name.clone(), ..sample_session(owner) }).collect();
    let results = join_all(wanted.iter().map(|session| store.insert_session(session))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let refused = results.iter().filter(|result| is_conflict(result, UniqueKey::SessionName));
    assert_eq!(refused.count(), RACERS - 1);
}

async fn added_session(store: &dyn Store) -> Session {
    let session = sample_session(UserId::random());
    store.insert_session(&session).await.expect(WORKS);
    session
}

async fn grant_exists(store: &dyn Store, id: GrantId) -> bool {
    store.grants().await.expect(WORKS).iter().any(|grant| grant.id == id)
}

async fn grants(store: &dyn Store) {
    let (session, other) = (added_session(store).await, added_session(store).await);
    let (user, second) = (added_user(store).await, added_user(store).await);
    let expires_at = Some(clock::later(clock::now(), Duration::from_secs(60)));
    let grant = Grant { role: GrantRole::Helper, expires_at, ..sample_grant(session.id, &user) };
    store.insert_grant(&grant).await.expect(WORKS);
    let stored = store.grants().await.expect(WORKS).into_iter().find(|stored| stored.id == grant.id);
    assert_eq!(stored.as_ref(), Some(&grant));

    let again = sample_grant(session.id, &user);
    assert!(is_conflict(&store.insert_grant(&again).await, UniqueKey::Grant), "one per session and user");
    store.insert_grant(&sample_grant(other.id, &user)).await.expect("another session");
    let older = Grant {
        created_at: "2001-01-01T00:00:00Z".parse().expect("a valid time"),
        ..sample_grant(session.id, &second)
    };
    store.insert_grant(&older).await.expect("another user");
    let listed: Vec<GrantId> = store.grants().await.expect(WORKS).iter().map(|grant| grant.id).collect();
    let place = |id| listed.iter().position(|listed| *listed == id);
    assert!(place(older.id).is_some() && place(older.id) < place(grant.id), "oldest first");

    assert!(is_stale(&store.insert_grant(&sample_grant(SessionId::random(), &user)).await), "no session");
    assert!(is_stale(&store.insert_grant(&sample_grant(session.id, &sample_user())).await), "no user");

    store.remove_grant(grant.id).await.expect(WORKS);
    store.remove_grant(grant.id).await.expect("removing again is success");
    assert!(!grant_exists(store, grant.id).await && grant_exists(store, older.id).await);
    store.insert_grant(&again).await.expect("it may be given again");
}

async fn grants_go_with_session_and_grantee(store: &dyn Store) {
    let (session, other) = (added_session(store).await, added_session(store).await);
    let (user, second) = (added_user(store).await, added_user(store).await);
    let grants = [
        sample_grant(session.id, &user),
        sample_grant(session.id, &second),
        sample_grant(other.id, &user),
        sample_grant(other.id, &second),
    ];
    for grant in &grants {
        store.insert_grant(grant).await.expect(WORKS);
    }
    let left = async || {
        let mut left = Vec::new();
        for grant in &grants {
            left.push(grant_exists(store, grant.id).await);
        }
        left
    };
    // An update of the session's record is no removal.
    store.update_session(&session).await.expect(WORKS);
    assert_eq!(left().await, [true, true, true, true]);
    store.remove_session(session.id).await.expect(WORKS);
    assert_eq!(left().await, [false, false, true, true]);
    store.remove_user(user.id).await.expect(WORKS);
    assert_eq!(left().await, [false, false, false, true]);
}

async fn lapsed_grants_are_purged(store: &dyn Store) {
    let session = added_session(store).await;
    // Long ago, so that nothing else in the store lapses with it.
    let then: Timestamp = "2001-01-01T00:00:00.5Z".parse().expect("a valid time");
    let early = Grant { expires_at: Some(then), ..sample_grant(session.id, &added_user(store).await) };
    let endless = sample_grant(session.id, &added_user(store).await);
    for grant in [&early, &endless] {
        store.insert_grant(grant).await.expect(WORKS);
    }
    let before = clock::earlier(then, Duration::from_nanos(1)).expect("a valid time");
    assert_eq!(store.purge_grants(before).await.expect(WORKS), 0, "not before its time");
    assert_eq!(store.purge_grants(then).await.expect(WORKS), 1);
    assert!(!grant_exists(store, early.id).await && grant_exists(store, endless.id).await);
}

async fn clients_have_one_session_each(store: &dyn Store) {
    let owner = UserId::random();
    let unique = SessionId::random();
    let ids = ["kiosk", "Kiosk", "kiosk ", "kіosk", "ki\u{2060}osk", "a/b", "a%2Fb", "e\u{301}", "é", "\0"];
    for id in ids {
        let client: ClientId = format!("{id}{unique}{}", "x".repeat(300)).parse().expect("any text is an id");
        let session = Session { client: Some(client), ..sample_session(owner) };
        store.insert_session(&session).await.expect("what only looks alike is another client");
        let twin = Session { client: session.client.clone(), ..sample_session(owner) };
        assert!(is_conflict(&store.insert_session(&twin).await, UniqueKey::Client), "{id}");
        assert_eq!(store.session(session.id).await.expect(WORKS).as_ref(), Some(&session));
        store.remove_session(session.id).await.expect(WORKS);
        store.insert_session(&twin).await.expect("the client is free again");
    }
    for _ in 0..2 {
        store.insert_session(&sample_session(owner)).await.expect("no client is no key");
    }
}

async fn links(store: &dyn Store) {
    let (link, other) = (sample_link(), Link { action: LinkAction::RemoveAll, uses: 2, ..sample_link() });
    for link in [&link, &other] {
        store.insert_link(link).await.expect(WORKS);
        assert_eq!(store.link(&link.token).await.expect(WORKS).as_ref(), Some(link));
    }
    let all = store.links().await.expect(WORKS);
    assert!(all.contains(&link) && all.contains(&other));
    assert_eq!(store.link(&TokenHash::of("none")).await.expect(WORKS), None);

    let used = Link { used: 1, ..other.clone() };
    assert_eq!(store.take_link(&other.token, clock::now()).await.expect(WORKS), Some(used.clone()));
    store.give_link_back(other.id).await.expect(WORKS);
    store.give_link_back(other.id).await.expect("what was not used is not given back");
    assert_eq!(store.link(&other.token).await.expect(WORKS), Some(other.clone()));
    assert_eq!(store.take_link(&other.token, other.expires_at).await.expect(WORKS), None, "it has lapsed");

    assert_eq!(store.remove_link(link.id).await.expect(WORKS), Some(link.clone()));
    assert_eq!(store.remove_link(link.id).await.expect(WORKS), None);
    assert_eq!(store.take_link(&link.token, clock::now()).await.expect(WORKS), None);
    store.purge_links(clock::later(other.expires_at, Duration::from_secs(1))).await.expect(WORKS);
    assert_eq!(store.link(&other.token).await.expect(WORKS), None);
}

async fn one_of_many_takes_each_use(store: &dyn Store) {
    let link = Link { uses: 3, ..sample_link() };
    store.insert_link(&link).await.expect(WORKS);
    let takes = (0..RACERS).map(|_| store.take_link(&link.token, link.created_at));
    let had = join_all(takes).await.into_iter().filter(|taken| matches!(taken, Ok(Some(_)))).count();
    assert_eq!(had, 3);
}

/// An invitation to watch `session` within the next hour, for any number of people.
#[must_use]
pub fn sample_invitation(session: SessionId) -> Invitation {
    Invitation {
        id: InvitationId::random(),
        session,
        role: GrantRole::Observer,
        most: None,
        made_by: "Ann «ü» '".to_owned(),
        created_at: clock::now(),
        expires_at: clock::later(clock::now(), Duration::from_secs(3600)),
    }
}

async fn statistics_are_kept(store: &dyn Store) {
    let [one, other] = [1, 2].map(|nth| format!("test:{nth}:{}", SessionId::random()));
    let point = |subject: &str, span, at, value| StatPoint {
        subject: subject.to_owned(),
        span,
        at,
        values: vec![value, -0.5, f32::INFINITY],
    };
    let all = async || {
        let mut stats = store.stats().await.expect(WORKS);
        stats.retain(|point| point.subject == one || point.subject == other);
        stats.sort_by(|a, b| (&a.subject, a.span, a.at).cmp(&(&b.subject, b.span, b.at)));
        stats
    };
    let points = [
        point(&one, StatSpan::Hour, 15, 1.0),
        point(&one, StatSpan::Hour, 30, 2.0),
        point(&one, StatSpan::Month, 15, 3.0),
        point(&other, StatSpan::Hour, 15, 4.0),
    ];
    store.keep_stats(&points, &[], &[]).await.expect(WORKS);
    assert_eq!(all().await, points);
    let again = point(&one, StatSpan::Hour, 30, 5.0);
    store.keep_stats(std::slice::from_ref(&again), &[(StatSpan::Hour, 30)], &[]).await.expect(WORKS);
    assert_eq!(all().await, [again, points[2].clone()], "replaced, and the older of that span forgotten");
    store.keep_stats(&points[3..], &[], std::slice::from_ref(&one)).await.expect(WORKS);
    assert_eq!(all().await, &points[3..]);
    let gap = StatPoint { values: vec![f32::NAN], ..point(&other, StatSpan::Day, 0, 0.0) };
    store.keep_stats(&[gap], &[], &[]).await.expect(WORKS);
    assert!(all().await.iter().any(|point| point.values.first().is_some_and(|value| value.is_nan())));
    store.keep_stats(&[], &[], std::slice::from_ref(&other)).await.expect(WORKS);
    assert_eq!(all().await, []);
}

async fn remembers_that_it_was_restored(store: &dyn Store) {
    assert_eq!(store.restored_at().await.expect(WORKS), None);
    let at = clock::now();
    for noted in [Some(at), Some(clock::later(at, Duration::from_secs(1))), None, None] {
        store.set_restored_at(noted).await.expect(WORKS);
        assert_eq!(store.restored_at().await.expect(WORKS), noted);
    }
}
