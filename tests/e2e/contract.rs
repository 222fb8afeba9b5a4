//! The API against its own description: schemathesis makes requests from the OpenAPI document, fitting
//! and unfitting ones, and judges every answer by it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::gateway::{Gateway, TOKEN, illness};

/// Where `.ci/prerequisites test` puts the fuzzer.
fn fuzzer() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").expect("a home")).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    let fuzzer = cache.join("berth-ci/schemathesis/bin/schemathesis");
    assert!(fuzzer.is_file(), "{} is missing: run .ci/prerequisites test", fuzzer.display());
    fuzzer
}

async fn ask(gateway: &Gateway, method: Method, path: &str, document: &Value) -> (StatusCode, Value) {
    let request = gateway.client().request(method, gateway.url(path)).bearer_auth(TOKEN).json(document);
    let answer = request.send().await.expect("an answer");
    (answer.status(), answer.json().await.unwrap_or_default())
}

/// Says what every parameter or property called `name` may be, wherever there is one in the
/// description: what exists on this gateway, and something that does not. The fuzzer cannot guess names.
fn offer(document: &mut Value, name: &str, values: &Value) {
    match document {
        Value::Object(fields) => {
            if fields.get("name").is_some_and(|found| found == name)
                && let Some(schema) = fields.get_mut("schema").and_then(Value::as_object_mut)
            {
                restrict(schema, values);
            }
            for (key, inner) in fields.iter_mut() {
                if key == "properties"
                    && let Some(schema) = inner.get_mut(name).and_then(Value::as_object_mut)
                {
                    restrict(schema, values);
                }
                offer(inner, name, values);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| offer(item, name, values)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn restrict(schema: &mut Map<String, Value>, values: &Value) {
    for bound in ["pattern", "minLength", "maxLength"] {
        schema.remove(bound);
    }
    schema.insert("enum".to_owned(), values.clone());
}

/// What there is on the gateway for the fuzzer to name.
struct Known<'a> {
    /// A session that is whoever's turn it is.
    label: &'a str,
    /// A user whom it may change.
    user: &'a str,
    /// One whom it may remove.
    spare: &'a str,
}

/// The description as the fuzzer is told it: with what there is on this gateway.
async fn description(gateway: &Gateway, known: &Known<'_>) -> PathBuf {
    let (status, mut document) = ask(gateway, Method::GET, "/api/v1/openapi.json", &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    let schemas = &mut document["components"]["schemas"];
    for asked in ["NewSession", "NewGrant", "NewToken", "HowToStart", "Remove"] {
        for (name, values) in [
            ("template", json!(["app"])),
            ("username", json!(["ann", "bob"])),
            ("owner", json!(["ann", "bob"])),
            ("user", json!(["bob"])),
            ("instead_of", json!([known.label])),
        ] {
            offer(&mut schemas[asked], name, &values);
        }
    }
    offer_cursors(gateway, &mut document["paths"], known).await;
    for (path, operations) in document["paths"].as_object_mut().expect("paths") {
        for (method, operation) in operations.as_object_mut().expect("operations") {
            let user = if method == "delete" { known.spare } else { known.user };
            let named = if path.contains("/users/{name}") { user } else { "app" };
            for (name, values) in [
                ("label", json!([known.label, "nosuchlabel"])),
                ("session", json!([known.label, "nosuchlabel"])),
                ("name", json!([named, "nothing"])),
                ("since", json!(["12h", "2026-01-31", "2026-01-31T08:15:00+01:00"])),
                ("until", json!(["0s", "2026-01-31T08:15:00Z"])),
            ] {
                offer(operation, name, &values);
            }
            // A key names one request. The fuzzer would give its simplest one to many, which is refused.
            if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
                parameters.retain(|parameter| parameter["name"] != "Idempotency-Key");
            }
            let sheets = json!([
                "name\nfuzzed\n",
                "name;role\nfuzzed;user\nann;admin\n",
                "name,password\nfuzzed,short\n"
            ]);
            if let Some(schema) = operation.pointer_mut("/requestBody/content/text~1csv/schema") {
                schema["enum"] = sheets;
            }
        }
    }
    let path = gateway.path(&format!("{}.json", known.label));
    std::fs::write(&path, document.to_string()).expect("the description is written");
    path
}

/// A cursor is what a list said before: each gets one of its own, or none where one page holds all.
async fn offer_cursors(gateway: &Gateway, paths: &mut Value, known: &Known<'_>) {
    for (path, operations) in paths.as_object_mut().expect("paths") {
        let Some(parameters) = operations.pointer_mut("/get/parameters").and_then(Value::as_array_mut) else {
            continue;
        };
        if !parameters.iter().any(|parameter| parameter["name"] == "cursor") {
            continue;
        }
        let list = path.replace("{label}", known.label).replace("{name}", known.user);
        let (status, page) = ask(gateway, Method::GET, &format!("{list}?limit=1"), &Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{list}: {page}");
        match &page["next"] {
            Value::Null => parameters.retain(|parameter| parameter["name"] != "cursor"),
            next => offer(&mut operations["get"], "cursor", &json!([next])),
        }
    }
}

/// Lets the fuzzer loose with this token, on the operations that these options select; panics with
/// what it found.
async fn fuzz(gateway: &Gateway, description: &Path, who: &str, token: Option<&str>, on: &[&str]) {
    let mut command = Command::new(fuzzer());
    command.arg("run").arg(description).current_dir(gateway.path(""));
    command.args(["--url", gateway.url("").trim_end_matches('/'), "--checks", "all"]);
    command.arg("--tls-verify").arg(gateway.path("certs/ca.pem"));
    command.args(["--seed", "20261129", "--max-examples", "12", "--phases", "coverage,fuzzing"]);
    command.args(["--request-timeout", "30", "--suppress-health-check", "all", "--no-color"]);
    // An event stream does not end, so no answer would ever be whole; and a pull asks a registry
    // outside.
    command.args(["--exclude-tag", "events", "--exclude-operation-id", "pull_template"]).args(on);
    if let Some(token) = token {
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    let output = tokio::task::block_in_place(|| command.stdin(Stdio::null()).output());
    let output = output.expect("the fuzzer runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "as {who}:\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Makes a token that acts as `user`, and returns its text.
async fn token(gateway: &Gateway, user: &str, scope: &str) -> String {
    let wish = json!({ "name": "fuzzer", "scopes": [scope], "user": user });
    let (status, made) = ask(gateway, Method::POST, "/api/v1/tokens", &wish).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made["secret"].as_str().expect("its text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_what_the_description_says() {
    let gateway = Gateway::builder()
        .template("[compat]\ntemplate = \"app\"\n")
        .template(&illness("app", "http", "web"))
        .template(&illness("desktop", "rfb", "web"))
        .limits("max_sessions = 6\nmax_sessions_per_user = 2\n")
        .start()
        .await;
    let mut labels = Vec::new();
    for owner in ["ann", "bob"] {
        let wish = json!({ "template": "app", "owner": owner, "name": format!("{owner}'s") });
        let (status, made) = ask(&gateway, Method::POST, "/api/v1/sessions", &wish).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{made}");
        labels.push(made["label"].as_str().expect("a label").to_owned());
    }
    for name in ["kim", "lee", "max"] {
        let (status, made) = ask(&gateway, Method::POST, "/api/v1/users", &json!({ "name": name })).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
    }
    for client in ["room 1", "room 2"] {
        let wish = json!({ "action": "access", "client_id": client });
        let (status, made) = ask(&gateway, Method::POST, "/api/v1/links", &wish).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
    }
    let of_ann = token(&gateway, "ann", "sessions:write").await;
    let of_root = token(&gateway, "root", "admin").await;
    let anns = description(&gateway, &Known { label: &labels[0], user: "kim", spare: "lee" }).await;
    let bobs = description(&gateway, &Known { label: &labels[1], user: "kim", spare: "max" }).await;
    fuzz(&gateway, &anns, "nobody", None, &[]).await;
    fuzz(&gateway, &anns, "a program of ann's", Some(&of_ann), &[]).await;
    // Whoever is created may be called what an address is not told to name, so they come last.
    let that = |option| ["create_user", "spawn_desktop"].map(|name| [option, name]).concat();
    let (rest, last) = (that("--exclude-operation-id"), that("--include-operation-id"));
    fuzz(&gateway, &bobs, "a program of an administrator's", Some(&of_root), &rest).await;
    fuzz(&gateway, &bobs, "one that creates users", Some(&of_root), &last).await;
    let (status, _) = ask(&gateway, Method::GET, "/api/v1/sessions", &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "it still serves");
}
