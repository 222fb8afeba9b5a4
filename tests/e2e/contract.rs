//! The API against its own description: schemathesis makes requests from the OpenAPI document, fitting
//! and unfitting ones, and judges every answer by it.

use std::path::PathBuf;
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

/// The description as the fuzzer is told it: with what there is on this gateway.
async fn description(gateway: &Gateway, label: &str) -> PathBuf {
    let (status, mut document) = ask(gateway, Method::GET, "/api/v1/openapi.json", &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    let (_, page) = ask(gateway, Method::GET, "/api/v1/sessions?limit=1", &Value::Null).await;
    let schemas = &mut document["components"]["schemas"];
    for asked in ["NewSession", "NewGrant", "NewToken", "HowToStart"] {
        for (name, values) in [
            ("template", json!(["app"])),
            ("owner", json!(["ann", "bob"])),
            ("user", json!(["bob"])),
            ("instead_of", json!([label])),
        ] {
            offer(&mut schemas[asked], name, &values);
        }
    }
    let cursor = page["next"].as_str().expect("two sessions make two pages").to_owned();
    for (name, values) in [
        ("label", json!([label, "nosuchlabel"])),
        ("name", json!(["app", "nothing"])),
        ("cursor", json!([cursor])),
    ] {
        offer(&mut document["paths"], name, &values);
    }
    // There is one template, so no list of them goes on.
    if let Some(parameters) = document["paths"]["/api/v1/templates"]["get"]["parameters"].as_array_mut() {
        parameters.retain(|parameter| parameter["name"] != "cursor");
    }
    // A key names one request. The fuzzer would give its simplest one to many, which is refused.
    let operations = document["paths"].as_object_mut().expect("paths").values_mut();
    for operation in operations.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        if let Some(parameters) = operation["parameters"].as_array_mut() {
            parameters.retain(|parameter| parameter["name"] != "Idempotency-Key");
        }
    }
    let path = gateway.path("openapi.json");
    std::fs::write(&path, document.to_string()).expect("the description is written");
    path
}

/// Lets the fuzzer loose with this token; panics with what it found.
async fn fuzz(gateway: &Gateway, label: &str, who: &str, token: Option<&str>) {
    let description = description(gateway, label).await;
    let mut command = Command::new(fuzzer());
    command.arg("run").arg(description).current_dir(gateway.path(""));
    command.args(["--url", gateway.url("").trim_end_matches('/'), "--checks", "all"]);
    command.arg("--tls-verify").arg(gateway.path("certs/ca.pem"));
    command.args(["--seed", "20261129", "--max-examples", "12", "--phases", "coverage,fuzzing"]);
    command.args(["--request-timeout", "30", "--suppress-health-check", "all", "--no-color"]);
    // The resources whose descriptions say every bound of what they take.
    for tag in ["sessions", "templates", "tokens", "status"] {
        command.args(["--include-tag", tag]);
    }
    for operation in ["list_grants", "create_grant", "withdraw_grant"] {
        command.args(["--include-operation-id", operation]);
    }
    // An event stream does not end, so no answer would ever be whole; and a pull asks a registry
    // outside.
    command.args(["--exclude-tag", "events", "--exclude-operation-id", "pull_template"]);
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
        .template(&illness("app", "http", "web"))
        .limits("max_sessions = 12\nmax_sessions_per_user = 2\n")
        .start()
        .await;
    let mut labels = Vec::new();
    for owner in ["ann", "bob"] {
        let wish = json!({ "template": "app", "owner": owner, "name": format!("{owner}'s") });
        let (status, made) = ask(&gateway, Method::POST, "/api/v1/sessions", &wish).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{made}");
        labels.push(made["label"].as_str().expect("a label").to_owned());
    }
    let of_ann = token(&gateway, "ann", "sessions:write").await;
    let of_root = token(&gateway, "root", "admin").await;
    fuzz(&gateway, &labels[0], "nobody", None).await;
    fuzz(&gateway, &labels[0], "a program of ann's", Some(&of_ann)).await;
    fuzz(&gateway, &labels[1], "a program of an administrator's", Some(&of_root)).await;
    let (status, _) = ask(&gateway, Method::GET, "/api/v1/sessions", &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "it still serves");
}
