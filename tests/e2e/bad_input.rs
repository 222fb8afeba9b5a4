//! Bad input gets a clear answer and loses nothing.

use crate::gateway::{Gateway, PASSWORD, hidden_fields, illness};
use crate::wire::{exchange, exchange_all, status};

/// Requests that must be refused before any page or session sees them: what and which status.
/// 0 means that the connection is closed without an answer.
fn malformed(host: &str) -> Vec<(&'static str, String, &'static [u16])> {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    vec![
        ("no Host", "GET / HTTP/1.1\r\n\r\n".into(), &[400]),
        ("two Hosts", format!("GET / HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n"), &[400]),
        ("Host of another domain", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".into(), &[421]),
        ("Host with a path", "GET / HTTP/1.1\r\nHost: localhost/x\r\n\r\n".into(), &[400]),
        ("Host with user info", "GET / HTTP/1.1\r\nHost: a@localhost\r\n\r\n".into(), &[400]),
        (
            "absolute form with another Host",
            format!("GET https://evil.example/ HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            &[400, 421],
        ),
        (
            "CL and TE",
            format!(
                "POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            // Refused, or the length is dropped and the connection closed (RFC 9112 §6.3); see below.
            &[400, 415],
        ),
        (
            "two TE",
            format!(
                "POST /login HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            &[400],
        ),
        (
            "differing CL",
            format!(
                "POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"
            ),
            &[400],
        ),
        ("dot segments", get("/s/../login"), &[400]),
        ("encoded dot segments", get("/s/%2e%2e/login"), &[400]),
        ("encoded slash", get("/s/a%2fb/"), &[400]),
        ("double slash", get("//evil.example/"), &[400]),
        ("backslash", get("/s\\x"), &[400]),
        ("encoded NUL", get("/login%00"), &[400]),
        ("CONNECT", format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n"), &[400, 405, 501]),
        ("TRACE", format!("TRACE / HTTP/1.1\r\nHost: {host}\r\n\r\n"), &[405, 501]),
        (
            "unknown expectation",
            format!("POST /login HTTP/1.1\r\nHost: {host}\r\nExpect: tea\r\nContent-Length: 0\r\n\r\n"),
            &[417],
        ),
        (
            "an oversized header",
            format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-Big: {}\r\n\r\n", "a".repeat(200_000)),
            &[431, 0],
        ),
        (
            "too many headers",
            format!("GET / HTTP/1.1\r\nHost: {host}\r\n{}\r\n", "X-A: 1\r\n".repeat(300)),
            &[431],
        ),
        (
            "an underscore in a header name",
            format!("GET / HTTP/1.1\r\nHost: {host}\r\nX_Forwarded_User: root\r\n\r\n"),
            &[400],
        ),
        ("HTTP/0.9", "GET /\r\n\r\n".into(), &[400, 0]),
    ]
}

#[tokio::test]
async fn malformed_requests_are_refused() {
    let gateway = Gateway::builder().template(&illness("web", "http", "web")).start().await;
    let host = format!("localhost:{}", gateway.port);
    let mut wrong = Vec::new();
    for (what, request, expected) in malformed(&host) {
        let answer = exchange(&gateway, request.as_bytes()).await;
        let got = status(&answer);
        if !expected.contains(&got) {
            wrong.push(format!("{what}: got {got}, expected {expected:?}\n{answer:.200}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let smuggled = format!(
        "POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
         GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n"
    );
    let answer = exchange_all(&gateway, smuggled.as_bytes()).await;
    assert_eq!(
        answer.matches("HTTP/1.1 ").count(),
        1,
        "nothing behind ambiguous framing is served: {answer}"
    );

    let fine = exchange(&gateway, format!("GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await;
    assert_eq!(status(&fine), 200, "the gateway serves on after all that");
}

#[tokio::test]
async fn labels_that_are_none_and_sessions_of_others_answer_the_same_404() {
    let gateway = Gateway::builder().template(&illness("web", "http", "web")).start().await;
    let (ann, bob) = (gateway.login("ann").await, gateway.login("bob").await);
    let label = ann.create("web", "mine").await;
    ann.until(&label, "ready").await;

    let missing = bob.client.get(gateway.url("/s/nosuchlabel2/")).send().await.expect("an answer");
    assert_eq!(missing.status(), 404);
    let missing = anonymous(&missing.text().await.expect("a page"), "nosuchlabel2");
    let long = "a".repeat(64);
    for path in [
        format!("/s/{label}/"),
        format!("/s/{label}"),
        format!("/s/{label}/rfb"),
        "/s/UPPER/".into(),
        format!("/s/{long}/"),
        "/s/%C3%A9/".into(),
    ] {
        let answer = bob.client.get(gateway.url(&path)).send().await.expect("an answer");
        assert_eq!(answer.status(), 404, "{path}");
        let text = anonymous(&answer.text().await.expect("a page"), &label);
        if path.ends_with(&format!("{label}/")) {
            assert_eq!(text, missing, "forbidden and missing must look the same");
        }
    }
    // The same for changes and for the other student's list.
    assert_eq!(bob.post(&format!("/sessions/{label}/stop"), &[]).await.status(), 404);
    assert!(!bob.page("/").await.contains(&label));
    assert_eq!(ann.state(&label).await.as_deref(), Some("ready"));
}

/// A page without its label and its request id, which differ by nature.
fn anonymous(page: &str, label: &str) -> String {
    let words = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let ids = words.filter(|word| word.len() == 36 && word.matches('-').count() == 4);
    ids.fold(page.replace(label, "X"), |page, id| page.replace(id, "ID"))
}

#[tokio::test]
async fn logins_are_refused_alike_and_forgeries_open_nothing() {
    let gateway = Gateway::builder().template(&illness("web", "http", "web")).start().await;
    gateway.berth(&["user", "disable", "bob"], None);
    let mut answers = Vec::new();
    for (user, password) in [("ann", "wrong password"), ("nobody", PASSWORD), ("bob", PASSWORD)] {
        let client = gateway.client();
        let page =
            client.get(gateway.url("/login")).send().await.expect("a page").text().await.expect("a page");
        // The first form: those of the language and the look have secrets of their own.
        let mut form = hidden_fields(page.split("</form>").next().unwrap_or_default());
        form.push(("name".into(), user.into()));
        form.push(("password".into(), password.into()));
        let origin = format!("https://localhost:{}", gateway.port);
        let answer = client
            .post(gateway.url("/login"))
            .header("origin", origin)
            .form(&form)
            .send()
            .await
            .expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a page").replace(user, "X");
        let visible: String = text.split("name=\"form").next().unwrap_or_default().to_owned();
        answers.push((status, visible.len()));
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "wrong, unknown and disabled differ: {answers:?}"
    );
    assert_eq!(answers[0].0, 401);

    let client = gateway.client();
    for cookie in ["__Host-berth=forged", "__Host-berth=", "berth=x; __Host-berth=AAAA"] {
        let answer = client.get(gateway.url("/")).header("cookie", cookie).send().await.expect("an answer");
        assert_eq!(answer.status(), 303, "{cookie}");
        assert!(answer.headers()["location"].to_str().expect("text").starts_with("/login"));
    }
}

#[tokio::test]
async fn changes_need_the_token_and_the_own_origin() {
    let gateway = Gateway::builder().template(&illness("web", "http", "web")).start().await;
    let ann = gateway.login("ann").await;
    let create = |origin: String, site: &'static str, csrf: Option<String>| {
        let mut form = vec![("template", "web".to_owned()), ("name", "x".to_owned())];
        form.extend(csrf.map(|token| ("csrf", token)));
        let request = ann.client.post(gateway.url("/sessions"));
        request.header("origin", origin).header("sec-fetch-site", site).form(&form).send()
    };
    let own = format!("https://localhost:{}", gateway.port);
    let page = ann.page("/").await;
    let csrf = hidden_fields(&page).into_iter().find(|(name, _)| name == "csrf").expect("a token").1;
    assert_eq!(create(own.clone(), "same-origin", None).await.expect("an answer").status(), 403);
    assert_eq!(
        create(own.clone(), "same-origin", Some("forged".into())).await.expect("an answer").status(),
        403
    );
    assert_eq!(
        create("https://evil.example".into(), "cross-site", Some(csrf.clone()))
            .await
            .expect("an answer")
            .status(),
        403
    );
    assert_eq!(create(own, "same-origin", Some(csrf)).await.expect("an answer").status(), 303);
}

#[tokio::test]
async fn names_and_templates_are_checked_and_markup_stays_text() {
    let gateway = Gateway::builder()
        .template(&illness("web", "http", "web"))
        .limits("max_sessions_per_user = 2")
        .start()
        .await;
    let ann = gateway.login("ann").await;
    let refused = |fields: &'static [(&'static str, &'static str)]| ann.post("/sessions", fields);
    let unknown = refused(&[("template", "nosuch"), ("name", "x")]).await;
    assert_eq!(unknown.status(), 422);
    let empty = refused(&[("template", "web"), ("name", "  ")]).await;
    assert_eq!(empty.status(), 422);

    ann.create("web", "<script>alert(1)</script>").await;
    let page = ann.page("/").await;
    assert!(!page.contains("<script>alert"), "markup in a name is text");
    assert!(
        page.contains("&lt;script&gt;") || page.contains("&#60;script&#62;"),
        "the name is shown as typed"
    );

    let twice = refused(&[("template", "web"), ("name", "<script>alert(1)</script>")]).await;
    assert_eq!(twice.status(), 409);
    assert!(twice.text().await.expect("a page").contains("of this name already"));
    ann.create("web", "second").await;
    let third = refused(&[("template", "web"), ("name", "third")]).await;
    assert!([409, 422, 429].contains(&third.status().as_u16()), "{}", third.status());
}
