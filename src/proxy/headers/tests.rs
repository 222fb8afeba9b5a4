use super::*;

fn place() -> Place {
    Place {
        authority: "lab.example:8443".to_owned(),
        prefix: "/s/abc".to_owned(),
        sandboxed: false,
        from_sandbox: false,
        peer: "192.0.2.7".parse().unwrap(),
        upstream_port: 3000,
    }
}

fn own_host() -> Place {
    Place { authority: "abc.lab.example".to_owned(), prefix: String::new(), ..place() }
}

fn map(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers
            .append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn upstream(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = map(fields);
    to_upstream(&mut headers, &place());
    headers
}

fn browser(fields: &[(&str, &str)], place: &Place) -> HeaderMap {
    let mut headers = map(fields);
    to_browser(&mut headers, place);
    headers
}

fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[test]
fn hop_by_hop_fields_stay_on_their_hop() {
    let fields = [
        ("connection", "keep-alive, X-Secret"),
        ("connection", "x-other"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("proxy-authorization", "Basic eA=="),
        ("proxy-authenticate", "Basic"),
        ("transfer-encoding", "chunked"),
        ("te", "gzip, trailers"),
        ("upgrade", "h2c"),
        ("http2-settings", "AAMAAABkAAQAAP__"),
        ("x-secret", "1"),
        ("x-other", "2"),
        ("x-kept", "3"),
    ];
    for headers in [upstream(&fields), browser(&fields, &own_host())] {
        for gone in HOP_BY_HOP.into_iter().chain(["x-secret", "x-other"]) {
            assert!(!headers.contains_key(gone), "{gone}");
        }
        assert_eq!(headers["x-kept"], "3");
    }
}

#[test]
fn nominating_our_headers_does_not_remove_them() {
    // CVE-2024-45410 and CVE-2026-29054: a reverse proxy let `Connection: X-Forwarded-Host`, and
    // after the first fix its lower-case form, delete what it had set itself.
    let headers =
        upstream(&[("connection", "x-forwarded-for, X-Forwarded-Proto, host, cookie"), ("cookie", "a=b")]);
    assert_eq!(headers["x-forwarded-for"], "192.0.2.7");
    assert_eq!(headers["x-forwarded-proto"], "https");
    assert_eq!(headers["host"], "lab.example:8443");
    assert_eq!(headers["cookie"], "a=b");
}

#[test]
fn what_a_browser_claims_about_itself_is_replaced() {
    let headers = upstream(&[
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-for", "10.0.0.2"),
        ("x-forwarded-prefix", "//evil.example"),
        ("x-forwarded-user", "admin"),
        ("x_forwarded_user", "admin"),
        ("forwarded", "for=10.0.0.1"),
        ("x-real-ip", "10.0.0.1"),
        ("x-scheme", "http"),
        ("x-original-url", "/admin"),
        ("proxy", "http://evil.example"),
        ("host", "evil.example"),
    ]);
    assert_eq!(values(&headers, "x-forwarded-for"), ["192.0.2.7"]);
    assert_eq!(values(&headers, "x-forwarded-prefix"), ["/s/abc"]);
    assert_eq!(values(&headers, "x-forwarded-host"), ["lab.example:8443"]);
    assert_eq!(values(&headers, "x-forwarded-port"), ["8443"]);
    assert_eq!(values(&headers, "host"), ["lab.example:8443"]);
    for gone in [
        "x-forwarded-user",
        "x_forwarded_user",
        "forwarded",
        "x-real-ip",
        "x-scheme",
        "x-original-url",
        "proxy",
    ] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
}

#[test]
fn our_cookies_never_reach_a_container() {
    for (crumbs, expected) in [
        (&["__Host-berth=secret"][..], &[][..]),
        (&["a=1; __Host-berth=secret; b=2"], &["a=1; b=2"]),
        (&["a=1", "__Host-berth=secret", "b=2"], &["a=1; b=2"]),
        (&["__host-berth=x;a=1;__HOST-berth=y"], &["a=1"]),
        (&["__Host-berth=stale; __Host-berth=fresh"], &[]),
        (&["  __Host-berth = secret"], &[]),
        (&["__Host-berth"], &[]),
        (&["x=__Host-berth"], &["x=__Host-berth"]),
    ] {
        let fields: Vec<_> = crumbs.iter().map(|crumb| ("cookie", *crumb)).collect();
        assert_eq!(values(&upstream(&fields), "cookie"), *expected, "{crumbs:?}");
    }
}

#[test]
fn framing_is_never_taken_from_the_browser() {
    let headers = upstream(&[("content-length", "5"), ("expect", "100-continue"), ("te", "trailers")]);
    assert!(!headers.contains_key("content-length"));
    assert!(!headers.contains_key("expect"));
    assert_eq!(
        (&headers["te"], &headers["connection"]),
        (&"trailers".parse().unwrap(), &"te".parse().unwrap())
    );
    assert!(!upstream(&[("te", "trailers;q=1")]).contains_key("te"));
    assert!(!upstream(&[("te", "trailers"), ("te", "gzip")]).contains_key("te"));
}

#[test]
fn locations_stay_where_the_container_lives() {
    let table = [
        ("/x?y#z", Some("/s/abc/x?y#z"), Some("/x?y#z")),
        ("/", Some("/s/abc/"), Some("/")),
        ("/s/abc/x", Some("/s/abc/x"), Some("/s/abc/x")),
        ("/s/abcd/x", Some("/s/abc/s/abcd/x"), Some("/s/abcd/x")),
        ("x/y", Some("x/y"), Some("x/y")),
        ("?q=a:b", Some("?q=a:b"), Some("?q=a:b")),
        ("", Some(""), Some("")),
        ("http://lab.example:8443/x", Some("/s/abc/x"), Some("http://lab.example:8443/x")),
        ("https://LAB.example:8443", Some("/s/abc/"), Some("https://LAB.example:8443")),
        ("http://localhost:3000/x", Some("/s/abc/x"), Some("/x")),
        ("http://127.0.0.1/x", Some("/s/abc/x"), Some("/x")),
        ("http://[::1]:3000/x", Some("/s/abc/x"), Some("/x")),
        ("http://172.20.0.2:3000/x", Some("/s/abc/x"), Some("/x")),
        ("http://172.20.0.2:80/x", Some("http://172.20.0.2:80/x"), Some("http://172.20.0.2:80/x")),
        ("https://localhost//evil.example", Some("/s/abc/evil.example"), Some("/evil.example")),
        (
            "https://login.example/o?r=https://lab.example",
            Some("https://login.example/o?r=https://lab.example"),
            Some("https://login.example/o?r=https://lab.example"),
        ),
        ("//evil.example/x", None, None),
        ("/\\evil.example", None, None),
        ("\\\\evil.example", None, None),
        ("https:evil.example", None, None),
        ("https:///evil.example", None, None),
        ("https://lab.example:8443@evil.example/", None, None),
        ("javascript:alert(1)", None, None),
        ("data:text/html,x", None, None),
        ("/x\ty", None, None),
    ];
    for (value, in_path, on_host) in table {
        assert_eq!(rewrite(value, &place()).as_deref(), in_path, "{value}");
        assert_eq!(rewrite(value, &own_host()).as_deref(), on_host, "{value}");
    }
    let headers =
        browser(&[("location", "/a"), ("content-location", "//evil"), ("refresh", "5; URL='/b'")], &place());
    assert_eq!(headers["location"], "/s/abc/a");
    assert_eq!(headers["refresh"], "5; url=/s/abc/b");
    assert!(!headers.contains_key("content-location"));
    assert!(!browser(&[("location", "/a"), ("location", "//evil")], &place()).contains_key("location"));
    assert_eq!(browser(&[("refresh", "5")], &place())["refresh"], "5");
}

#[test]
fn a_containers_cookies_stay_in_its_place() {
    let table = [
        ("a=1", Some("a=1; Secure; Path=/s/abc/"), Some("a=1; Secure")),
        ("a=1; Path=/", Some("a=1; Secure; Path=/s/abc/"), Some("a=1; Secure; Path=/")),
        (
            "a=1; Path=/x; HttpOnly",
            Some("a=1; HttpOnly; Secure; Path=/s/abc/x"),
            Some("a=1; HttpOnly; Secure; Path=/x"),
        ),
        ("a=1; path=/s/abc/x", Some("a=1; Secure; Path=/s/abc/x"), Some("a=1; Secure; Path=/s/abc/x")),
        ("a=1; Path=/s/other", Some("a=1; Secure; Path=/s/abc/s/other"), Some("a=1; Secure; Path=/s/other")),
        ("a=1; Domain=lab.example", Some("a=1; Secure; Path=/s/abc/"), Some("a=1; Secure")),
        (
            "a=1; SameSite=None",
            Some("a=1; SameSite=None; Secure; Path=/s/abc/"),
            Some("a=1; SameSite=None; Secure"),
        ),
        ("__Host-berth=x; Path=/; Secure", None, None),
        ("__host-berth=x", None, None),
        ("__Secure-x=1; Secure", None, None),
        ("=__Host-berth=x", None, None),
        ("=x", None, None),
        ("", None, None),
    ];
    for (value, in_path, on_host) in table {
        assert_eq!(confine(value, &place()).as_deref(), in_path, "{value}");
        assert_eq!(confine(value, &own_host()).as_deref(), on_host, "{value}");
    }
}

#[test]
fn a_flood_of_cookies_does_not_push_ours_out() {
    // Measured: 400 junk cookies evict the HttpOnly login cookie of the same host.
    let fields = vec![("set-cookie", "a=1"); 400];
    assert_eq!(values(&browser(&fields, &place()), "set-cookie").len(), MAX_SET_COOKIES);
}

#[test]
fn a_container_never_speaks_for_the_whole_host() {
    let fields: Vec<_> = HOST_WIDE.into_iter().chain(ORIGIN_WIDE).map(|name| (name, "x")).collect();
    assert!(browser(&fields, &place()).is_empty());
    assert_eq!(browser(&fields, &own_host()).len(), ORIGIN_WIDE.len());
}

#[test]
fn pages_in_path_mode_are_sandboxed_whatever_they_say() {
    let sandboxed = Place { sandboxed: true, ..place() };
    let headers = browser(
        &[
            ("content-security-policy", "default-src 'self'"),
            ("cross-origin-resource-policy", "same-origin"),
            ("referrer-policy", "unsafe-url"),
            ("x-content-type-options", "sniff"),
            ("access-control-allow-origin", "*"),
        ],
        &sandboxed,
    );
    assert_eq!(values(&headers, "content-security-policy"), ["default-src 'self'", SANDBOX]);
    assert!(!SANDBOX.contains("allow-same-origin"));
    assert_eq!(values(&headers, "referrer-policy"), ["no-referrer"]);
    assert_eq!(values(&headers, "x-content-type-options"), ["nosniff"]);
    assert!(!headers.contains_key("cross-origin-resource-policy"));
    assert!(!headers.contains_key("access-control-allow-origin"));

    let asked_by_page = Place { from_sandbox: true, ..sandboxed };
    let headers = browser(&[("access-control-allow-origin", "*")], &asked_by_page);
    assert_eq!(values(&headers, "access-control-allow-origin"), ["null"]);
    let mut headers = map(&[("origin", "null")]);
    to_upstream(&mut headers, &asked_by_page);
    assert_eq!(headers["origin"], "https://lab.example:8443");
}

#[test]
fn origins_and_ports_are_those_the_browser_sees() {
    for (authority, origin, port) in [
        ("Lab.example", "https://lab.example", "443"),
        ("lab.example:443", "https://lab.example", "443"),
        ("lab.example:8443", "https://lab.example:8443", "8443"),
        ("[::1]:8443", "https://[::1]:8443", "8443"),
        ("[::1]", "https://[::1]", "443"),
    ] {
        let place = Place { authority: authority.to_owned(), ..place() };
        assert_eq!((place.origin().as_str(), place.port()), (origin, port));
    }
}
