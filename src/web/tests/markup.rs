//! Judges a page as a strict parser and as somebody who cannot see it would.

use std::collections::{BTreeMap, BTreeSet};

use html5ever::tendril::TendrilSink;
use html5ever::tokenizer::TokenizerOpts;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// Stands among the names of the elements around one where they are hidden.
const HIDDEN: &str = "[hidden]";

/// An element of a page, in the order of the document.
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    /// What is read out of it: its text, and the names of the pictures in it.
    text: String,
    /// The names of the elements around it, outermost first.
    within: Vec<String>,
}

impl Element {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    fn is_within(&self, name: &str) -> bool {
        self.within.iter().any(|outer| outer == name)
    }

    /// Whether somebody who hears the page is told what it is.
    fn is_named(&self) -> bool {
        let attributes = ["aria-label", "aria-labelledby", "title"];
        !self.text.trim().is_empty() || attributes.iter().any(|name| self.attributes.contains_key(*name))
    }

    fn show(&self) -> String {
        format!("<{} {:?}>", self.name, self.attributes)
    }
}

/// Everything that is wrong with a page; empty if it is fine. `tag` is the language it must have.
pub fn flaws(html: &str, tag: &str) -> Vec<String> {
    let (elements, mut flaws) = parse(html);
    about_document(&elements, tag, &mut flaws);
    about_ids(&elements, &mut flaws);
    for element in &elements {
        about_element(element, &elements, &mut flaws);
    }
    flaws
}

fn parse(html: &str) -> (Vec<Element>, Vec<String>) {
    let options = ParseOpts {
        tokenizer: TokenizerOpts { exact_errors: true, ..TokenizerOpts::default() },
        // Without scripting, so that what stands in <noscript> is judged too.
        tree_builder: TreeBuilderOpts {
            exact_errors: true,
            scripting_enabled: false,
            ..TreeBuilderOpts::default()
        },
    };
    let dom = parse_document(RcDom::default(), options).one(html);
    let mut elements = Vec::new();
    collect(&dom.document, &[], &mut elements);
    let errors = dom.errors.borrow().iter().map(|error| format!("not HTML: {error}")).collect();
    (elements, errors)
}

fn collect(node: &Handle, within: &[String], elements: &mut Vec<Element>) {
    let mut inner = within.to_vec();
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let attributes = attrs
            .borrow()
            .iter()
            .map(|attribute| (attribute.name.local.to_string(), attribute.value.to_string()))
            .collect();
        inner.push(name.local.to_string());
        inner
            .extend(attrs.borrow().iter().any(|one| &*one.name.local == "hidden").then(|| HIDDEN.to_owned()));
        let (name, within) = (name.local.to_string(), within.to_vec());
        elements.push(Element { name, attributes, text: read_out(node), within });
    }
    for child in node.children.borrow().iter() {
        collect(child, &inner, elements);
    }
}

fn read_out(node: &Handle) -> String {
    match &node.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        NodeData::Element { name, attrs, .. } if &*name.local == "img" => {
            let attributes = attrs.borrow();
            let alt = attributes.iter().find(|attribute| &*attribute.name.local == "alt");
            alt.map(|alt| alt.value.to_string()).unwrap_or_default()
        }
        _ => node.children.borrow().iter().map(read_out).collect(),
    }
}

fn about_document(elements: &[Element], tag: &str, flaws: &mut Vec<String>) {
    let of = |name: &'static str| {
        elements.iter().filter(move |one| one.name == name && !one.is_within("noscript"))
    };
    if of("html").next().and_then(|html| html.attribute("lang")) != Some(tag) {
        flaws.push(format!("its language is not {tag}"));
    }
    let title = of("title").next().map(|title| title.text.trim().to_owned()).unwrap_or_default();
    if title.starts_with('·') || title.is_empty() {
        flaws.push(format!("its title says nothing: {title:?}"));
    }
    if of("h1").count() != 1 {
        flaws.push(format!("it has {} first headings", of("h1").count()));
    }
    if of("main").count() + of("div").filter(|div| div.attribute("id") == Some("viewer")).count() != 1 {
        flaws.push("it has no one main part".to_owned());
    }
    let level = |one: &Element| one.name.strip_prefix('h')?.parse::<usize>().ok();
    // What is hidden at first (the panels of the viewer) has an order of its own.
    let shown = elements.iter().filter(|one| !one.is_within("noscript") && !one.is_within(HIDDEN));
    let levels: Vec<_> = shown.filter_map(level).collect();
    if levels.first() != Some(&1) {
        flaws.push(format!("its first heading is of level {:?}", levels.first()));
    }
    if let Some(jump) = levels.windows(2).find(|pair| pair[1] > pair[0] + 1) {
        flaws.push(format!("its headings jump from {} to {}", jump[0], jump[1]));
    }
}

fn about_ids(elements: &[Element], flaws: &mut Vec<String>) {
    let mut ids = BTreeSet::new();
    for id in elements.iter().filter_map(|one| one.attribute("id")) {
        if !ids.insert(id) || id.is_empty() || id.contains(char::is_whitespace) {
            flaws.push(format!("the id {id:?} is empty, there twice, or has a space"));
        }
    }
    for element in elements {
        for name in ["for", "aria-controls", "aria-describedby", "aria-labelledby"] {
            let named = element.attribute(name).unwrap_or_default();
            for id in named.split_whitespace().filter(|id| !ids.contains(id)) {
                flaws.push(format!("{name} names {id:?}, which is not there: {}", element.show()));
            }
        }
    }
}

fn about_element(element: &Element, elements: &[Element], flaws: &mut Vec<String>) {
    let mut note = |what: &str| flaws.push(format!("{what}: {}", element.show()));
    let kind = element.attribute("type").unwrap_or_default();
    match element.name.as_str() {
        "a" | "button" | "summary" if !element.is_named() => note("nobody knows what it does"),
        "button" if element.is_within("form") && kind.is_empty() => note("a button without a type"),
        "img" if element.attribute("alt").is_none() => note("a picture without words"),
        "input" | "select" | "textarea" if kind != "hidden" && !is_labelled(element, elements) => {
            note("a field without a label");
        }
        "fieldset" if !elements.iter().any(|one| one.name == "legend") => note("a group without a name"),
        "th" if element.attribute("scope").is_none() => note("a heading of nothing"),
        "h1" | "h2" | "h3" | "h4" if element.attribute("role").is_some() => note("a heading that is none"),
        "time" if element.attribute("datetime").is_none() => note("a time without its value"),
        _ => {}
    }
    let presses = ["a", "button", "input", "select", "textarea", "summary"];
    let nested = presses.contains(&element.name.as_str()) && kind != "hidden";
    if nested && ["a", "button"].iter().any(|outer| element.is_within(outer)) {
        note("pressed within something pressed");
    }
}

fn is_labelled(field: &Element, elements: &[Element]) -> bool {
    let id = field.attribute("id");
    let label = |one: &&Element| one.name == "label" && one.attribute("for").is_some_and(|of| Some(of) == id);
    field.is_within("label")
        || field.attribute("aria-label").is_some()
        || field.attribute("aria-labelledby").is_some()
        || elements.iter().find(label).is_some_and(|label| !label.text.trim().is_empty())
}

#[test]
fn what_is_wrong_with_a_page_is_found() {
    let page = |body: &str| {
        format!(
            "<!doctype html><html lang=\"en\"><head><title>A</title></head><body><main><h1>A</h1>{body}</main></body></html>"
        )
    };
    assert_eq!(flaws(&page("<p>Fine.</p>"), "en"), Vec::<String>::new());
    for (body, tag) in [
        ("<p>Fine.</p>", "fr"),
        ("<p><div>not in a paragraph</div></p>", "en"),
        ("<b>unclosed", "en"),
        ("<p id=\"a\"></p><p id=\"a\"></p>", "en"),
        ("<h3>jumps</h3>", "en"),
        ("<h1>twice</h1>", "en"),
        ("<h2 role=\"status\">said</h2>", "en"),
        ("<label for=\"b\">b</label>", "en"),
        ("<input id=\"c\" type=\"text\">", "en"),
        ("<a href=\"/\"><img alt=\"\" src=\"a.svg\"></a>", "en"),
        ("<a href=\"/\"><button type=\"button\">b</button></a>", "en"),
        ("<img src=\"a.svg\">", "en"),
        ("<table><tbody><tr><th>a</th></tr></tbody></table>", "en"),
    ] {
        assert!(!flaws(&page(body), tag).is_empty(), "{body}");
    }
}
