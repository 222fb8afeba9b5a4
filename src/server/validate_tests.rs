use http::Request;
use proptest::prelude::*;

use super::*;

fn head(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri).version(Version::HTTP_11);
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    request.body(()).unwrap().into_parts().0
}

fn h1(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Checked, Refusal> {
    let mut all = vec![("host", "desk.example.org")];
    all.extend_from_slice(headers);
    validate(&head(method, uri, &all), Protocol::Http1, None)
}

fn h2(method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Checked, Refusal> {
    let mut head = head(method, &format!("https://desk.example.org{path}"), headers);
    head.version = Version::HTTP_2;
    validate(&head, Protocol::Http2, None)
}

#[test]
fn plain_requests_pass() {
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let checked = h1(method, "/a/b?c=//..%2f", &[]).unwrap();
        let host = "desk.example.org".to_owned();
        let path = PathRule::Own;
        assert_eq!(checked, Checked { host, port: None, upgrade: Upgrade::None, path });
        assert_eq!(h2(method, "/", &[]).unwrap(), checked);
    }
    let checked = h1("POST", "/", &[("content-length", "3"), ("expect", "100-Continue"), ("x", "a\tb")]);
    assert!(checked.is_ok(), "{checked:?}");
    assert!(h1("POST", "/", &[("transfer-encoding", "Chunked")]).is_ok());
}

#[test]
fn methods() {
    for (method, refusal) in [
        ("TRACE", Refusal::MethodNotAllowed),
        ("CONNECT", Refusal::Connect),
        ("PROPFIND", Refusal::MethodUnknown),
        ("get", Refusal::MethodUnknown),
        ("PRI", Refusal::MethodUnknown),
    ] {
        assert_eq!(h1(method, "/", &[]), Err(refusal), "{method}");
        assert_eq!(h2(method, "/", &[]), Err(refusal), "{method}");
    }
    let target = head("CONNECT", "evil.example:443", &[("host", "evil.example:443")]);
    assert_eq!(validate(&target, Protocol::Http1, None), Err(Refusal::Connect));
}

#[test]
fn a_request_has_exactly_one_valid_host() {
    let with = |hosts: &[&str]| {
        let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        validate(&head("GET", "/", &headers), Protocol::Http1, None)
            .map(|checked| (checked.host, checked.port))
    };
    assert_eq!(with(&["Desk.Example.org:8443"]), Ok(("desk.example.org".into(), Some(8443))));
    assert_eq!(with(&["127.0.0.1"]), Ok(("127.0.0.1".into(), None)));
    assert_eq!(with(&["[::1]:8443"]), Ok(("::1".into(), Some(8443))));
    assert_eq!(with(&["[0:0::1]"]), Ok(("::1".into(), None)));
    for bad in [
        "", "a/b", "ann@a", "a,b", "a b", "a..b", ".a", "a.", "-a", "a_b", "a:", "a:x", "a:1:2", "a:+1",
        "a:99999", "[::1", "::1", "[::1]x", "[v1.x]", "1.2.3.04", "1.2.3", "0x7f.1", "a%2eb", "аb",
    ] {
        assert_eq!(with(&[bad]), Err(Refusal::Host), "{bad}");
    }
    assert_eq!(with(&[]), Err(Refusal::Host));
    assert_eq!(with(&["a", "a"]), Err(Refusal::Host));
    assert_eq!(with(&["a", "b"]), Err(Refusal::Host));
    assert_eq!(with(&[&"a.".repeat(130)]), Err(Refusal::Host));
}

#[test]
fn the_target_and_the_host_agree() {
    let is = |uri: &str, protocol, hosts: &[&str]| {
        let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        validate(&head("GET", uri, &headers), protocol, None).map(|checked| checked.host)
    };
    let ok = Ok("a.example".to_owned());
    assert_eq!(is("https://a.example/x", Protocol::Http1, &["a.example"]), ok);
    assert_eq!(is("https://A.example", Protocol::Http1, &["a.example"]), ok);
    assert_eq!(is("https://a.example/", Protocol::Http2, &["a.example"]), ok);
    assert_eq!(is("https://a.example/", Protocol::Http2, &[]), ok);
    for (uri, protocol, hosts) in [
        ("https://a.example/", Protocol::Http1, &["b.example"][..]),
        ("https://a.example:1/", Protocol::Http1, &["a.example"]),
        ("https://a.example/", Protocol::Http1, &[]),
        ("https://a.example/", Protocol::Http2, &["b.example"]),
        ("https://a.example/", Protocol::Http2, &["a.example", "a.example"]),
        ("https://ann@a.example/", Protocol::Http2, &[]),
        ("https://ann:pw@a.example/", Protocol::Http1, &["a.example"]),
    ] {
        assert_eq!(is(uri, protocol, hosts), Err(Refusal::Host), "{uri} {hosts:?}");
    }
    for (uri, protocol) in [
        ("http://a.example/", Protocol::Http1),
        ("http://a.example/", Protocol::Http2),
        ("ftp://a.example/", Protocol::Http2),
        ("/", Protocol::Http2),
    ] {
        assert_eq!(is(uri, protocol, &["a.example"]), Err(Refusal::Target), "{uri}");
    }
}

#[test]
fn the_host_is_the_one_of_the_greeting() {
    let request = head("GET", "/", &[("host", "a.example:8443")]);
    assert!(validate(&request, Protocol::Http1, Some("A.example")).is_ok());
    assert!(validate(&request, Protocol::Http1, None).is_ok());
    assert_eq!(validate(&request, Protocol::Http1, Some("b.example")), Err(Refusal::Misdirected));
    assert_eq!(Refusal::Misdirected.status(), 421);
}

#[test]
fn ambiguous_paths_are_refused() {
    for good in [
        "/",
        "/a",
        "/a/",
        "/a.b/..c/...",
        "/.well-known/x",
        "/a%20b",
        "/%C3%A9",
        "/a;b/c=d",
        "/a%2eb",
        "/~ann/@x:1",
        "/a?b//..",
        "/a?x=%00",
        "/%25",
    ] {
        assert_eq!(h1("GET", good, &[]).map(|checked| checked.path), Ok(PathRule::Own), "{good}");
        assert_eq!(h2("GET", good, &[]).map(|checked| checked.path), Ok(PathRule::Own), "{good}");
    }
    for upstream in
        ["//", "//evil.example", "/a//b", "/a%2fb", "/a%2Fb", "/a%5cb", "/a%5Cb", "/%2f%2f", "/a%2f...%5cb//"]
    {
        assert_eq!(
            h1("GET", upstream, &[]).map(|checked| checked.path),
            Ok(PathRule::Upstream),
            "{upstream}"
        );
        assert_eq!(
            h2("GET", upstream, &[]).map(|checked| checked.path),
            Ok(PathRule::Upstream),
            "{upstream}"
        );
    }
    for bad in [
        "/.",
        "/..",
        "/../",
        "/a/../b",
        "/a/./b",
        "/a/..",
        "/%2e",
        "/%2e%2E/",
        "/.%2e/a",
        "/%2e./a",
        "/..;/a",
        "/.;x/a",
        "/%2e%2e;x",
        "//..",
        "/a//./b",
        "/a%2f..",
        "/a%2F%2e%2E%5cb",
        "/a%5c.;x%2fb",
        "/a%2fb%00",
        "/a//%0d",
        "/a%00",
        "/a%0a",
        "/a%1f",
        "/a%7f",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a%+1",
        "/..%2f",
        "/s/x/..%5c",
    ] {
        assert_eq!(h1("GET", bad, &[]), Err(Refusal::Path), "{bad}");
        assert_eq!(h2("GET", bad, &[]), Err(Refusal::Path), "{bad}");
    }
    // hyper hands these on where its URI type accepts them.
    for raw in ["/a\\b", "/\\evil.example"] {
        if raw.parse::<Uri>().is_ok() {
            assert_eq!(h1("GET", raw, &[]), Err(Refusal::Path), "{raw}");
        }
    }
    assert_eq!(h1("OPTIONS", "*", &[]), Err(Refusal::Target));
}

#[test]
fn the_body_has_one_length() {
    for (headers, refusal) in [
        (&[("content-length", "3"), ("content-length", "3")][..], Refusal::Framing),
        (&[("content-length", "3"), ("content-length", "4")], Refusal::Framing),
        (&[("content-length", "3, 3")], Refusal::Framing),
        (&[("content-length", "+3")], Refusal::Framing),
        (&[("content-length", "")], Refusal::Framing),
        (&[("content-length", "3"), ("transfer-encoding", "chunked")], Refusal::Framing),
        (&[("transfer-encoding", "gzip, chunked")], Refusal::TransferEncoding),
        (&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], Refusal::TransferEncoding),
        (&[("transfer-encoding", ",chunked")], Refusal::TransferEncoding),
        (&[("transfer-encoding", "chunked, identity")], Refusal::TransferEncoding),
        (&[("transfer-encoding", "xchunked")], Refusal::TransferEncoding),
        (&[("transfer-encoding", "")], Refusal::TransferEncoding),
    ] {
        assert_eq!(h1("POST", "/", headers), Err(refusal), "{headers:?}");
    }
    let mut old = head("POST", "/", &[("host", "a"), ("transfer-encoding", "chunked")]);
    old.version = Version::HTTP_10;
    assert_eq!(validate(&old, Protocol::Http1, None), Err(Refusal::TransferEncoding));
    assert_eq!(h2("POST", "/", &[("transfer-encoding", "chunked")]), Err(Refusal::TransferEncoding));
}

#[test]
fn header_names_and_values() {
    assert_eq!(h1("GET", "/", &[("x_forwarded_user", "ann")]), Err(Refusal::HeaderName));
    for bad in [" a", "a ", "\ta", "a\t", " "] {
        assert_eq!(h2("GET", "/", &[("x", bad)]), Err(Refusal::HeaderValue), "{bad:?}");
    }
    let many: Vec<(&str, &str)> = vec![("x", "y"); MAX_HEADERS + 1];
    assert_eq!(h2("GET", "/", &many), Err(Refusal::HeadTooLarge));
    let large = "x".repeat(MAX_HEAD);
    assert_eq!(h1("GET", "/", &[("x", &large)]), Err(Refusal::HeadTooLarge));
    assert_eq!(Refusal::HeadTooLarge.status(), 431);
}

#[test]
fn expectations() {
    for bad in [
        &[("expect", "y 100-continue")][..],
        &[("expect", "200-ok")],
        &[("expect", "100-continue"), ("expect", "100-continue")],
    ] {
        assert_eq!(h1("POST", "/", bad), Err(Refusal::Expectation), "{bad:?}");
    }
    assert_eq!(Refusal::Expectation.status(), 417);
}

const KEY: (&str, &str) = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");

#[test]
fn only_websockets_are_upgrades() {
    let upgrade = |headers: &[(&str, &str)]| h1("GET", "/", headers).map(|checked| checked.upgrade);
    let asks = [("upgrade", "WebSocket"), ("connection", "keep-alive, Upgrade"), KEY];
    assert_eq!(upgrade(&asks), Ok(Upgrade::Http1));
    for ignored in [
        &[("upgrade", "h2c"), ("connection", "upgrade, http2-settings"), ("http2-settings", "AAA")][..],
        &[("upgrade", "websocket, h2c"), ("connection", "upgrade"), KEY],
        &[("upgrade", "websocket"), ("upgrade", "websocket"), ("connection", "upgrade"), KEY],
        &[("upgrade", "websocket"), KEY],
        &[("upgrade", "tls/1.0"), ("connection", "upgrade")],
    ] {
        assert_eq!(upgrade(ignored), Ok(Upgrade::None), "{ignored:?}");
        let mut stripped = head("GET", "/", ignored).headers;
        strip_ignored(&mut stripped, Upgrade::None);
        assert!(!stripped.contains_key(UPGRADE) && !stripped.contains_key("http2-settings"), "{ignored:?}");
    }
    for bad in [&[("content-length", "1")][..], &[("transfer-encoding", "chunked")], &[KEY]] {
        let all: Vec<_> = asks.iter().chain(bad).copied().collect();
        assert_eq!(upgrade(&all), Err(Refusal::Upgrade), "{bad:?}");
    }
    assert_eq!(upgrade(&[asks[0], asks[1]]), Err(Refusal::Upgrade), "no key");
    assert_eq!(h1("POST", "/", &asks), Err(Refusal::Upgrade));
    let empty: Vec<_> = asks.iter().copied().chain([("content-length", "0")]).collect();
    assert_eq!(upgrade(&empty), Ok(Upgrade::Http1));
}

#[test]
fn extended_connect_is_for_websockets_only() {
    let connect = |protocol: Option<&'static str>, headers: &[(&str, &str)]| {
        let mut head = head("CONNECT", "https://a.example/s/x/rfb", headers);
        head.version = Version::HTTP_2;
        if let Some(protocol) = protocol {
            head.extensions.insert(ConnectProtocol::from_static(protocol));
        }
        validate(&head, Protocol::Http2, Some("a.example")).map(|checked| checked.upgrade)
    };
    assert_eq!(connect(Some("websocket"), &[]), Ok(Upgrade::Http2));
    assert_eq!(connect(Some("websocket"), &[("content-length", "5")]), Err(Refusal::Upgrade));
    assert_eq!(connect(Some("connect-udp"), &[]), Err(Refusal::Connect));
    assert_eq!(connect(None, &[]), Err(Refusal::Connect));
}

#[test]
fn every_refusal_has_a_status_a_code_and_words() {
    let refusal = Refusal::Connect;
    assert_eq!(
        (refusal.status().as_u16(), refusal.code(), refusal.fault()),
        (405, "connect_refused", Fault::Downstream)
    );
    assert_eq!(
        refusal.public(),
        "This request cannot be served: CONNECT is only for WebSockets over HTTP/2."
    );
    assert_eq!(Refusal::MethodUnknown.status(), 501);
}

proptest! {
    #[test]
    fn no_path_panics_and_none_that_passes_climbs(path in "/[a-z./%25ef;\\\\]{0,24}") {
        let Ok(uri) = path.parse::<Uri>() else { return Ok(()) };
        if let Ok(rule) = super::path(&uri) {
            let decoded = percent_encoding::percent_decode_str(uri.path()).decode_utf8_lossy().into_owned();
            let climbs = decoded.split(['/', '\\']).any(|segment| segment == ".." || segment == ".");
            prop_assert!(!climbs, "{}", path);
            prop_assert!(rule == PathRule::Upstream || !decoded.contains("//"), "{}", path);
        }
    }

    #[test]
    fn no_host_panics(host in "\\PC{0,40}") {
        let _ = host_and_port(&host);
    }
}
