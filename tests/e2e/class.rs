//! The start of a lesson: everybody at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::gateway::{DESKTOP, Gateway, eventually, within};
use crate::viewer::Viewer;

/// A lesson would not wait longer; two cores need about 70 CPU-seconds for 30 desktops.
const LESSON: Duration = Duration::from_secs(300);

/// 30 students log in at the same moment and each creates a desktop; all reach a reachable one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_students_at_once_all_reach_a_desktop() {
    const STUDENTS: usize = 30;
    let lighter = DESKTOP.replace("[[template]]", "[[template]]\nmemory_mib = 1024\ncpus = 1.0");
    let gateway =
        Arc::new(Gateway::builder().template(&lighter).limits("max_parallel_starts = 4").start().await);
    for number in 0..STUDENTS {
        gateway.berth(
            &["user", "add", &format!("s{number}"), "--password-stdin"],
            Some(crate::gateway::PASSWORD),
        );
    }
    let began = Instant::now();
    let mut students = tokio::task::JoinSet::new();
    for number in 0..STUDENTS {
        let gateway = gateway.clone();
        students.spawn(async move {
            let student = gateway.login(&format!("s{number}")).await;
            let label = student.create("desktop", "lesson").await;
            let page = student.page(&format!("/s/{label}/")).await;
            let queued = page.contains("data-phase=\"queued\" class=\"now\"");
            let viewer = within(LESSON, "the desktop is reachable", || async {
                let page = student.client.get(gateway.url(&format!("/s/{label}/"))).send().await.ok()?;
                let text = page.text().await.ok()?;
                assert!(!text.contains("data-state=\"failed\""), "no start fails: {text}");
                if text.contains("id=\"viewer\"") {
                    return Some(Viewer::open(&student, &label).await);
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
                None
            })
            .await;
            eventually("the screen is painted", || async { (viewer.updates() > 2).then_some(()) }).await;
            (began.elapsed(), queued)
        });
    }
    let results = students.join_all().await;
    let slowest = results.iter().map(|(took, _)| *took).max().expect("thirty results");
    let queued = results.iter().filter(|(_, queued)| *queued).count();
    println!(
        "{STUDENTS} students: all reached a desktop, the slowest after {:.1} s, {queued} saw the queue",
        slowest.as_secs_f64()
    );
    assert_eq!(results.len(), STUDENTS);
    assert!(queued > 0, "with four starts at a time somebody waits, and the page says so");
}
