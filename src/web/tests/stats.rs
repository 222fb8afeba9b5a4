//! The pages of statistics and capacity.

use std::time::{Duration, Instant};

use http::StatusCode;

use super::desk::Desk;
use crate::session::{Routing, StateKind};
use crate::stats::HOST;
use crate::store::{Role, StatPoint, StatSpan};

const PAGES: [&str; 4] =
    ["/admin/stats", "/admin/stats?range=day&by=memory", "/admin/stats?range=month", "/admin/capacity"];

#[tokio::test]
async fn only_administrators_see_statistics() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    desk.user("root", Role::Admin).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let of_session = format!("/admin/stats/{}", entry.label);
    let mut browser = desk.log_in("ann").await;
    let mut root = desk.log_in("root").await;
    for page in PAGES.into_iter().chain([of_session.as_str()]) {
        assert_eq!(browser.get(page).await.status, StatusCode::NOT_FOUND, "{page}");
        let answer = root.get(page).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}: before the first sample");
    }
    assert_eq!(root.get("/admin/stats/nobody").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn pictures_have_words_and_numbers_beside_them() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    desk.user("root", Role::Admin).await;
    let entry = desk.session(&ann, "Mine <b>", "desktop", StateKind::Ready).await;
    desk.stats.sample_once().await;
    desk.stats.sample_once().await;
    let mut root = desk.log_in("root").await;
    let page = root.get("/admin/stats?range=day").await.text;
    for part in [
        "role=\"img\" aria-labelledby=\"cpu-title cpu-text\"",
        "<title id=\"memory-title\">Memory</title>",
        "4.0 GB of 16.0 GB",
        "over the last day",
        "aria-current=\"page\">Last day</a>",
        "<th scope=\"col\">Frozen</th>",
        "−24 h",
        "Mine &#60;b&#62;",
        "1 ready",
        "1 succeeded, 0 failed",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let page = root.get(&format!("/admin/stats/{}", entry.label)).await.text;
    for part in ["100 MB of 256 MB", "Network", "data-state=\"ready\"", "?range=month"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let page = root.get("/admin/capacity").await.text;
    for part in ["Bound by", "aria-labelledby=\"bar-memory\"", "Web lab", "GB reserved, "] {
        assert!(page.contains(part), "{part}: {page}");
    }
    root.language = "fr";
    assert!(root.get("/admin/capacity").await.text.contains("Limité par"));
}

/// A month of numbers and a hundred busy machines: the largest page there can be.
#[tokio::test]
async fn the_largest_page_is_small_and_quick() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    let now = crate::clock::now().as_second();
    let mut points = Vec::new();
    for (span, step) in [(StatSpan::Hour, 15), (StatSpan::Day, 300), (StatSpan::Month, 7200)] {
        for nth in (1..400_i64).rev() {
            // Every value differs from its neighbours, as no real one does.
            let value = |metric: usize| ((nth * 7919 + metric as i64 * 104_729) % 97) as f32;
            let values = (0..HOST).map(value).collect();
            let at = now - now % step - nth * step;
            points.push(StatPoint { subject: "host:fake".to_owned(), span, at, values });
        }
    }
    desk.store.keep_stats(&points, &[], &[]).await.unwrap();
    desk.stats.restore().await.unwrap();
    for nth in 0..20 {
        let owner = desk.user(&format!("u{nth}"), Role::User).await;
        desk.session(&owner, "A machine with a name", "desktop", StateKind::Ready).await;
    }
    desk.stats.sample_once().await;
    desk.stats.sample_once().await;
    let mut root = desk.log_in("root").await;
    for page in PAGES {
        let bytes = root.get(page).await.text.len();
        let mut quickest = Duration::MAX;
        for _ in 0..10 {
            let began = Instant::now();
            root.get(page).await;
            quickest = quickest.min(began.elapsed());
        }
        println!("{page}: {bytes} bytes in {quickest:?}");
        assert!(bytes < 100 * 1024, "{page}: {bytes} bytes");
        // Five milliseconds as it is shipped; without optimisation it takes several times that.
        let most = Duration::from_millis(if cfg!(debug_assertions) { 100 } else { 5 });
        assert!(quickest < most, "{page}: {quickest:?}");
    }
}
