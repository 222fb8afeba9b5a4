//! Every page, with names that would like to be markup.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};

use http::StatusCode;

use super::desk::{Answer, Desk, until};
use super::every_page::{MARKUP, RIGHT_TO_LEFT, every_page};
use super::markup;
use crate::language::Language;
use crate::session::{Routing, StateKind};
use crate::store::Role;

const EMOJI: &str = "👩‍💻";

/// The pages of the portal, with who reads them and their addresses; a browser visits the same.
const PAGES: &str = include_str!("../../../tests/pages.txt");

/// Who reads a page, what it is called, and its address.
fn listed() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let lines = PAGES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let mut words = line.split_whitespace();
        let mut next = || words.next().unwrap_or_else(|| panic!("who, name, address: {line}"));
        (next(), next(), next())
    })
}

/// The listed pages of these readers, with the labels of machines in their addresses.
pub fn with_labels(readers: &[&str], machines: &[(&str, &str)]) -> Vec<(String, String)> {
    let fill =
        |address: String, (state, label): &(&str, &str)| address.replace(&format!("{{{state}}}"), label);
    let pages = listed().filter(|(who, ..)| readers.contains(who));
    pages.map(|(_, name, path)| (name.to_owned(), machines.iter().fold(path.to_owned(), fill))).collect()
}

#[tokio::test]
async fn every_page_is_escaped_strict_and_signed() {
    let pages = every_page(Language::English).await;
    for (name, page) in &pages {
        let text = &page.text;
        assert!(
            page.status != StatusCode::SEE_OTHER && text.starts_with("<!doctype html>"),
            "{name}: {page:?}"
        );
        assert!(!text.contains("<script>") && !text.contains("<i>Admin") && !text.contains("<b>"), "{name}");
        assert!(!text.contains("<b title"), "{name}");
        check_no_inline(name, text);
        check_headers(name, page);
        check_forms(name, text);
        check_markup(name, text, Language::English);
    }
    check_titles(&pages);
    write_gallery(&pages, Language::English);
}

#[tokio::test]
async fn a_french_reader_reads_no_english() {
    let english: Vec<_> = include_str!("../messages/en.ftl")
        .lines()
        .filter_map(|line| line.split_once(" = ")?.1.split('{').next())
        .filter(|text| text.trim().split(' ').count() > 2)
        .map(|text| text.trim().replace('\'', "&#39;"))
        .collect();
    let pages = every_page(Language::French).await;
    for (name, page) in &pages {
        let read = without_marked_english(&page.text);
        for text in &english {
            assert!(!read.contains(text), "{name} says: {text}");
        }
        check_no_inline(name, &page.text);
        check_markup(name, &page.text, Language::French);
    }
    write_gallery(&pages, Language::French);
}

/// A page without the elements that say of themselves that they are English: a line of the audit as
/// it is stored, the words of an engine, the comments of the shipped configuration.
fn without_marked_english(text: &str) -> String {
    let mut parts = text.split(" lang=\"en\"");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(part.split_once("</").map_or("", |(_, rest)| rest));
    }
    kept
}

#[tokio::test]
async fn names_are_shown_whole_and_apart_from_the_text_around_them() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let mut browser = desk.log_in("ann").await;
    for name in [MARKUP, RIGHT_TO_LEFT, EMOJI, &"é".repeat(64), "&amp;", "{{ 7*7 }}", "'\"`"] {
        // The joiner in an emoji sequence is invisible by itself, and refused like the rest of them.
        let Ok(parsed) = name.parse() else { continue };
        let entry = desk.broker.create(&ann, &"desktop".parse().unwrap(), parsed).await.unwrap();
        until(&entry, StateKind::Ready).await;
        let page = browser.get("/").await.text;
        let escaped: String = name
            .chars()
            .map(|c| if "<>&\"'".contains(c) { format!("&#{};", u32::from(c)) } else { c.to_string() })
            .collect();
        assert!(page.contains(&format!("<bdi>{escaped}</bdi>")), "{name}: {page}");
    }
}

fn check_no_inline(name: &str, text: &str) {
    for tag in text.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default()) {
        assert!(!tag.starts_with("style"), "{name}: {tag}");
        assert!(!tag.starts_with("script") || tag.contains(" src=\"/"), "{name}: {tag}");
        // Values are text, and may say anything: what stands outside the quotes are names.
        let names = tag.split('"').step_by(2).flat_map(str::split_whitespace);
        for attribute in names {
            assert!(!attribute.starts_with("style=") && !attribute.starts_with("on"), "{name}: {tag}");
        }
        assert!(!tag.contains("javascript:"), "{name}: {tag}");
    }
}

fn check_headers(name: &str, page: &Answer) {
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    ] {
        assert!(policy.contains(part), "{name}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{name}");
    for (header, value) in [
        ("x-content-type-options", "nosniff"),
        // The address of an invitation has a secret in it, which pages opened from there do not read.
        ("referrer-policy", if name.starts_with("join") { "strict-origin" } else { "same-origin" }),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(page.header(header), value, "{name} {header}");
    }
}

fn check_forms(name: &str, text: &str) {
    for form in text.split("<form").skip(1) {
        let form = form.split("</form>").next().unwrap_or_default();
        // What only looks for something carries no secret: it would stand in the address.
        if form.contains("method=\"get\"") {
            assert!(form.contains("role=\"search\"") && !form.contains("csrf"), "{name}: {form}");
            continue;
        }
        assert!(form.contains("method=\"post\""), "{name}: {form}");
        let token = form.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        assert!(token.is_some_and(|token| token.len() == 86), "{name}: {form}");
    }
}

/// What a strict parser, assistive technology and the browser's title bar need.
fn check_markup(name: &str, text: &str, language: Language) {
    let flaws = markup::flaws(text, language.tag());
    assert!(flaws.is_empty(), "{name}:\n{}\n{text}", flaws.join("\n"));
}

/// Whoever has several pages open tells them apart by their tabs.
fn check_titles(pages: &[(String, Answer)]) {
    let mut titles = BTreeMap::new();
    let listed: BTreeSet<_> = listed().filter(|(who, ..)| *who != "guest").map(|(_, name, _)| name).collect();
    for (name, page) in pages.iter().filter(|(name, _)| listed.contains(name.as_str())) {
        let title = page.text.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
        let other = titles.insert(title.unwrap_or_default(), name);
        assert!(other.is_none(), "{name} and {other:?} have one title: {title:?}");
    }
}

#[test]
fn every_route_of_a_page_is_listed() {
    let mut sources = String::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "rs") {
            sources.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    let segments = |path: &'static str| path.split('?').next().unwrap_or_default().split('/');
    for route in sources.split(".route(").skip(1) {
        let (path, handlers) = route.trim_start()[1..].split_once('"').unwrap();
        if !handlers.split("\n        .").next().unwrap_or_default().contains("get(") {
            continue;
        }
        let parts: Vec<_> = path.split('/').collect();
        let same = |(_, _, address): &(_, _, &'static str)| {
            let listed: Vec<_> = segments(address).collect();
            let fits = |(part, of): (&&str, &&str)| part.starts_with('{') || part == of;
            listed.len() == parts.len() && parts.iter().zip(&listed).all(fits)
        };
        assert!(listed().any(|page| same(&page)), "{path}: no line in tests/pages.txt");
    }
}

/// Writes the pages to `$BERTH_GALLERY` for looking at them, with the static files beside them.
fn write_gallery(pages: &[(String, Answer)], language: Language) {
    let Some(dir) = env::var_os("BERTH_GALLERY") else { return };
    let dir = Path::new(&dir);
    fs::create_dir_all(dir).unwrap();
    for (name, page) in pages {
        let assets = page.text.split("href=\"").find_map(|rest| {
            rest.split("/mark.svg").next().filter(|a| a.contains("assets/") && a.len() < 60)
        });
        let text = page.text.replace(assets.unwrap(), "static");
        fs::write(dir.join(format!("{name}.{}.html", language.tag())), text).unwrap();
    }
}
