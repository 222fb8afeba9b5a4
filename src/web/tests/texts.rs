//! Every text that people read is a message: templates and scripts have none of their own.

use std::fs;
use std::path::Path;

/// Attributes that are read out or shown.
const READ: [&str; 6] = ["alt", "aria-description", "aria-label", "placeholder", "summary", "title"];

/// The name of the product, which is the same in every language.
const NAME: &str = "Berth";

fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web").join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&format!("{folder}/{name}"), extension));
        } else if path.extension().is_some_and(|kind| kind == extension) {
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

/// A text without everything between two marks.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut parts = text.split(open);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(part.split_once(close).map_or("", |(_, rest)| rest));
    }
    kept
}

/// The texts that a template has written out: between tags, and in attributes that people meet.
fn written(template: &str) -> Vec<String> {
    // Blocks that stand within a tag hold attributes, no text.
    let attributes = ["{% block body_attributes %}", "{% block main_class %}", "{% block root %}"];
    let template =
        attributes.iter().fold(template.to_owned(), |text, open| without(&text, open, "{% endblock %}"));
    let markup = [("{#", "#}"), ("{{", "}}"), ("{%", "%}"), ("<!--", "-->")]
        .iter()
        .fold(template, |text, (open, close)| without(&text, open, close));
    let mut texts = Vec::new();
    for piece in markup.split('<') {
        let (tag, text) = piece.split_once('>').unwrap_or(("", piece));
        texts.push(text.to_owned());
        // In quotes is every other piece; what stands before it ends in the attribute's name.
        let quoted: Vec<_> = tag.split('"').collect();
        for pair in quoted.chunks_exact(2) {
            let name = pair[0].trim_end_matches('=').rsplit(' ').next().unwrap_or_default();
            if READ.contains(&name) {
                texts.push(pair[1].to_owned());
            }
        }
    }
    texts.retain(|text| text.replace(NAME, "").chars().any(char::is_alphabetic));
    texts
}

#[test]
fn templates_have_no_text_of_their_own() {
    let found: Vec<_> = files("templates", "html")
        .into_iter()
        .flat_map(|(name, text)| {
            written(&text).into_iter().map(move |text| format!("{name}: {}", text.trim()))
        })
        .collect();
    assert!(found.is_empty(), "not from the messages:\n{}", found.join("\n"));
}

#[test]
fn text_in_a_template_is_found_wherever_it_hides() {
    for (template, expected) in [
        ("<p>Hello</p>", 1),
        ("<p>{{ language.text(\"back\") }} · {{ name }}</p>", 0),
        ("<img alt=\"Screen of {{ name }}\" src=\"a.png\">", 1),
        ("<input id=\"a\"{% if x %} placeholder=\"Name\"{% endif %}>", 1),
        (
            "{# A word to developers. #}<a title=\"{{ language.text(\"back\") }}\" class=\"quiet\">Berth</a>",
            0,
        ),
    ] {
        assert_eq!(written(template).len(), expected, "{template}");
    }
}

/// Whether a string of a script is prose: words in a row, the first with a capital.
fn is_prose(text: &str) -> bool {
    let text = without(text, "${", "}");
    let words: Vec<_> = text.split_whitespace().collect();
    let lower = |word: &&str| word.chars().all(|c| c.is_lowercase() || ".,!?…’'".contains(c));
    words.len() > 1 && words[0].starts_with(char::is_uppercase) && words[1..].iter().all(lower)
}

#[test]
fn scripts_take_their_words_from_the_page() {
    for (name, script) in files("static", "js") {
        let code: Vec<_> = script
            .lines()
            .filter(|line| !line.trim_start().starts_with(['*', '/']))
            .map(|line| line.split(" // ").next().unwrap_or_default())
            .collect();
        for line in &code {
            for quote in ['"', '\'', '`'] {
                for text in line.split(quote).skip(1).step_by(2) {
                    assert!(!is_prose(text), "{name} says: {text}");
                }
            }
            let shown = ["textContent =", ".title =", ".alt =", ".placeholder =", ".ariaLabel ="];
            let literal =
                shown.iter().find_map(|set| line.split_once(set)?.1.trim().strip_prefix(['"', '\'']));
            let text = literal.and_then(|text| text.split(['"', '\'']).next()).unwrap_or_default();
            assert!(!text.chars().any(char::is_alphabetic), "{name} says: {text}");
        }
    }
}
