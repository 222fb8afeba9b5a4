use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fluent_syntax::ast;
use http::HeaderValue;

use super::*;

#[test]
fn readers_get_the_language_they_like_best() {
    for (header, expected) in [
        ("", Language::English),
        ("fr", Language::French),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", Language::French),
        ("en-GB,en;q=0.9,fr;q=0.8", Language::English),
        ("en;q=0.5, fr;q=0.9", Language::French),
        ("de, FR;q=0.2", Language::French),
        ("de, ja", Language::English),
        ("fr;q=0", Language::English),
        ("fr;q=0, en;q=0.1", Language::English),
        ("fr;q=nonsense", Language::English),
        ("fr, en", Language::French),
        ("french", Language::English),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(header));
        assert_eq!(Language::of(&headers), expected, "{header}");
    }
    assert_eq!(Language::of(&HeaderMap::new()), Language::English);
}

/// Every message's arguments, by id; fails on a message that stands there twice or is no Fluent.
fn messages(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let resource = fluent_syntax::parser::parse(source).unwrap_or_else(|(_, errors)| panic!("{errors:?}"));
    let mut found = BTreeMap::new();
    for entry in resource.body {
        if let ast::Entry::Message(message) = entry {
            let mut arguments = BTreeSet::new();
            of_pattern(&message.value.expect("a message has a text"), &mut arguments);
            let twice = found.insert(message.id.name.to_owned(), arguments);
            assert!(twice.is_none(), "{} stands there twice", message.id.name);
        }
    }
    found
}

fn of_pattern(pattern: &ast::Pattern<&str>, arguments: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let ast::PatternElement::Placeable { expression } = element {
            of_expression(expression, arguments);
        }
    }
}

fn of_expression(expression: &ast::Expression<&str>, arguments: &mut BTreeSet<String>) {
    match expression {
        ast::Expression::Inline(inline) => of_inline(inline, arguments),
        ast::Expression::Select { selector, variants } => {
            of_inline(selector, arguments);
            variants.iter().for_each(|variant| of_pattern(&variant.value, arguments));
        }
    }
}

fn of_inline(inline: &ast::InlineExpression<&str>, arguments: &mut BTreeSet<String>) {
    match inline {
        ast::InlineExpression::VariableReference { id } => {
            arguments.insert(id.name.to_owned());
        }
        ast::InlineExpression::Placeable { expression } => of_expression(expression, arguments),
        ast::InlineExpression::StringLiteral { .. } | ast::InlineExpression::NumberLiteral { .. } => {}
        other => panic!("not used in our messages: {other:?}"),
    }
}

#[test]
fn both_languages_have_the_same_messages_with_the_same_arguments() {
    let (english, french) = (messages(ENGLISH), messages(FRENCH));
    let of = |all: &BTreeMap<String, BTreeSet<String>>| all.keys().cloned().collect::<BTreeSet<_>>();
    let differ: Vec<_> = of(&english).symmetric_difference(&of(&french)).cloned().collect();
    assert!(differ.is_empty(), "only in one language: {differ:?}");
    for (id, arguments) in &english {
        assert_eq!(arguments, &french[id], "{id}");
    }
    assert_eq!(ids(ENGLISH).count(), english.len());
}

#[test]
fn every_argument_of_a_script_has_its_place() {
    for (id, arguments) in messages(ENGLISH) {
        let known = arguments.iter().all(|name| OF_SCRIPTS.contains(&name.as_str()));
        assert!(!id.contains("-says-") || known, "{id}: {arguments:?}");
    }
    let words: serde_json::Value = serde_json::from_str(&Language::French.script("viewer")).unwrap();
    assert_eq!(words["left"], "encore {time}");
}

/// The text of every source file that can name a message, but for this test.
fn sources(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if path.is_dir() {
            sources(&path, found);
        } else if ["rs", "html", "js"].contains(&kind) && !path.ends_with("language/tests.rs") {
            found.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn no_message_is_unused() {
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    let unused: Vec<_> = ids(ENGLISH)
        .filter(|id| {
            let name = id.split_once("-says-").map_or(*id, |(_, name)| name);
            !text.contains(&format!("\"{name}\""))
        })
        .collect();
    assert!(unused.is_empty(), "nobody says {unused:?}");
}

#[test]
fn no_message_is_missing() {
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    let known: BTreeSet<_> = ids(ENGLISH).collect();
    let said = |call: &str| {
        let texts = text.split(call).skip(1).filter_map(|rest| rest.split('"').next());
        texts.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let missing: Vec<_> = ["language.text(\"", "language.say(\""]
        .iter()
        .flat_map(|call| said(call))
        .filter(|id| !known.contains(id.as_str()))
        .collect();
    assert!(missing.is_empty(), "no message is called {missing:?}");
    let missing: Vec<_> = said(" say(\"")
        .union(&said("(say(\""))
        .filter(|name| !known.iter().any(|id| id.ends_with(&format!("-says-{name}"))))
        .cloned()
        .collect();
    assert!(missing.is_empty(), "no script has {missing:?} to say");
}

/// The names of the arguments that stand in a chain of `.with("name", …)`.
fn with(mut chain: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    while let Some(call) = chain.trim_start().strip_prefix(".with(") {
        names.extend(call.split('"').nth(1).map(str::to_owned));
        let mut open = 1;
        let end = call.find(|c| {
            open += i32::from(c == '(') - i32::from(c == ')');
            open == 0
        });
        chain = &call[end.expect("brackets are closed") + 1..];
    }
    names
}

#[test]
fn every_error_has_its_sentence_in_every_language() {
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    let known = messages(FRENCH);
    let ids = text.split('"').filter(|literal| literal.starts_with("problem-"));
    let named: BTreeSet<_> =
        ids.filter(|id| id.chars().all(|c| c.is_ascii_lowercase() || c == '-')).collect();
    let missing: Vec<_> = named.iter().filter(|id| !known.contains_key(**id)).collect();
    assert!(missing.is_empty(), "errors say {missing:?}, which the messages do not have");
    for said in text.split("Sentence::of(").skip(1) {
        let said = said.trim_start();
        let Some((id, chain)) = said.strip_prefix('"').and_then(|rest| rest.split_once('"')) else {
            continue;
        };
        let chain = chain.trim_start().trim_start_matches(')');
        assert_eq!(known.get(id), Some(&with(chain)), "{id}");
    }
    let english = text.split("fn public(&self)").count() - 1;
    assert_eq!(english, 1, "errors have a `sentence`, and `Answer::public` says it in English");
}

#[test]
fn a_refusal_names_every_state_in_every_language() {
    for language in [Language::English, Language::French] {
        let said: BTreeSet<_> = crate::session::StateKind::ALL
            .map(|state| Sentence::of("problem-wrong-state").with("state", state.name()).said(language))
            .into();
        assert_eq!(said.len(), crate::session::StateKind::ALL.len(), "{said:?}");
    }
}

#[test]
fn french_is_set_as_french_is() {
    for (number, line) in FRENCH.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        assert!(!line.contains('\''), "{}: a straight apostrophe: {line}", number + 1);
        for sign in [" :", " ;", " ?", " !", "« ", " »"] {
            assert!(!line.contains(sign), "{}: a breaking space: {line}", number + 1);
        }
    }
}
