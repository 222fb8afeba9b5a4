//! The page of settings.

use http::StatusCode;

use super::desk::Desk;
use crate::session::Routing;
use crate::store::Role;

#[tokio::test]
async fn every_key_is_shown_with_its_meaning_and_origin_and_no_secret() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    let mut root = desk.log_in("root").await;
    let page = root.get("/admin/settings").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.len() < 100 * 1024, "{} bytes", page.text.len());
    for words in [
        "[limits]",
        "<code>away_s</code>",
        "<code>3600</code> seconds",
        "no human input: freeze after this",
        "config/berth.toml:",
        "[template desktop]",
    ] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    root.language = "fr";
    assert!(root.get("/admin/settings").await.text.contains("<code>3600</code> secondes"));
}
