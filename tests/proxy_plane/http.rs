//! Forwarding: what reaches a container, what comes back, and what ill containers cause.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use berth::audit::Actor;
use berth::revocation::CloseReason;
use berth::session::{Next, State, StopReason};
use berth::store::Role;
use http::{Method, Request, Version};
use http_body_util::{BodyExt, Empty};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::rfb::desktop;
use super::support::{HOST, ORIGIN, Stand, TOKEN, UPGRADE, eventually, field, read_head, says, script};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

fn outcome(answer: &str) -> Option<&str> {
    field(answer, "x-outcome")
}

#[tokio::test]
async fn a_request_reaches_the_container_and_its_answer_comes_back() {
    let stand = Stand::app(says(
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-app: 1\r\nlocation: http://localhost:3000/n\r\n\r\nhi",
    ))
    .await;
    let answer = stand.get("/a/b?c=%20d", "x-own: 1\r\nx-forwarded-for: 6.6.6.6\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhi"), "{answer}");
    assert_eq!(field(&answer, "x-app"), Some("1"));
    assert_eq!(field(&answer, "location"), Some("/n"));
    let head = stand.last_head();
    assert!(head.starts_with("GET /a/b?c=%20d HTTP/1.1\r\n"), "{head}");
    assert_eq!(field(&head, "host"), Some(HOST));
    assert_eq!(field(&head, "x-forwarded-for"), Some("192.0.2.7"));
    assert_eq!(field(&head, "x-own"), Some("1"));
    assert_eq!(field(&head, "cookie"), None);
    assert_eq!(field(&head, "connection"), None);
}

#[tokio::test]
async fn cookies_of_ours_never_leak_even_in_crumbs_over_h2() {
    let stand = Stand::app(says(OK)).await;
    let mut browser = stand.connect_h2().await;
    let request = Request::get(format!("https://{HOST}/"))
        .version(Version::HTTP_2)
        .header("cookie", "a=1")
        .header("cookie", &stand.cookie)
        .header("cookie", "b=2; __Host-berth=other")
        .body(Empty::new())
        .unwrap();
    let answer = browser.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hi");
    assert_eq!(field(&stand.last_head(), "cookie"), Some("a=1; b=2"));
}

/// A script that follows a redirect of ours sends its token along.
#[tokio::test]
async fn a_bearer_token_of_ours_never_reaches_a_container() {
    let stand = Stand::app(says(OK)).await;
    stand.get("/", &format!("authorization: Bearer {TOKEN}\r\n")).await;
    assert_eq!(field(&stand.last_head(), "authorization"), None);
    stand.get("/", "authorization: Bearer the-app-s-own\r\n").await;
    assert_eq!(field(&stand.last_head(), "authorization"), Some("Bearer the-app-s-own"));
}

#[tokio::test]
async fn strangers_are_asked_to_log_in_and_reach_nothing() {
    let stand = Stand::app(says(OK)).await;
    for cookie in ["", "cookie: __Host-berth-session=nonsense\r\n", "cookie: __Host-berth=nonsense\r\n"] {
        let raw = format!("GET / HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{cookie}\r\n");
        assert_eq!(outcome(&stand.exchange(&raw).await), Some("login"));
    }
    assert!(stand.engine.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn head_and_bodiless_statuses_stay_bodiless() {
    let table = [
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n", Some("1234")),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", None),
        ("GET", "HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n", None),
    ];
    for (method, answer, length) in table {
        let stand = Stand::app(says(answer)).await;
        let raw = format!(
            "{method} / HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\ncookie: {}\r\n\r\n",
            stand.cookie
        );
        let got = stand.exchange(&raw).await;
        assert!(got.ends_with("\r\n\r\n"), "{got}");
        assert_eq!(field(&got, "content-length"), length, "{got}");
        assert_eq!(field(&got, "transfer-encoding"), None, "{got}");
    }
}

#[tokio::test]
async fn bodies_of_get_are_dropped_so_that_they_are_no_second_request() {
    // websockify 0.13 answers a GET with a body as two requests (CL.0): measured.
    let stand = Stand::app(script(|_, mut stream| async move {
        stream.write_all(OK.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "{rest:?}");
    }))
    .await;
    let hidden = "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n";
    let length = hidden.len();
    let raw = format!(
        "GET / HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\ncookie: {}\r\ncontent-length: {length}\r\n\r\n{hidden}",
        stand.cookie
    );
    let answer = stand.exchange(&raw).await;
    assert!(answer.ends_with("hi"), "{answer}");
    stand.engine.settled().await;
    let heads = stand.engine.heads.lock().unwrap().clone();
    assert_eq!(heads.len(), 1);
    assert_eq!(field(&heads[0], "content-length"), None);
}

#[tokio::test]
async fn a_body_is_framed_anew_and_its_connection_is_not_reused() {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let stand = Stand::app(script(move |head, mut stream| {
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            assert_eq!(field(&head, "transfer-encoding"), Some("chunked"), "{head}");
            assert_eq!(field(&head, "content-length"), None);
            assert_eq!(field(&head, "expect"), None);
            let mut body = Vec::new();
            while !body.ends_with(b"0\r\n\r\n") {
                body.push(stream.read_u8().await.unwrap());
            }
            assert_eq!(body, b"5\r\nhello\r\n0\r\n\r\n");
            stream.write_all(OK.as_bytes()).await.unwrap();
            // A second request on this connection would be the bug.
            assert_eq!(read_head(&mut stream).await, None);
        }
    }))
    .await;
    for _ in 0..2 {
        let raw = format!(
            "POST / HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\nexpect: 100-continue\r\ncookie: {}\r\ntransfer-encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\n\r\n",
            stand.cookie
        );
        let answer = stand.exchange(&raw).await;
        assert!(answer.ends_with("hi"), "{answer}");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 2);
    stand.engine.settled().await;
}

#[tokio::test]
async fn connections_are_reused_for_requests_without_a_body() {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let stand = Stand::app(script(move |_, mut stream| {
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            while stream.write_all(OK.as_bytes()).await.is_ok() && read_head(&mut stream).await.is_some() {}
        }
    }))
    .await;
    for _ in 0..3 {
        assert!(stand.get("/", "").await.ends_with("hi"));
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_connection_closed_after_the_request_is_tried_once_more_for_a_get_only() {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let stand = Stand::app(script(move |_, mut stream| {
        let first = count.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if !first {
                let _ = stream.write_all(OK.as_bytes()).await;
            }
        }
    }))
    .await;
    assert!(stand.get("/", "").await.ends_with("hi"));
    assert_eq!(connections.swap(0, Ordering::Relaxed), 2);
    let raw =
        format!("DELETE / HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\ncookie: {}\r\n\r\n", stand.cookie);
    assert_eq!(outcome(&stand.exchange(&raw).await), Some("upstream_closed"));
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn ill_containers_cause_a_clear_answer() {
    let endless = script(|_, mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"x-filler: 0123456789012345678901234567890123456789\r\n").await.is_ok() {}
    });
    let flood_1xx = script(|_, mut stream| async move {
        while stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n").await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    let silent = script(|_, mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let table = [
        ("closes", says(""), "upstream_closed"),
        ("garbage", says("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "upstream_protocol"),
        ("http/0.9", says("<html>hello</html>"), "upstream_protocol"),
        (
            "switches unasked",
            says("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
            "upstream_protocol",
        ),
        (
            "two lengths",
            says("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi"),
            "upstream_protocol",
        ),
        ("endless head", endless, "upstream_protocol"),
        ("endless 1xx", flood_1xx, "upstream_timeout"),
        ("silent", silent, "upstream_timeout"),
    ];
    for (illness, act, expected) in table {
        let stand = Stand::app(act).await;
        let answer = stand.get("/", "").await;
        assert_eq!(outcome(&answer), Some(expected), "{illness}: {answer}");
    }
}

#[tokio::test]
async fn large_heads_with_many_fields_pass() {
    let fields: String = (0..150).map(|n| format!("x-f{n}: {}\r\n", "v".repeat(200))).collect();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n{fields}\r\nhi");
    let stand = Stand::app(says(Box::leak(answer.into_boxed_str()))).await;
    let got = stand.get("/", "").await;
    assert!(got.ends_with("hi"), "{got}");
    assert!(field(&got, "x-f149").is_some());
}

#[tokio::test]
async fn a_body_that_breaks_off_is_never_presented_as_whole() {
    let stand = Stand::app(says("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")).await;
    let answer = stand.get("/", "").await;
    assert!(answer.contains("hello"), "{answer}");
    assert!(!answer.contains("\r\n0\r\n"), "{answer}");
}

#[tokio::test]
async fn a_browser_that_stops_sending_its_body_is_given_up() {
    // GO-2024-2722: a body announced and never sent held a request for ever.
    let stand = Stand::app(script(|_, mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }))
    .await;
    let raw = format!(
        "POST / HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\ncookie: {}\r\ncontent-length: 10\r\n\r\nhalf",
        stand.cookie
    );
    let answer = stand.exchange(&raw).await;
    assert_eq!(outcome(&answer), Some("body_stalled"), "{answer}");
    assert!(answer.starts_with("HTTP/1.1 408"));
}

#[tokio::test]
async fn an_early_answer_comes_through_while_the_body_is_still_arriving() {
    let stand = Stand::app(says(
        "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig",
    ))
    .await;
    let mut browser = stand.connect();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {HOST}\r\ncookie: {}\r\ncontent-length: 1000000\r\n\r\npart",
        stand.cookie
    );
    browser.write_all(head.as_bytes()).await.unwrap();
    let answer = read_head(&mut browser).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_stream_ends_within_moments_of_the_logout() {
    let stand = Stand::app(script(|_, mut stream| async move {
        let _ =
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }))
    .await;
    let mut browser = stand.connect();
    let head = format!("GET / HTTP/1.1\r\nhost: {HOST}\r\ncookie: {}\r\n\r\n", stand.cookie);
    browser.write_all(head.as_bytes()).await.unwrap();
    read_head(&mut browser).await.unwrap();
    let mut chunk = [0; 10];
    browser.read_exact(&mut chunk).await.unwrap();
    assert_eq!(&chunk, b"5\r\nhello\r\n");
    stand.auth.revoke_user(stand.principal.user, CloseReason::LoginEnded).await.unwrap();
    let mut rest = Vec::new();
    let _ = browser.read_to_end(&mut rest).await;
    assert_eq!(rest, b"", "no end of body was forged");
    assert_eq!(outcome(&stand.get("/", "").await), Some("login"));
}

#[tokio::test]
async fn connect_and_foreign_upgrades_go_nowhere() {
    let stand = Stand::app(says(OK)).await;
    let raw =
        format!("CONNECT evil.example:443 HTTP/1.1\r\nhost: {HOST}\r\ncookie: {}\r\n\r\n", stand.cookie);
    assert_eq!(outcome(&stand.exchange(&raw).await), Some("upgrade_invalid"));
    let answer = stand.get("/", "upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n").await;
    assert!(answer.ends_with("hi"), "{answer}");
    let head = stand.last_head();
    assert_eq!((field(&head, "upgrade"), field(&head, "http2-settings")), (None, None));
}

#[tokio::test]
async fn a_session_that_was_stopped_is_not_reached() {
    let stand = Stand::app(says(OK)).await;
    assert!(stand.get("/", "").await.ends_with("hi"));
    stand.broker.stop(&stand.entry, StopReason::Owner, Next::Rest, &Actor::system()).await.unwrap();
    eventually(|| stand.entry.route().is_none()).await;
    let before = stand.engine.heads.lock().unwrap().len();
    assert_eq!(outcome(&stand.get("/", "sec-fetch-mode: cors\r\n").await), Some("at_rest"));
    assert_eq!(stand.engine.heads.lock().unwrap().len(), before);
}

#[tokio::test]
async fn options_and_odd_methods_pass_unchanged() {
    let stand = Stand::app(says(OK)).await;
    for method in [Method::OPTIONS, Method::DELETE, Method::PATCH] {
        let raw = format!(
            "{method} /x HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\ncookie: {}\r\n\r\n",
            stand.cookie
        );
        assert!(stand.exchange(&raw).await.ends_with("hi"));
        assert!(stand.last_head().starts_with(&format!("{method} /x HTTP/1.1\r\n")));
    }
}

#[tokio::test]
async fn other_peoples_sessions_are_like_missing_ones_even_for_admins() {
    let plain = Stand::path_app(says(OK), true).await;
    let desktop = Stand::desktop(desktop(Arc::default())).await;
    for role in [Role::User, Role::Admin] {
        for stand in [&plain, &desktop] {
            let cookie = stand.log_in(&format!("{role:?}"), role).await;
            for lines in ["", UPGRADE] {
                let root = stand.root();
                let raw = format!(
                    "GET {root}/rfb HTTP/1.1\r\nhost: {HOST}\r\norigin: {ORIGIN}\r\n{lines}cookie: {cookie}\r\n\r\n"
                );
                assert_eq!(outcome(&stand.exchange(&raw).await), Some("not_found"));
            }
        }
    }
    assert!(plain.engine.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_person_who_opens_a_stopped_session_wakes_it() {
    let stand = Stand::app(says(OK)).await;
    stand.broker.stop(&stand.entry, StopReason::Owner, Next::Rest, &Actor::system()).await.unwrap();
    eventually(|| matches!(stand.entry.session().state, State::Stopped { .. })).await;
    let tab = "sec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n";
    assert_eq!(outcome(&stand.get("/", tab).await), Some("waiting"));
    eventually(|| stand.entry.route().is_some()).await;
    assert!(stand.get("/", tab).await.ends_with("hi"));
}

/// What an app has in its paths reaches it byte for byte, in both modes.
#[tokio::test]
async fn encoded_and_doubled_slashes_go_up_as_they_came() {
    const PATH: &str = "//api/queues/%2F/a%5cb//?x=%2F";
    let plain = says("HTTP/1.1 204 No Content\r\n\r\n");
    for stand in [Stand::app(plain.clone()).await, Stand::path_app(plain, true).await] {
        assert!(stand.get(PATH, "").await.starts_with("HTTP/1.1 204"));
        assert!(stand.last_head().starts_with(&format!("GET {PATH} HTTP/1.1\r\n")), "{}", stand.last_head());
    }
}
