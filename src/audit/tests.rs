use super::*;
use crate::session::StopReason;
use crate::store::sqlite::SqliteStore;
use crate::store::{AuditLines, AuditSearch};

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

/// The first line that does not fit, and why.
async fn broken(lines: &dyn AuditLines) -> (u64, String) {
    match verify(lines).await {
        Err(Unverified::Broken { number, why }) => (number, why),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn verify_counts_the_lines_and_names_the_first_broken_one() {
    let store = SqliteStore::in_memory().unwrap();
    assert_eq!(verify(&store).await.unwrap().lines(), 0);
    for number in 1..=1005 {
        store.append_audit(format!("{{\"n\":{number}}}")).await.unwrap();
        if number == 5 {
            assert_eq!(verify(&store).await.unwrap().lines(), 5);
        }
    }
    assert_eq!(verify(&store).await.unwrap().lines(), 1005);

    store.vandalise("DELETE FROM audit WHERE number = 1003").await;
    assert_eq!(broken(&store).await, (1003, "it is missing".to_owned()));
    store.vandalise("UPDATE audit SET body = '{}' WHERE number = 7").await;
    assert_eq!(broken(&store).await.0, 7);
}

#[test]
fn the_chain_is_sha_256_over_the_previous_hash_and_the_body() {
    // printf '%064d' 0 | sha256sum
    assert_eq!(chain(GENESIS, ""), "60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55");
    assert_ne!(chain(GENESIS, "a"), chain(&chain(GENESIS, ""), "a"));
}

/// Lines at these times, oldest first, and the audit that wrote them.
async fn written(times: &[&str]) -> (Audit, Arc<SqliteStore>) {
    let store = Arc::new(SqliteStore::in_memory().unwrap());
    for at in times {
        let body = format!("{{\"at\":\"{at}\",\"event\":\"logout\",\"actor\":\"ann\",\"outcome\":\"ok\"}}");
        store.append_audit(body).await.unwrap();
    }
    (Audit::new(store.clone()), store)
}

const LONG_AGO: &str = "2001-01-01T00:00:00Z";
const FAR_AHEAD: &str = "2200-01-01T00:00:00Z";

#[tokio::test]
async fn old_lines_are_cut_from_the_front_and_the_rest_is_still_proven() {
    let times = [LONG_AGO, LONG_AGO, LONG_AGO, FAR_AHEAD, LONG_AGO, FAR_AHEAD];
    let (audit, store) = written(&times).await;
    let before = store.audit(0, 100).await.unwrap();
    assert_eq!(audit.trim(&Settings { keep_days: 0 }).await.unwrap(), 0, "0 keeps them for ever");
    let keep = Settings { keep_days: 30 };
    assert_eq!(audit.trim(&keep).await.unwrap(), 3);
    assert_eq!(audit.trim(&keep).await.unwrap(), 0, "what stands behind a young line stays");
    let after = store.audit(0, 100).await.unwrap();
    assert_eq!(after[..3], before[3..]);
    let told: serde_json::Value = serde_json::from_str(&after[3].body).unwrap();
    assert_eq!(
        (&told["event"], &told["actor"], &told["lines"], &told["first"], &told["through"], &told["hash"]),
        (
            &"audit_trimmed".into(),
            &"system".into(),
            &3.into(),
            &1.into(),
            &3.into(),
            &before[2].hash.as_str().into()
        )
    );
    let verified = verify(&*store).await.unwrap();
    assert_eq!((verified.first, verified.last, verified.hash.as_str()), (4, 7, after[3].hash.as_str()));
    assert_eq!(*audit.news().borrow(), 7, "followers hear of it");

    // A cut that nobody told of is a break, and so is one that says another hash.
    store.vandalise("DELETE FROM audit WHERE number = 4").await;
    let (number, why) = broken(&*store).await;
    assert!(number == 4 && why.contains("no line says"), "{number}: {why}");
}

#[tokio::test]
async fn a_cut_of_everything_leaves_the_line_that_tells_of_it() {
    let (audit, store) = written(&[LONG_AGO, LONG_AGO]).await;
    assert_eq!(audit.trim(&Settings { keep_days: 1 }).await.unwrap(), 2);
    let left = store.audit(0, 100).await.unwrap();
    assert_eq!((left.len(), left[0].number), (1, 3));
    audit.record(Record::new(Actor::system(), AuditEvent::GatewayStarted)).await;
    assert_eq!(verify(&*store).await.unwrap().lines(), 2);
    store
        .vandalise("UPDATE audit SET body = replace(body, '\"lines\":2', '\"lines\":1') WHERE number = 3")
        .await;
    assert_eq!(broken(&*store).await.0, 3);
}

#[tokio::test]
async fn very_many_lines_are_cut_in_steps() {
    let store = Arc::new(SqliteStore::in_memory().unwrap());
    store
        .vandalise(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10005)
             INSERT INTO audit SELECT i, '{\"at\":\"2001-01-01T00:00:00Z\"}', '' FROM n",
        )
        .await;
    assert_eq!(Audit::new(store.clone()).trim(&Settings { keep_days: 1 }).await.unwrap(), 10_005);
    let left = store.audit(0, 100).await.unwrap();
    assert_eq!(left.iter().map(|line| line.number).collect::<Vec<_>>(), [10_006, 10_007]);
}

async fn exported(store: &Arc<SqliteStore>, search: AuditSearch, format: Format) -> String {
    let mut export = Export::of(store.clone(), search, format).await.unwrap();
    let mut text = String::new();
    while let Some(piece) = export.next().await.unwrap() {
        text.push_str(&piece);
    }
    text
}

#[tokio::test]
async fn an_export_proves_itself() {
    let (audit, store) = written(&["2026-01-01T00:00:00Z"; 600]).await;
    audit.record(Record::new(Actor::cli(), AuditEvent::LoginOk).about("=1+1")).await;
    store.append_audit("no JSON, \"quoted\"".to_owned()).await.unwrap();
    for format in [Format::Jsonl, Format::Csv] {
        let text = exported(&store, AuditSearch::default(), format).await;
        let last = store.audit(601, 1).await.unwrap().remove(0);
        let whole = Proven { lines: 602, first: 1, last: 602, gaps: 0, hash: last.hash };
        assert_eq!(prove(&text).unwrap(), whole, "{format:?}");
        assert!(format == Format::Jsonl || text.contains(",'=1+1,"), "a spreadsheet takes no formula");

        // Changing, dropping or moving a line shows, and names the line.
        let head = usize::from(format == Format::Csv);
        let lines: Vec<&str> = text.lines().collect();
        let without = |number: usize| {
            let kept = lines.iter().enumerate().filter(|(index, _)| *index != number + head - 1);
            kept.map(|(_, line)| format!("{line}\n")).collect::<String>()
        };
        assert_eq!(prove(&without(300)).unwrap().gaps, 1);
        let swapped = text.replace("\"number\":600,", "\"number\":700,").replace("\n600,", "\n700,");
        assert!(prove(&swapped).is_err());
        let changed = text.replacen("ann\"", "bob\"", 1);
        assert_eq!(prove(&changed).unwrap_err().line, 1 + head as u64);
    }
    let search = AuditSearch { events: vec![EventKind::LoginOk], ..AuditSearch::default() };
    let text = exported(&store, search.clone(), Format::Jsonl).await;
    assert_eq!(prove(&text).unwrap().lines, 1);
    let nobody = AuditSearch { actor: Some("nobody".to_owned()), ..search };
    assert_eq!(exported(&store, nobody, Format::Jsonl).await, "");
    assert!(prove("{\"number\":1}").is_err() && prove("").unwrap().lines == 0);
}

#[tokio::test]
async fn an_export_after_a_cut_begins_where_the_audit_begins() {
    let (audit, store) = written(&[LONG_AGO, LONG_AGO, FAR_AHEAD]).await;
    audit.trim(&Settings { keep_days: 1 }).await.unwrap();
    let proven = prove(&exported(&store, AuditSearch::default(), Format::Jsonl).await).unwrap();
    assert_eq!((proven.first, proven.last, proven.gaps), (3, 4, 0));
}

proptest::proptest! {
    /// Whatever text comes from outside, a line stays one line of JSON that says exactly that text,
    /// and nothing that shows it is made to obey it.
    #[test]
    fn nothing_written_into_the_audit_is_obeyed(
        text in "([\\u{0}-\\u{d7ff}\\u{e000}-\\u{10ffff}]|[\\u{0}-\\u{1f}\\u{7f}-\\u{9f}\\u{202a}-\\u{202e}\\u{2066}-\\u{2069}\"\\\\{}])*"
    ) {
        let reason = Reason { code: "engine", text: text.clone(), detail: text.clone(), outcome: Outcome::Failed };
        let event = AuditEvent::SessionNotCreated { template: text.clone(), name: text.clone(), reason };
        let actor = Actor { name: text.clone(), address: None };
        let body = body_of(&Record::new(actor, event).about(text.as_str()));
        proptest::prop_assert!(!body.contains(is_obeyed), "{body:?}");
        let read: serde_json::Value = serde_json::from_str(&body).unwrap();
        for field in ["actor", "target", "template", "name", "text", "detail"] {
            proptest::prop_assert_eq!(read[field].as_str().unwrap(), &text);
        }
        proptest::prop_assert_eq!(&read["outcome"], "failed");
        // Read again for people, in every form.
        let line = AuditLine { number: 7, hash: chain(GENESIS, &body), body };
        let reading = Reading::of(&line);
        for shown in [reading.text("actor"), reading.text("target"), reading.details()] {
            proptest::prop_assert!(!shown.contains(is_obeyed), "{shown:?}");
        }
        proptest::prop_assert_eq!(reading.kind, Some(EventKind::SessionNotCreated));
    }
}
