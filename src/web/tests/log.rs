//! The page of the audit: found, paged, followed, taken away.

use std::net::{IpAddr, Ipv4Addr};

use http::StatusCode;

use super::desk::Desk;
use super::streams::Stream;
use crate::audit::{Actor, AuditEvent, EventKind, LinkRefusal, Reason, Record, Whose, prove};
use crate::language::Language;
use crate::session::{GrantRole, LinkAction, Routing, StopReason, UserLimits, ViewerRole};
use crate::store::{AuditLine, AuditOrder, AuditSearch, Role, StoreError};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fn rows(page: &str) -> Vec<u64> {
    let ids = page.split("<tr id=\"line-").skip(1);
    ids.filter_map(|rest| rest.split('"').next()?.parse().ok()).collect()
}

fn link(page: &str, rel: &str) -> Option<String> {
    let before =
        page.split(&format!("\" rel=\"{rel}\"")).next().filter(|before| before.len() < page.len())?;
    Some(before.rsplit("href=\"").next()?.replace("&#38;", "&"))
}

/// A desk with an administrator and so many logouts of ann.
async fn desk_with(count: usize) -> Desk {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    for _ in 0..count {
        let record = Record::new(Actor::user("ann", HERE), AuditEvent::Logout).about("ann");
        desk.audit.record(record).await;
    }
    desk
}

#[tokio::test]
async fn lines_are_read_newest_first_under_filters_that_are_in_the_address() {
    let desk = desk_with(3).await;
    let stopped = Record::new(Actor::system(), AuditEvent::stopped(StopReason::Away)).about("kx2mbn");
    desk.audit.record(stopped).await;
    let mut root = desk.log_in("root").await;
    let page = root.get("/admin/log").await;
    let seen = rows(&page.text);
    assert!(seen.len() >= 5 && seen.is_sorted_by(|one, other| one > other), "{seen:?}");
    for words in [
        "\u{2068}ann\u{2069} logged out.",
        "nobody used it for a long time",
        "192.0.2.7",
        "data-outcome=\"ok\"",
    ] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    for (query, count) in [
        ("event=logout", 3),
        ("event=logout&actor=ANN", 3),
        ("event=session_stopped&target=kx2mbn", 1),
        ("event=logout&outcome=refused", 0),
        ("event=logout&since=1h", 3),
        ("event=logout&until=2001-01-01", 0),
    ] {
        assert_eq!(rows(&root.get(&format!("/admin/log?{query}")).await.text).len(), count, "{query}");
    }
    let wrong = root.get("/admin/log?since=soon&actor=%3Cb%3E").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.text.contains("value=\"soon\"") && wrong.text.contains("This is no time"),
        "{}",
        wrong.text
    );
    assert!(wrong.text.contains("value=\"&#60;b&#62;\""), "what was typed is kept");
    root.language = "fr";
    let french = root.get("/admin/log?event=session_stopped").await.text;
    assert!(french.contains("s’est arrêtée. ") && french.contains("Vos fichiers sont conservés"), "{french}");
}

#[tokio::test]
async fn pages_lead_to_older_lines_and_back() {
    let desk = desk_with(120).await;
    let mut root = desk.log_in("root").await;
    let mut page = root.get("/admin/log?event=logout").await.text;
    assert!(page.len() < 100 * 1024, "{} bytes", page.len());
    let mut sizes = vec![rows(&page).len()];
    while let Some(older) = link(&page, "next") {
        page = root.get(&older).await.text;
        assert!(!page.contains("data-events"), "an older page does not move");
        sizes.push(rows(&page).len());
    }
    assert_eq!(sizes, [50, 50, 20]);
    let mut newest = 0;
    while let Some(newer) = link(&page, "prev") {
        page = root.get(&newer).await.text;
        newest = rows(&page)[0];
    }
    assert_eq!(newest, rows(&root.get("/admin/log?event=logout").await.text)[0]);
}

#[tokio::test]
async fn a_line_under_the_filters_appears_while_one_watches() {
    let desk = desk_with(1).await;
    let mut root = desk.log_in("root").await;
    let page = root.get("/admin/log?event=logout&actor=ann").await.text;
    let events = page.split("data-events=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut stream = Stream::open(&mut root, &events.replace("&#38;", "&")).await;
    let logout = |name: &str| Record::new(Actor::user(name, HERE), AuditEvent::Logout).about(name);
    desk.audit.record(logout("bob")).await;
    desk.audit.record(Record::new(Actor::cli(), AuditEvent::GatewayStarted)).await;
    desk.audit.record(logout("ann")).await;
    let (name, row) = stream.next().await.unwrap();
    assert!(name == "line" && row.contains("\u{2068}ann\u{2069} logged out"), "{row}");
    // What another process wrote is found as well.
    let body = r#"{"v":1,"at":"2026-01-01T00:00:00Z","outcome":"ok","event":"logout","actor":"ann"}"#;
    tokio::time::pause();
    desk.store.append_audit(body.to_owned()).await.unwrap();
    let (_, row) = stream.next().await.unwrap();
    assert!(row.contains("2026-01-01 00:00:00 UTC"), "{row}");
    desk.draining.cancel();
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn what_is_filtered_can_be_taken_away_and_that_is_told() {
    let desk = desk_with(60).await;
    let mut root = desk.log_in("root").await;
    for format in ["jsonl", "csv"] {
        let file = root.get(&format!("/admin/log/export?event=logout&actor=ann&format={format}")).await;
        assert!(file.header("content-disposition").contains(&format!("audit.{format}")));
        assert_eq!(prove(&file.text).unwrap().lines, 60, "{}", file.text);
    }
    let search = AuditSearch { events: vec![EventKind::AuditExported], ..AuditSearch::default() };
    let told = desk.store.find_audit(&search, AuditOrder::OldestFirst, 10).await.unwrap();
    assert_eq!(told.len(), 2);
    assert!(told[1].body.contains("\"search\":\"event=logout&actor=ann&format=csv\""), "{}", told[1].body);
}

#[tokio::test]
async fn nothing_that_stands_in_a_line_becomes_markup_or_turns_the_text_around() {
    let desk = desk_with(0).await;
    let hostile = "</pre><script>alert(1)</script>\u{202e}\u{2067}\u{1b}[2J\n\"'";
    let reason = Reason::of(&StoreError::Unavailable { detail: hostile.to_owned() });
    let event =
        AuditEvent::SessionNotCreated { template: hostile.to_owned(), name: hostile.to_owned(), reason };
    let actor = Actor { name: hostile.to_owned(), address: None };
    desk.audit.record(Record::new(actor, event).about(hostile)).await;
    let forged = AuditLine { number: 0, hash: String::new(), body: format!("no JSON {hostile}") };
    desk.store.append_audit(forged.body).await.unwrap();
    let mut root = desk.log_in("root").await;
    let page = root.get("/admin/log").await.text;
    assert!(
        !page.contains("<script>alert") && !page.contains("\u{202e}") && !page.contains('\u{1b}'),
        "{page}"
    );
    assert!(page.contains("\\u202e") && page.contains("the store cannot work now"), "{page}");
    let isolated = page.matches('\u{2068}').count();
    assert_eq!(isolated, page.matches('\u{2069}').count());
}

/// One event of each kind, with everything that it may have.
#[allow(clippy::too_many_lines, reason = "a line for each event")]
fn every_event() -> Vec<AuditEvent> {
    let text = || "x".to_owned();
    let reason = || Reason::of(&StoreError::Stale);
    let whose = || Whose { owner: text(), name: text(), client_id: Some(text()) };
    let kinds = |kind: EventKind| match kind {
        EventKind::AccessRefused => AuditEvent::AccessRefused { code: "x" },
        EventKind::AuditExported => AuditEvent::AuditExported { search: text() },
        EventKind::AuditTrimmed => {
            AuditEvent::AuditTrimmed { lines: 3, first: 1, through: 3, hash: text(), keep_days: 30 }
        }
        EventKind::BackupFailed => AuditEvent::BackupFailed { detail: text() },
        EventKind::BackupMade => AuditEvent::BackupMade { parts: vec!["store"], bytes: 3 },
        EventKind::ConfigDanger => AuditEvent::ConfigDanger { key: text() },
        EventKind::EntryGiven => AuditEvent::EntryGiven,
        EventKind::GatewayStarted => AuditEvent::GatewayStarted,
        EventKind::GatewayStopped => AuditEvent::GatewayStopped,
        EventKind::GrantCreated => {
            AuditEvent::GrantCreated { grantee: text(), role: GrantRole::Helper, expires_at: None }
        }
        EventKind::GrantLapsed => AuditEvent::GrantLapsed { grantee: text(), role: GrantRole::Helper },
        EventKind::GrantNotCreated => AuditEvent::GrantNotCreated { grantee: text(), reason: reason() },
        EventKind::GrantWithdrawn => AuditEvent::GrantWithdrawn { grantee: text(), role: GrantRole::Helper },
        EventKind::HomeRemoved => AuditEvent::HomeRemoved,
        EventKind::HomeNotRestored => AuditEvent::HomeNotRestored { copy: text(), reason: reason() },
        EventKind::HomeRestored => AuditEvent::HomeRestored { copy: text() },
        EventKind::HomeSetAside => AuditEvent::HomeSetAside { copy: text() },
        EventKind::ImageNotPulled => {
            AuditEvent::ImageNotPulled { template: text(), image: text(), detail: text() }
        }
        EventKind::ImagePulled => {
            AuditEvent::ImagePulled { template: text(), image: text(), id: text(), digest: None }
        }
        EventKind::InvitationCreated => AuditEvent::InvitationCreated {
            role: GrantRole::Helper,
            most: None,
            expires_at: crate::clock::now(),
        },
        EventKind::InvitationNotCreated => AuditEvent::InvitationNotCreated { reason: reason() },
        EventKind::InvitationRefused => AuditEvent::InvitationRefused { code: "x" },
        EventKind::InvitationUsed => AuditEvent::InvitationUsed { role: GrantRole::Helper },
        EventKind::InvitationWithdrawn => AuditEvent::InvitationWithdrawn { role: GrantRole::Helper },
        EventKind::LinkCreated => AuditEvent::LinkCreated {
            action: LinkAction::RemoveAll,
            uses: 1,
            expires_at: crate::clock::now(),
        },
        EventKind::LinkRefused => {
            AuditEvent::LinkRefused { action: LinkAction::RemoveAll, reason: LinkRefusal::Used }
        }
        EventKind::LinkRevoked => AuditEvent::LinkRevoked { action: LinkAction::RemoveAll },
        EventKind::LinkUsed => AuditEvent::LinkUsed { action: LinkAction::RemoveAll },
        EventKind::LoginEnded => AuditEvent::LoginEnded { made_from: text() },
        EventKind::LoginOk => AuditEvent::LoginOk,
        EventKind::LoginRefused => {
            AuditEvent::LoginRefused { reason: crate::audit::LoginRefusal::WrongPassword }
        }
        EventKind::Logout => AuditEvent::Logout,
        EventKind::RestoreFailed => AuditEvent::RestoreFailed { detail: text() },
        EventKind::Restored => AuditEvent::Restored {
            made_at: crate::clock::now(),
            parts: vec!["store"],
            logins_ended: 1,
            replaced: None,
        },
        EventKind::SessionCreated => AuditEvent::SessionCreated { template: text(), whose: whose() },
        EventKind::SessionExtended => AuditEvent::SessionExtended { by_s: 600 },
        EventKind::SessionFailed => AuditEvent::failed(&crate::session::FailReason::EngineDown),
        EventKind::SessionNotChanged => AuditEvent::SessionNotChanged { change: "start", reason: reason() },
        EventKind::SessionNotCreated => {
            AuditEvent::SessionNotCreated { template: text(), name: text(), reason: reason() }
        }
        EventKind::SessionNotEnded => AuditEvent::SessionNotEnded { change: "remove", reason: reason() },
        EventKind::SessionPaused => AuditEvent::SessionPaused,
        EventKind::SessionReady => AuditEvent::SessionReady,
        EventKind::SessionRemoved => AuditEvent::SessionRemoved { whose: whose() },
        EventKind::SessionReset => AuditEvent::SessionReset { home: true },
        EventKind::SessionRestarted => AuditEvent::SessionRestarted,
        EventKind::SessionResumed => AuditEvent::SessionResumed,
        EventKind::SessionStarted => AuditEvent::SessionStarted,
        EventKind::SessionStopped => AuditEvent::stopped(StopReason::Away),
        EventKind::TokenCreated => {
            AuditEvent::TokenCreated { scopes: text(), user: Some(text()), expires_at: None }
        }
        EventKind::TokenRefused => AuditEvent::TokenRefused { scopes: text() },
        EventKind::TokenRevoked => AuditEvent::TokenRevoked,
        EventKind::UserCreated => AuditEvent::UserCreated { role: Role::User },
        EventKind::UserDisabled => AuditEvent::UserDisabled,
        EventKind::UserEnabled => AuditEvent::UserEnabled,
        EventKind::UserLimitsChanged => AuditEvent::UserLimitsChanged { limits: Default::default() },
        EventKind::UserPasswordChanged => AuditEvent::UserPasswordChanged,
        EventKind::UserRemoved => AuditEvent::UserRemoved,
        EventKind::UserRefused => AuditEvent::UserRefused { change: "create", reason: reason() },
        EventKind::UserRoleChanged => AuditEvent::UserRoleChanged { role: Role::Admin },
        EventKind::UsersImported => AuditEvent::UsersImported { created: 1, changed: 1, refused: 1 },
        EventKind::ViewOnlyAttempt => AuditEvent::ViewOnlyAttempt { count: 3 },
        EventKind::ViewerJoined => AuditEvent::ViewerJoined { role: ViewerRole::Observer },
        EventKind::ViewerLeft => AuditEvent::ViewerLeft { role: ViewerRole::Observer, after_s: 60 },
    };
    EventKind::ALL.map(kinds).into()
}

#[tokio::test]
async fn every_event_is_a_sentence_in_every_language() {
    let desk = desk_with(0).await;
    for event in every_event() {
        let kind = event.kind();
        desk.audit.record(Record::new(Actor::user("ann", HERE), event).about("kx2mbn")).await;
        let search = AuditSearch { events: vec![kind], ..AuditSearch::default() };
        let found = desk.store.find_audit(&search, AuditOrder::NewestFirst, 1).await.unwrap();
        assert_eq!(found.len(), 1, "{kind:?} is written under its name");
    }
    let mut root = desk.log_in("root").await;
    for language in [Language::English, Language::French] {
        root.language = language.tag();
        let (mut page, mut seen) = (root.get("/admin/log").await.text, 0);
        loop {
            seen += rows(&page).len();
            // A placeable without its argument, or a message without its text, would stand there.
            assert!(!page.contains("{$") && !page.contains("{ $") && !page.contains(">log-"), "{page}");
            let Some(older) = link(&page, "next") else { break };
            page = root.get(&older).await.text;
        }
        assert!(seen >= EventKind::ALL.len(), "each is on a page");
    }
}

/// What a page shows of some events: sentence and note of each row, newest first, without markup.
async fn shown(desk: &Desk, language: Language) -> Vec<String> {
    let mut root = desk.log_in("root").await;
    root.language = language.tag();
    let page = root.get("/admin/log?target=kx2mbn").await.text;
    let cell = |row: &str| row.split("<details").next().unwrap_or_default().to_owned();
    let rows: Vec<_> = page.split("<tr id=\"line-").skip(1).map(cell).collect();
    let bare = |row: &String| {
        let texts = row.split('<').filter_map(|piece| Some(piece.split_once('>')?.1));
        texts.collect::<Vec<_>>().join(" ").replace(['\u{2068}', '\u{2069}'], "")
    };
    rows.iter().map(bare).collect()
}

#[tokio::test]
async fn a_line_says_how_it_ended_and_why() {
    let desk = desk_with(0).await;
    let client = || "lobby".parse().unwrap();
    let limits =
        UserLimits { max_sessions: Some(3), templates: Some(Default::default()), ..Default::default() };
    let reason = Reason::of(&StoreError::Unavailable { detail: "the disk is full".to_owned() });
    let whose = Whose { owner: "bob".to_owned(), name: "mine".to_owned(), client_id: None };
    let day = crate::clock::now();
    for (event, said) in [
        (AuditEvent::UserRefused { change: "remove", reason: reason.clone() }, "not to the end. STORE"),
        (
            AuditEvent::SessionNotEnded { change: "remove", reason },
            "delete kx2mbn; it has not worked yet STORE",
        ),
        (AuditEvent::AccessRefused { code: "admin_only" }, "which is for administrators alone."),
        (AuditEvent::InvitationRefused { code: "invitation_spent" }, "whose places are all taken"),
        (
            AuditEvent::LinkRefused { action: LinkAction::Access(client()), reason: LinkRefusal::Used },
            "the machine of the client lobby. It did nothing: it had been used as often as it may.",
        ),
        (
            AuditEvent::LinkCreated { action: LinkAction::Remove(client()), uses: 2, expires_at: day },
            "removes the machine of the client lobby, good for 2 uses.",
        ),
        (AuditEvent::LinkUsed { action: LinkAction::RemoveAll }, "removes the machines of all clients."),
        (
            AuditEvent::TokenCreated { scopes: "stats users".to_owned(), user: None, expires_at: None },
            "which acts as nobody. It may be used for: stats users",
        ),
        (
            AuditEvent::UserLimitsChanged { limits },
            "machines 3, cores as in general, memory in MiB as in general, machine types none.",
        ),
        (
            AuditEvent::UsersImported { created: 2, changed: 1, refused: 4 },
            "2 created, 1 changed, 4 refused.",
        ),
        (AuditEvent::BackupMade { parts: vec!["store", "homes"], bytes: 3 << 20 }, "database, homes; 3 MB."),
        (
            AuditEvent::SessionCreated { template: "desktop".to_owned(), whose: whose.clone() },
            "created “mine” (kx2mbn) for bob, made from desktop.",
        ),
        (AuditEvent::SessionRemoved { whose }, "deleted “mine” (kx2mbn) of bob."),
        (AuditEvent::SessionReset { home: false }, "reset kx2mbn: all but its home"),
    ] {
        desk.audit.record(Record::new(Actor::user("ann", HERE), event).about("kx2mbn")).await;
        let row = shown(&desk, Language::English).await.remove(0);
        for words in said.split("STORE") {
            assert!(row.contains(words.trim()), "{words}: {row}");
        }
        assert!(!said.contains("STORE") || row.contains("the disk is full"), "{row}");
    }
}

#[tokio::test]
async fn lines_of_before_are_read_and_shown() {
    let desk = desk_with(0).await;
    for (event, said, french) in [
        (
            r#""event":"session_created","template":"desktop""#,
            "ann created kx2mbn, made from",
            "ann a créé kx2mbn à",
        ),
        (r#""event":"session_removed""#, "ann deleted kx2mbn.", "ann a supprimé kx2mbn."),
        (r#""event":"user_refused","code":"last_admin""#, "it was refused. last_admin", "refusé. last_admin"),
    ] {
        let body = format!(
            r#"{{"v":1,"at":"2026-01-01T00:00:00Z","outcome":"ok",{event},"actor":"ann","target":"kx2mbn"}}"#
        );
        desk.store.append_audit(body).await.unwrap();
        for (language, said) in [(Language::English, said), (Language::French, french)] {
            let row = shown(&desk, language).await.remove(0);
            let words = row.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(said), "{said}: {words}");
        }
    }
}

#[tokio::test]
async fn events_are_chosen_by_a_name_in_the_readers_language() {
    let desk = desk_with(0).await;
    let mut root = desk.log_in("root").await;
    for (language, name) in
        [(Language::English, "Machine reset"), (Language::French, "Machine remise à neuf")]
    {
        root.language = language.tag();
        let page = root.get("/admin/log?event=session_reset").await.text;
        assert!(
            page.contains(&format!("<option value=\"session_reset\" selected>{name}</option>")),
            "{page}"
        );
        let coded =
            EventKind::ALL.into_iter().find(|kind| page.contains(&format!(">{}</option>", kind.name())));
        assert_eq!(coded, None, "no code stands for a name");
    }
}
