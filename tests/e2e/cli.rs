//! The command line as administrators use it: filters, many at once, questions, words, and from afar.

use serde_json::Value;

use crate::gateway::{Gateway, TOKEN, illness};

fn json(gateway: &Gateway, arguments: &[&str]) -> Value {
    serde_json::from_str(&gateway.berth(arguments, None)).expect("JSON was asked for")
}

/// Exit code and what it said on standard error.
fn refused(gateway: &Gateway, arguments: &[&str]) -> (Option<i32>, String) {
    let output = gateway.try_berth(arguments, None);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn labels(rows: &Value) -> Vec<String> {
    let rows = rows.as_array().expect("a list").iter();
    rows.map(|row| row["label"].as_str().expect("a label").to_owned()).collect()
}

#[tokio::test]
async fn an_admin_does_everything_with_sessions_from_the_command_line() {
    let mut gateway = Gateway::builder()
        .template(&illness("web", "http", "web"))
        .limits("stop_grace_s = 1\nmax_sessions_per_user = 5")
        .start()
        .await;
    for (owner, name) in [("ann", "first"), ("ann", "second"), ("bob", "third")] {
        let said = gateway.berth(&["session", "create", "web", name, "--owner", owner], None);
        assert!(said.contains("is starting"), "{said}");
    }
    let (code, words) = refused(&gateway, &["session", "create", "web", "x", "--owner", "anne"]);
    assert_eq!(code, Some(5));
    assert!(words.contains("did you mean ann?"), "{words}");
    {
        let ann = gateway.login("ann").await;
        for label in labels(&json(&gateway, &["session", "list", "--json"])) {
            ann.until(&label, "ready").await;
        }
    }

    let of_ann = labels(&json(&gateway, &["session", "list", "--of", "ANN", "--state", "ready", "--json"]));
    assert_eq!(of_ann.len(), 2);
    let table = gateway.berth(&["session", "list", "--search", "third"], None);
    assert!(table.starts_with("LABEL") && table.lines().count() == 2 && table.contains("bob"), "{table}");
    let shown = json(&gateway, &["session", "show", &of_ann[0], "--json"]);
    assert_eq!((&shown["session"]["state"], &shown["grants"]), (&"ready".into(), &Value::Array(vec![])));
    let (code, words) = refused(&gateway, &["session", "show", "first"]);
    assert!(code == Some(5) && words.contains(&format!("did you mean {}?", of_ann[0])), "{words}");

    gateway.berth(&["session", "pause", &of_ann[0]], None);
    assert_eq!(json(&gateway, &["session", "show", &of_ann[0], "--json"])["session"]["state"], "paused");
    gateway.berth(&["session", "resume", &of_ann[0]], None);
    gateway.berth(&["session", "extend", &of_ann[0]], None);

    // What destroys is not done by a slip.
    for arguments in [&["session", "remove", &of_ann[0]][..], &["session", "stop", "--all"]] {
        let (code, words) = refused(&gateway, arguments);
        assert!(code == Some(5) && words.contains("--yes"), "{words}");
    }
    let (code, words) = refused(&gateway, &["session", "stop", &of_ann[0], "--of", "ann"]);
    assert!(code == Some(5) && words.contains("--all"), "{words}");
    gateway.berth(&["session", "stop", "--all", "--of", "ann", "--yes"], None);
    let stopped = labels(&json(&gateway, &["session", "list", "--state", "stopped", "--json"]));
    assert_eq!(stopped, of_ann);
    gateway.berth(&["session", "remove", &of_ann[1], "--yes"], None);
    assert_eq!(labels(&json(&gateway, &["session", "list", "--json"])).len(), 2);

    from_afar(&gateway, &of_ann[0]).await;

    // The same on the store when nobody serves it.
    assert!(gateway.terminate());
    assert_eq!(
        labels(&json(&gateway, &["session", "list", "--state", "stopped", "--json"])),
        [of_ann[0].clone()]
    );
    let (code, words) = refused(&gateway, &["session", "start", &of_ann[0]]);
    assert!(code == Some(4) && words.contains("no gateway runs"), "{words}");
    gateway.berth(&["session", "remove", "--all", "--yes"], None);
    assert!(gateway.berth(&["session", "list"], None).contains("no sessions"));
    assert!(gateway.containers().is_empty());
}

/// The same commands from another machine, through the API.
async fn from_afar(gateway: &Gateway, stopped: &str) {
    let token = gateway.path("token").display().to_string();
    std::fs::write(&token, format!("{TOKEN}\n")).expect("the test's own directory");
    let (url, ca) = (gateway.url(""), gateway.path("certs/ca.pem").display().to_string());
    let there = ["--url", &url, "--token-file", &token, "--ca-file", &ca];
    let with = |arguments: &[&'static str]| -> Vec<String> {
        arguments.iter().chain(&there).map(|word| (*word).to_owned()).collect()
    };
    let run = |words: &[String]| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        gateway.berth(&words, None)
    };
    let rows: Value = serde_json::from_str(&run(&with(&["session", "list", "--json"]))).expect("JSON");
    assert_eq!(labels(&rows).len(), 2);
    assert!(run(&with(&["template", "list"])).contains("web"));
    let start = [vec!["session".to_owned(), "start".to_owned(), stopped.to_owned()], with(&[])].concat();
    assert!(run(&start).contains("under way"));
    let ann = gateway.login("ann").await;
    ann.until(stopped, "ready").await;
    gateway.berth(&["session", "stop", stopped], None);

    // Not trusted, not known, not there.
    let arguments = ["session", "list", "--url", &url, "--token-file", &token];
    let (code, words) = refused(gateway, &arguments);
    assert!(code == Some(4) && words.contains("--ca-file"), "{words}");
    std::fs::write(&token, "another text of at least thirty-two characters")
        .expect("the test's own directory");
    let (code, words) = refused(gateway, &[&["session", "list"][..], &there].concat());
    assert!(code == Some(5) && words.contains("does not accept the token"), "{words}");
    std::fs::write(&token, TOKEN).expect("the test's own directory");
    let (code, words) = refused(gateway, &[&["session", "show", "nobody"][..], &there].concat());
    assert!(code == Some(5) && words.contains("There is no such machine"), "{words}");
    users_from_afar(gateway, &there);
}

/// Users, tokens, links and what there is room for, the same way.
fn users_from_afar(gateway: &Gateway, there: &[&str]) {
    let run = |words: &[&str], input: Option<&str>| gateway.berth(&[words, there].concat(), input);
    assert!(
        run(&["user", "add", "dee", "--password-stdin"], Some("a fine password\n")).contains("dee added")
    );
    assert!(run(&["user", "limits", "dee", "--max-sessions", "2"], None).contains("sessions 2"));
    assert!(run(&["user", "limits", "dee", "--max-cpus", "1.5"], None).contains("sessions 2, CPU cores 1.5"));
    assert!(run(&["user", "role", "dee", "admin"], None).contains("admin now"));
    assert!(run(&["user", "show", "dee"], None).contains("sessions 2, CPU cores 1.5"));
    let list = gateway.path("people.csv").display().to_string();
    std::fs::write(&list, "name;role\n\nDEE;user\nzoé;\nxav;teacher\n").expect("the test's own directory");
    let import = |more: &[&'static str]| {
        let words = [&["user", "import", "--csv", list.as_str(), "--json"][..], more, there].concat();
        // A list with a refused row ends as a failure, and says all rows all the same.
        serde_json::from_slice::<Value>(&gateway.try_berth(&words, None).stdout).expect("JSON")
    };
    for (dry, made) in [(true, false), (false, true)] {
        let rows = import(if dry { &["--dry-run"] } else { &[] });
        let told: Vec<_> =
            rows.as_array().expect("rows").iter().map(|row| (&row["line"], &row["result"])).collect();
        assert_eq!(
            told,
            [(&3.into(), &"changed".into()), (&4.into(), &"created".into()), (&5.into(), &"refused".into())]
        );
        assert_eq!(rows[1]["password"].is_string(), made, "{rows}");
    }
    run(&["user", "disable", "zoé"], None);
    assert!(run(&["user", "logout", "dee"], None).contains("ended"));
    assert!(run(&["user", "remove", "zoé", "--yes"], None).contains("zoé and 0 sessions removed"));
    let token = run(&["token", "create", "timetable", "--scope", "sessions:read"], None);
    assert!(token.starts_with("berth_"), "{token}");
    let tokens: Value = serde_json::from_str(&run(&["token", "list", "--json"], None)).expect("JSON");
    let id = tokens[0]["id"].as_str().expect("an id").to_owned();
    assert!(run(&["token", "revoke", &id], None).contains("revoked"));
    let link: Value =
        serde_json::from_str(&run(&["link", "create", "--remove-all", "--json"], None)).expect("JSON");
    assert!(link["url"].as_str().expect("an address").starts_with(&gateway.url("/link/")), "{link}");
    run(&["link", "revoke", link["link"]["id"].as_str().expect("an id")], None);
    let capacity: Value = serde_json::from_str(&run(&["capacity", "--json"], None)).expect("JSON");
    assert!(capacity.is_object(), "{capacity}");
}
