use std::time::Duration;

use http::HeaderValue;
use http_body_util::BodyExt;

use super::*;
use crate::broker::BrokerError;
use crate::engine::EngineError;
use crate::store::{StoreError, UniqueKey};
use crate::thumbnail::ThumbnailError;

fn surface() -> Surface {
    Surface {
        place: Place::Portal,
        assets: "/assets/1".to_owned(),
        novnc: String::new(),
        home: "/".to_owned(),
        login: "/login".to_owned(),
        form_action: String::new(),
    }
}

async fn read(error: &dyn Answer, wants: Wants) -> (StatusCode, HeaderMap, String) {
    let response = failure(
        error,
        &Asker { wants, request_id: "r-42", surface: &surface(), language: Language::English },
    );
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).expect("text"))
}

#[derive(Debug, thiserror::Error)]
#[error("the secret path /etc/secret is broken")]
struct Bug;

impl Answer for Bug {
    fn fault(&self) -> Fault {
        Fault::Internal
    }

    fn code(&self) -> &'static str {
        "internal"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-request-refused").with("reason", "the secret path /etc/secret is broken")
    }
}

#[tokio::test]
async fn our_own_bugs_show_a_reference_and_nothing_else() {
    for wants in [Wants::Page, Wants::Problem] {
        let (status, _, text) = read(&Bug, wants).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(text.contains("r-42") && !text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn what_passes_by_itself_says_when_to_come_back() {
    let full = BrokerError::Full { running: 100, limit: 100 };
    let (status, headers, text) = read(&full, Wants::Page).await;
    assert_eq!((status, headers[RETRY_AFTER].as_bytes()), (StatusCode::TOO_MANY_REQUESTS, &b"60"[..]));
    assert!(text.contains("All places are taken"), "{text}");
    let (_, headers, text) = read(&full, Wants::Problem).await;
    assert_eq!(headers[CONTENT_TYPE], "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&problem["status"], &problem["code"]), (&json!(429), &json!("full")));
}

#[test]
fn each_fault_has_its_status() {
    let gone = EngineError::Gone;
    for (error, expected) in [
        (&NotFound as &dyn Answer, 404),
        (&BrokerError::TooMany { limit: 3 }, 409),
        (&BrokerError::Store(StoreError::Conflict(UniqueKey::SessionName)), 409),
        (&StoreError::Unavailable { detail: String::new() }, 503),
        (&Bug, 500),
        (&crate::auth::policy::Denied, 404),
        (&crate::auth::AuthError::CsrfFailed, 403),
        (&crate::auth::AuthError::LoginRequired, 401),
        (&crate::auth::AuthError::Throttled { retry_after: Duration::from_secs(1) }, 429),
        (&ThumbnailError::NoScreen, 409),
        (&ThumbnailError::NotRunning, 409),
        (&ThumbnailError::NotSeen, 409),
        (&ThumbnailError::Busy, 503),
        (&ThumbnailError::Unseen { why: String::new() }, 503),
    ] {
        assert_eq!(status(error).as_u16(), expected, "{error}");
    }
    assert!(status(&gone).is_server_error());
}

#[test]
fn browsers_that_navigate_get_pages_and_scripts_get_problems() {
    for (mode, accept, expected) in [
        (Some("navigate"), Some("*/*"), Wants::Page),
        (Some("cors"), Some("text/html"), Wants::Problem),
        (None, Some("text/html,application/xhtml+xml"), Wants::Page),
        (None, Some("application/json"), Wants::Problem),
        (None, None, Wants::Problem),
    ] {
        let mut headers = HeaderMap::new();
        if let Some(mode) = mode {
            headers.insert("sec-fetch-mode", HeaderValue::from_static(mode));
        }
        if let Some(accept) = accept {
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
        }
        assert_eq!(Wants::of(&headers), expected, "{mode:?} {accept:?}");
    }
}
