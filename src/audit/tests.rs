use super::*;
use crate::session::StopReason;
use crate::store::sqlite::SqliteStore;

async fn recorded(audit: &Audit, store: &dyn Store, record: Record) -> serde_json::Value {
    let before = store.audit(0, usize::MAX).await.unwrap().len() as u64;
    audit.record(record).await;
    serde_json::from_str(&store.audit(before, 1).await.unwrap()[0].body).unwrap()
}

#[tokio::test]
async fn a_line_says_who_did_what_to_what_and_how_it_ended() {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
    let audit = Audit::new(store.clone());
    let event = AuditEvent::stopped(StopReason::Away);
    let line = recorded(&audit, &*store, Record::new(Actor::system(), event).about("bcd")).await;
    assert!(line["at"].as_str().unwrap().parse::<Timestamp>().is_ok());
    let expected = serde_json::json!({"v": 1, "at": line["at"], "event": "session_stopped", "reason": "away",
        "text": "It stopped because nobody used it for a long time. Your files are kept.",
        "actor": "system", "target": "bcd", "outcome": "ok"});
    assert_eq!(line, expected);

    let event = AuditEvent::LoginRefused { reason: LoginRefusal::WrongPassword };
    let actor = Actor::anonymous("192.0.2.7".parse().unwrap());
    let line = recorded(&audit, &*store, Record::new(actor, event).about("ann")).await;
    assert_eq!((&line["address"], &line["outcome"]), (&"192.0.2.7".into(), &"refused".into()));
    assert_eq!(audit.lost(), 0);
}

#[tokio::test]
async fn control_characters_reach_the_line_only_escaped() {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
    let all: String = (0..=0x9f_u32).filter_map(char::from_u32).collect();
    let event = AuditEvent::SessionFailed { code: "engine", text: "", detail: format!("{all}\n{{\"v\":1}}") };
    Audit::new(store.clone()).record(Record::new(Actor::cli(), event.clone()).about("\u{1b}[2J")).await;
    let body = store.audit(0, 1).await.unwrap().remove(0).body;
    assert!(!body.chars().any(char::is_control), "{body:?}");
    let line: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(line["detail"].as_str().unwrap(), format!("{all}\n{{\"v\":1}}"));
}

#[tokio::test]
async fn verify_counts_the_lines_and_names_the_first_broken_one() {
    let store = SqliteStore::in_memory().unwrap();
    assert_eq!(verify(&store).await.unwrap(), 0);
    for number in 1..=1005 {
        store.append_audit(format!("{{\"n\":{number}}}")).await.unwrap();
        if number == 5 {
            assert_eq!(verify(&store).await.unwrap(), 5);
        }
    }
    assert_eq!(verify(&store).await.unwrap(), 1005);

    store.vandalise("DELETE FROM audit WHERE number = 1003").await;
    let broken = verify(&store).await.unwrap_err();
    assert_eq!((broken.number, broken.why.as_str()), (1003, "it is missing"));
    store.vandalise("UPDATE audit SET body = '{}' WHERE number = 7").await;
    assert_eq!(verify(&store).await.unwrap_err().number, 7);
}

#[test]
fn the_chain_is_sha_256_over_the_previous_hash_and_the_body() {
    // printf '%064d' 0 | sha256sum
    assert_eq!(chain(GENESIS, ""), "60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55");
    assert_ne!(chain(GENESIS, "a"), chain(&chain(GENESIS, ""), "a"));
}
