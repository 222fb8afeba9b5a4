//! Every page with axe, as every kind of reader: in both languages, light and dark, on a desk and on a
//! telephone. What it asks of the network is looked at on the way.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::pages::{Page, Portal};

/// Who reads, in the words of `pages.txt`.
const READERS: [&str; 5] = ["anyone", "owner", "viewer", "guest", "admin"];

/// Two looks for each language: any two of language, colours and width meet in one of the four.
const LOOKS: [(&str, [(&str, u32); 2]); 2] =
    [("en", [("light", 1280), ("dark", 390)]), ("fr", [("dark", 1280), ("light", 390)])];

/// The most a page may take from the network, with everything it loads.
const MOST_BYTES: u64 = 100 * 1024;

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

/// Opens a page as a reader of this language sees it.
async fn open(browser: &Browser, portal: &Portal, page: &Page, language: &str) {
    browser.speak(language).await;
    browser.driver.goto(portal.gateway.url(&page.address)).await.expect("a page");
    browser.until("document.readyState === 'complete'").await;
    assert_eq!(browser.script("return document.documentElement.lang").await, language, "{}", page.address);
}

#[tokio::test]
async fn every_page_is_accessible_light_and_calls_nobody() {
    let (axe, portal) = (axe(), Portal::start().await);
    let mut browser = Browser::open(1280, 900).await;
    browser.cdp("Network.setCacheDisabled", json!({ "cacheDisabled": true })).await;
    let (mut found, mut heaviest) = (Vec::new(), (0, String::new()));
    for reader in READERS {
        portal.become_reader(&mut browser, reader).await;
        for page in portal.pages(reader) {
            for (language, looks) in LOOKS {
                open(&browser, &portal, &page, language).await;
                let (foreign, bytes) = asked(&browser).await;
                found.extend(foreign.iter().map(|name| format!("{}: asks {name}", page.name)));
                heaviest = heaviest.max((bytes, page.name.to_owned()));
                browser.driver.execute(axe.as_str(), vec![]).await.expect("axe loads");
                for (colours, width) in looks {
                    browser.look(colours, width).await;
                    let name = format!("{}-{language}-{colours}-{width}", page.name);
                    found.extend(judge(&browser).await.iter().map(|flaw| format!("{name}: {flaw}")));
                    browser.screenshot(&format!("page-{reader}-{name}")).await;
                }
            }
        }
    }
    eprintln!("the heaviest page is {} with {} bytes", heaviest.1, heaviest.0);
    assert!(heaviest.0 <= MOST_BYTES, "{heaviest:?}");
    assert!(found.is_empty(), "{} flaws:\n{}", found.len(), found.join("\n"));
}
