//! Where a request goes: any host and path.
#![no_main]

use berth::server::dispatch::RouteKey;
use berth::session::Label;
use libfuzzer_sys::fuzz_target;

const DOMAIN: &str = "lab.example";

// A line with the host, then the path.
fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (host, path) = text.split_once('\n').unwrap_or((text, "/"));
    judge(host, path);
    // Most hosts that a fuzzer makes up are foreign; these are not.
    judge(DOMAIN, path);
    judge(&format!("{host}.{DOMAIN}"), path);
    judge_label(host);
});

/// Whatever is routed to a session says so literally, in exactly one way.
fn judge(host: &str, path: &str) {
    let is_portal = host.eq_ignore_ascii_case(DOMAIN);
    let is_under = host.to_ascii_lowercase().ends_with(&format!(".{DOMAIN}"));
    match RouteKey::parse(host, path, DOMAIN) {
        RouteKey::SessionPath { label, rest } => {
            assert!(is_portal);
            judge_label(label);
            assert_eq!(Label::check(label), Ok(()));
            assert_eq!(format!("/s/{label}{rest}"), path);
            assert!(rest.is_empty() || rest.starts_with('/'));
        }
        RouteKey::SessionHost { label } => {
            assert!(is_under);
            judge_label(label);
            assert_eq!(Label::check(label), Ok(()));
            assert_eq!(format!("{label}.{DOMAIN}").to_ascii_lowercase(), host.to_ascii_lowercase());
        }
        RouteKey::Portal => assert!(is_portal && !path.starts_with("/s/")),
        RouteKey::NoSession => assert!(is_portal && path.starts_with("/s/") || is_under),
        RouteKey::Foreign => assert!(!is_portal && !is_under),
    }
}

/// What is a label is one lower-case host-name label (RFC 1123 §2.1), and stays what it is.
fn judge_label(text: &str) {
    let parsed = text.parse::<Label>();
    assert_eq!(parsed.is_ok(), Label::check(text).is_ok());
    let Ok(label) = parsed else { return };
    assert_eq!(label.as_str(), text);
    assert!((1..=63).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-'));
    assert!(text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')));
}
