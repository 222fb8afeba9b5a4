//! Every page with axe, as every kind of reader: in both languages, light and dark, on a desk and on a
//! telephone. What it asks of the network is looked at on the way.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::answers::answers;
use crate::browser::Browser;
use crate::pages::Portal;

/// Who reads, in the words of `pages.txt`.
const READERS: [&str; 5] = ["anyone", "owner", "viewer", "guest", "admin"];

/// A language, and the colours and widths that its pages are looked at in.
type Looks = (&'static str, [(&'static str, u32); 2]);

/// Two looks for each language: any two of language, colours and width meet in one of the four.
const LOOKS: [Looks; 2] =
    [("en", [("light", 1280), ("dark", 390)]), ("fr", [("dark", 1280), ("light", 390)])];

/// The most a page may take from the network, with everything it loads.
const MOST_BYTES: u64 = 100 * 1024;

/// Whether the desktop, where there is one, is no wider than its window.
const SCALED: &str = "[...document.querySelectorAll('#screen canvas')]\
    .every((canvas) => canvas.clientWidth <= canvas.parentElement.clientWidth)";

/// Where `.ci/prerequisites test` keeps it.
fn axe() -> String {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let path = cache.unwrap_or_else(home).join("berth-ci/axe/axe.min.js");
    std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("axe is not at {} ({error}): run .ci/prerequisites test", path.display())
    })
}

/// Everything axe finds wrong with the page as it is shown.
async fn judge(browser: &Browser) -> Vec<String> {
    let script = "const done = arguments[arguments.length - 1];\
        const say = (one) => one.nodes.map((node) => `${one.impact} ${one.id} (${one.help}): ${node.html.slice(0, 300)} ${node.any.concat(node.all, node.none).map((check) => check.message).join(' ')}`);\
        axe.run(document, { resultTypes: ['violations'] })\
          .then((result) => done(result.violations.flatMap(say)), (error) => done([String(error)]));";
    let found = browser.driver.execute_async(script, vec![]).await.expect("axe ends");
    found.convert().expect("a list of texts")
}

/// What the page asked of the network: the hosts that are not its own, and the bytes in all, without
/// pictures of screens and without noVNC, which a browser keeps for good after the first desktop.
async fn asked(browser: &Browser) -> (Vec<String>, u64) {
    let script = "const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];\
        return {\
          foreign: all.map((one) => one.name).filter((name) => new URL(name).origin !== location.origin && !name.startsWith('blob:')),\
          bytes: all.filter((one) => !one.name.includes('/screenshot') && !one.name.includes('/novnc/')).map((one) => one.transferSize).reduce((a, b) => a + b, 0),\
        };";
    let all = browser.script(script).await;
    let foreign = all["foreign"].as_array().expect("a list").iter().map(Value::to_string).collect();
    (foreign, all["bytes"].as_u64().expect("a number"))
}

/// What was found on the pages so far.
struct Judged {
    axe: String,
    flaws: Vec<String>,
    /// The bytes of the heaviest page, and its name.
    heaviest: (u64, String),
}

impl Judged {
    fn nothing() -> Self {
        Self { axe: axe(), flaws: Vec::new(), heaviest: (0, String::new()) }
    }

    /// Judges the page that is open, in both looks of its language.
    async fn judge(&mut self, browser: &Browser, reader: &str, name: &str, (language, looks): Looks) {
        assert_eq!(browser.script("return document.documentElement.lang").await, language, "{name}");
        let (foreign, bytes) = asked(browser).await;
        self.flaws.extend(foreign.iter().map(|address| format!("{name}: asks {address}")));
        if bytes > self.heaviest.0 {
            self.heaviest = (bytes, name.to_owned());
        }
        browser.driver.execute(self.axe.as_str(), vec![]).await.expect("axe loads");
        for (colours, width) in looks {
            browser.look(colours, width).await;
            // A desktop is scaled to its window a frame later.
            browser.until(SCALED).await;
            let name = format!("{name}-{language}-{colours}-{width}");
            self.flaws.extend(judge(browser).await.iter().map(|flaw| format!("{name}: {flaw}")));
            browser.screenshot(&format!("page-{reader}-{name}")).await;
        }
    }

    fn none_is_found(self) {
        eprintln!("the heaviest page is {} with {} bytes", self.heaviest.1, self.heaviest.0);
        assert!(self.heaviest.0 <= MOST_BYTES, "{:?}", self.heaviest);
        assert!(self.flaws.is_empty(), "{} flaws:\n{}", self.flaws.len(), self.flaws.join("\n"));
    }
}

/// Opens an address as a reader of this language sees it.
async fn open(browser: &Browser, portal: &Portal, address: &str, language: &str) {
    browser.speak(language).await;
    browser.driver.goto(portal.gateway.url(address)).await.expect("a page");
    browser.until("document.readyState === 'complete'").await;
}

/// A browser that keeps nothing of what it loaded.
async fn forgetful() -> Browser {
    let browser = Browser::open(1280, 900).await;
    browser.cdp("Network.setCacheDisabled", json!({ "cacheDisabled": true })).await;
    browser
}

#[tokio::test]
async fn every_page_is_accessible_light_and_calls_nobody() {
    let (mut judged, portal) = (Judged::nothing(), Portal::start().await);
    let mut browser = forgetful().await;
    for reader in READERS {
        portal.become_reader(&mut browser, reader).await;
        for page in portal.pages(reader) {
            for looks in LOOKS {
                open(&browser, &portal, &page.address, looks.0).await;
                judged.judge(&browser, reader, page.name, looks).await;
            }
        }
    }
    judged.none_is_found();
}

#[tokio::test]
async fn every_answer_is_accessible_light_and_calls_nobody() {
    let (mut judged, mut portal) = (Judged::nothing(), Portal::start().await);
    portal.make_links().await;
    let mut browser = forgetful().await;
    for reader in READERS {
        portal.become_reader(&mut browser, reader).await;
        for answer in answers(reader) {
            for looks in LOOKS {
                // What is pressed is not hidden behind anything on a desk.
                browser.look("light", 1280).await;
                open(&browser, &portal, &portal.fill(answer.from), looks.0).await;
                answer.reach(&browser, &portal, looks.0).await;
                judged.judge(&browser, reader, answer.name, looks).await;
            }
        }
    }
    judged.none_is_found();
}
