//! What every store must do with the audit: one chain, found by what its lines say, cut from the
//! front.

use futures_util::future::join_all;
use jiff::Timestamp;

use super::{RACERS, WORKS, is_stale};
use crate::audit::{EventKind, GENESIS, Outcome, chain};
use crate::session::SessionId;
use crate::store::{AuditLine, AuditOrder, AuditSearch, Store};

pub(super) async fn run(store: &dyn Store) {
    has_no_gaps(store).await;
    is_found_by_what_it_says(store).await;
    is_read_backwards_in_pages(store).await;
    // Last: it takes the lines of all others away.
    is_cut_from_the_front(store).await;
}

async fn has_no_gaps(store: &dyn Store) {
    let first = store.append_audit("{\"first\":true}".to_owned()).await.expect(WORKS);
    let before = store.audit(first.number - 1, 1).await.expect(WORKS);
    assert_eq!(before, std::slice::from_ref(&first));
    if first.number == 1 {
        assert_eq!(first.hash, chain(GENESIS, &first.body));
    }
    let appends = (0..RACERS).map(|racer| store.append_audit(format!("{{\"racer\":{racer}}}")));
    let mut appended: Vec<_> = join_all(appends).await.into_iter().map(|line| line.expect(WORKS)).collect();
    appended.sort_by_key(|line| line.number);
    let stored = store.audit(first.number, RACERS).await.expect(WORKS);
    assert_eq!(stored, appended);
    let mut prev = first;
    for line in stored {
        assert_eq!(line.number, prev.number + 1);
        assert_eq!(line.hash, chain(&prev.hash, &line.body));
        prev = line;
    }
    assert_eq!(store.audit(prev.number, 10).await.expect(WORKS), []);
    assert_eq!(store.audit(u64::MAX, 10).await.expect(WORKS), []);
}

/// A line about `target`, which is the test's own.
async fn line(store: &dyn Store, at: &str, kind: EventKind, outcome: Outcome, target: &str) -> AuditLine {
    let body = serde_json::json!({
        "at": at, "event": kind, "outcome": outcome, "actor": "Ann", "target": target, "v": 1,
    });
    store.append_audit(body.to_string()).await.expect(WORKS)
}

async fn is_found_by_what_it_says(store: &dyn Store) {
    let (one, two) = (format!("{}", SessionId::random()), format!("{}", SessionId::random()));
    let lines = [
        line(store, "2026-01-01T08:00:00Z", EventKind::SessionStarted, Outcome::Ok, &one).await,
        line(store, "2026-01-01T08:00:00.5Z", EventKind::SessionFailed, Outcome::Failed, &one).await,
        line(store, "2026-01-01T08:00:01.25Z", EventKind::AccessRefused, Outcome::Refused, &one).await,
        line(store, "2026-01-01T08:00:02Z", EventKind::SessionStarted, Outcome::Ok, &two).await,
    ];
    // What is no JSON, and what says nothing, fits no search.
    for body in ["no JSON", "{}", "{\"event\":7,\"at\":null,\"target\":[]}"] {
        store.append_audit(body.to_owned()).await.expect(WORKS);
    }
    let at = |text: &str| Some(text.parse::<Timestamp>().expect("a time"));
    let about = |target: &str| AuditSearch { target: Some(target.to_owned()), ..AuditSearch::default() };
    let all = || about(&one);
    use EventKind::{AccessRefused, SessionFailed, SessionStarted};
    for (search, found) in [
        (all(), vec![0, 1, 2]),
        (about(&one.to_uppercase()), vec![0, 1, 2]),
        (about(&two), vec![3]),
        (about("nobody"), vec![]),
        (AuditSearch { actor: Some("ann".to_owned()), ..all() }, vec![0, 1, 2]),
        (AuditSearch { actor: Some("bob".to_owned()), ..all() }, vec![]),
        (AuditSearch { events: vec![SessionStarted], ..all() }, vec![0]),
        (AuditSearch { events: vec![SessionFailed, AccessRefused], ..all() }, vec![1, 2]),
        (AuditSearch { outcome: Some(Outcome::Ok), ..all() }, vec![0]),
        (AuditSearch { outcome: Some(Outcome::Failed), ..all() }, vec![1]),
        (AuditSearch { outcome: Some(Outcome::Refused), ..all() }, vec![2]),
        (AuditSearch { since: at("2026-01-01T08:00:01Z"), ..all() }, vec![2]),
        (AuditSearch { until: at("2026-01-01T08:00:01Z"), ..all() }, vec![0, 1]),
        (AuditSearch { since: at("2026-01-01T09:00:00+01:00"), ..all() }, vec![0, 1, 2]),
        (AuditSearch { after: Some(lines[0].number), ..all() }, vec![1, 2]),
        (AuditSearch { before: Some(lines[1].number), ..all() }, vec![0]),
    ] {
        let expected: Vec<_> = found.iter().map(|index: &usize| lines[*index].clone()).collect();
        let oldest = store.find_audit(&search, AuditOrder::OldestFirst, 100).await.expect(WORKS);
        assert_eq!(oldest, expected, "{search:?}");
        let mut newest = store.find_audit(&search, AuditOrder::NewestFirst, 100).await.expect(WORKS);
        newest.reverse();
        assert_eq!(newest, expected, "{search:?}");
    }
}

async fn is_read_backwards_in_pages(store: &dyn Store) {
    let mine = format!("{}", SessionId::random());
    for _ in 0..7 {
        line(store, "2026-01-01T08:00:00Z", EventKind::Logout, Outcome::Ok, &mine).await;
    }
    let mut search = AuditSearch { target: Some(mine), ..AuditSearch::default() };
    let mut sizes = Vec::new();
    loop {
        let page = store.find_audit(&search, AuditOrder::NewestFirst, 3).await.expect(WORKS);
        let Some(last) = page.last() else { break };
        assert!(page.windows(2).all(|two| two[0].number > two[1].number));
        sizes.push(page.len());
        search.before = Some(last.number);
    }
    assert_eq!(sizes, [3, 3, 1]);
}

async fn is_cut_from_the_front(store: &dyn Store) {
    let kept = store.append_audit("{\"kept\":true}".to_owned()).await.expect(WORKS);
    let first = store.audit(0, 1).await.expect(WORKS)[0].number;
    let through = kept.number - 1;
    let told = || "{\"cut\":true}".to_owned();
    assert!(is_stale(&store.trim_audit(first + 1, through, told()).await), "the front is elsewhere");
    assert!(is_stale(&store.trim_audit(first, kept.number + 10, told()).await), "not what is not there");
    let line = store.trim_audit(first, through, told()).await.expect(WORKS);
    assert_eq!((line.number, line.hash.as_str()), (kept.number + 1, chain(&kept.hash, &line.body).as_str()));
    assert_eq!(store.audit(0, 10).await.expect(WORKS), [kept, line.clone()]);
    assert!(is_stale(&store.trim_audit(first, through, told()).await), "it is cut once");

    // Also when nothing is kept, numbers and chain go on.
    let last = store.trim_audit(line.number - 1, line.number, told()).await.expect(WORKS);
    assert_eq!(store.audit(0, 10).await.expect(WORKS), std::slice::from_ref(&last));
    let next = store.append_audit("{}".to_owned()).await.expect(WORKS);
    assert_eq!((next.number, next.hash), (last.number + 1, chain(&last.hash, "{}")));
}
