//! Moving in from the three systems: their `.env`, their users, their scripts.

use serde_json::{Value, json};

use crate::gateway::{Gateway, PASSWORD, docker, eventually, hidden_fields};

/// A gateway that was set up from the `.env` file of another system. What differs on this machine comes from the
/// environment, as an operator would do it for a trial.
async fn moved_in(name: &str, env: &str) -> Gateway {
    let mut gateway = Gateway::builder().prepare();
    let ours =
        std::fs::read_to_string(gateway.path("config/berth.toml")).expect("the test's own configuration");
    let value = |key: &str| {
        let line = ours.lines().find(|line| line.starts_with(&format!("{key} = "))).expect("the key");
        line.split_once(" = ").expect("a value").1.trim_matches('"').to_owned()
    };
    for (variable, key) in [
        ("BERTH__SERVER__METRICS", "metrics"),
        ("BERTH__ENGINE__NETWORK", "network"),
        ("BERTH__ENGINE__SUBNET", "subnet"),
        ("BERTH__VIEWER__NOVNC", "novnc"),
    ] {
        gateway.env.push((variable.to_owned(), value(key)));
    }
    gateway.env.push(("BERTH__SERVER__LISTEN".to_owned(), format!("127.0.0.1:{}", gateway.port)));
    gateway.env.push(("BERTH__SERVER__DOMAIN".to_owned(), "localhost".to_owned()));
    std::fs::write(gateway.path("old.env"), env).expect("the test's own directory");

    let dry = gateway.berth(&["setup", "--from-env", "old.env", "--dry-run"], None);
    assert!(dry.contains("would be written") && dry.contains(name), "{dry}");
    let refused = gateway.try_berth(&["setup", "--from-env", "old.env"], None);
    assert_eq!(refused.status.code(), Some(5), "what is there is not overwritten");
    gateway.berth(&["setup", "--from-env", "old.env", "--force"], None);
    assert_eq!(std::fs::read_to_string(gateway.path("config/berth.toml.old")).expect("it is kept"), ours);
    gateway.berth(&["check-config"], None);
    gateway.serve().await;
    gateway
}

async fn ask(
    gateway: &Gateway,
    method: reqwest::Method,
    path: &str,
    token: &str,
    document: &Value,
) -> (u16, Value) {
    let request = gateway.client().request(method, gateway.url(path)).bearer_auth(token);
    let request = request.header("accept", "application/json").header("content-type", "application/json");
    let answer = request.body(document.to_string()).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_kiosk_orchestrator_s_env_becomes_a_gateway_that_shows_its_page() {
    let token = "a-token-of-the-kiosk-orchestrator-40-chars";
    let env = format!(
        "# kiosk orchestrator\nKIOSK_URL=about:blank\nKIOSK_WIDTH=1024\nKIOSK_HEIGHT=768\nMAX_CONTAINERS=5\nIDLE_TIMEOUT=300\n\
         CLEANUP_INTERVAL=30\nNETWORK_NAME=kiosk-net\nNETWORK_SUBNET=172.30.0.0/16\nSTATE_FILE=/data/state.json\n\
         HOST=0.0.0.0\nPORT=5000\nIMAGE=acme/kiosk:latest\nAPI_TOKEN={token}\n"
    );
    let gateway = moved_in("kiosk", &env).await;
    let (status, told) = ask(&gateway, reqwest::Method::GET, "/access?id=one", token, &Value::Null).await;
    assert_eq!((status, &told["client_id"]), (303, &json!("one")), "{told}");
    eventually("the kiosk runs", || async {
        let (_, status) = ask(&gateway, reqwest::Method::GET, "/status", token, &Value::Null).await;
        (status["max_slots"] == 5 && status["records"][0]["client_id"] == "one").then_some(())
    })
    .await;
    let name = told["container_name"].as_str().expect("a name");
    assert_eq!(docker(&["exec", name, "printenv", "KIOSK_URL", "WIDTH", "HEIGHT"]), "about:blank\n1024\n768");
}

#[tokio::test]
async fn a_desktop_manager_s_env_becomes_desktops_under_their_users_names() {
    let homes = tempfile::Builder::new().prefix("berth-homes").tempdir().expect("a temporary directory");
    let token = "a-token-of-the-desktop-manager-of-40-chars";
    let env = format!(
        "DOMAIN=desk.example.org\nAPI_TOKEN={token}\nLETSENCRYPT_EMAIL=ops@example.org\nDATA_DIR={}\nCPU_LIMIT=1\n\
         MEMORY_LIMIT=1g\nIDLE_TIMEOUT_MINUTES=30\nIMAGE=acme/desktop\nNETWORK=traefik\nPORT=3000\n",
        homes.path().display()
    );
    let gateway = moved_in("manager", &env).await;
    let wish = json!({ "username": "ann", "vncPassword": "hunter22" });
    let (status, told) = ask(&gateway, reqwest::Method::POST, "/api/v1/spawn", token, &wish).await;
    assert_eq!((status, &told["success"]), (201, &json!(true)), "{told}");
    assert_eq!(told["url"], format!("https://ann.localhost:{}/", gateway.port));
    let ann = gateway.login("ann").await;
    ann.until("ann", "ready").await;
    let container = gateway.container("ann");
    assert_eq!(docker(&["inspect", "-f", "{{.HostConfig.Memory}}", &container]), (1_u64 << 30).to_string());
    eventually("her home is where it was", || async { homes.path().join("ann").is_dir().then_some(()) })
        .await;
    // Her name leads to her desktop, by way of the portal's login and back.
    let sent = ann.client.get(gateway.url("/open/ann")).send().await.expect("an answer");
    let location = sent.headers()["location"].to_str().expect("a location").to_owned();
    assert!(
        location.starts_with(&format!("https://ann.localhost:{}/.berth/enter?ticket=", gateway.port)),
        "{location}"
    );

    let (status, removed) =
        ask(&gateway, reqwest::Method::POST, "/api/v1/remove", token, &json!({ "username": "ann" })).await;
    assert_eq!((status, &removed["success"], &removed["removed"]), (200, &json!(true), &json!(true)));
    let (status, unknown) =
        ask(&gateway, reqwest::Method::POST, "/api/v1/remove", token, &json!({ "username": "yan" })).await;
    assert_eq!((status, &unknown["success"], &unknown["code"]), (404, &json!(false), &json!("user_unknown")));
    assert_eq!(unknown["error"], unknown["detail"]);
    eventually("it is gone", || async { gateway.containers().is_empty().then_some(()) }).await;
    a_new_user_reaches_their_desktop(&gateway, token).await;
}

/// From a script's request to the page of the viewer, at the user's own address.
async fn a_new_user_reaches_their_desktop(gateway: &Gateway, token: &str) {
    let wish = json!({ "username": "zoe" });
    let (status, told) = ask(gateway, reqwest::Method::POST, "/api/v1/spawn", token, &wish).await;
    assert_eq!(status, 201, "{told}");
    let first = told["first_password"].as_str().expect("she was not there").to_owned();
    let url = told["url"].as_str().expect("an address").to_owned();
    assert_eq!(url, format!("https://zoe.localhost:{}/", gateway.port));
    let (_, again) = ask(gateway, reqwest::Method::POST, "/api/v1/spawn", token, &wish).await;
    assert_eq!(again["first_password"], Value::Null, "it is told once");

    // Browsers find every name below `localhost` by themselves. Strict verifiers take no wildcard right
    // below a top-level domain, which this test's is for want of a name server.
    let browser = || {
        let builder = gateway.client_builder().resolve("zoe.localhost", gateway.address());
        builder.tls_danger_accept_invalid_hostnames(true).build()
    };
    let zoe = gateway.login_with(browser().expect("a client"), "zoe", &first).await;
    let form = hidden_fields(&zoe.page("/account").await);
    let csrf = form.iter().find(|(name, _)| name == "csrf").expect("the form's secret").1.clone();
    let passwords = [("csrf", csrf.as_str()), ("present", &first), ("new", PASSWORD), ("again", PASSWORD)];
    let changed = zoe
        .client
        .post(gateway.url("/account"))
        .header("origin", format!("https://localhost:{}", gateway.port))
        .header("sec-fetch-site", "same-origin")
        .form(&passwords)
        .send()
        .await
        .expect("an answer");
    let location = changed.headers().get("location").and_then(|at| at.to_str().ok()).unwrap_or_default();
    assert_eq!((changed.status().as_u16(), location), (303, "/login?changed=yes"));
    assert!(!gateway.log().contains(&first), "it is in no log");

    let zoe = gateway.login_with(browser().expect("a client"), "zoe", PASSWORD).await;
    zoe.until("zoe", "ready").await;
    let mut at: reqwest::Url = url.parse().expect("an address");
    let page = loop {
        let answer = zoe.client.get(at.clone()).send().await.expect("an answer");
        let Some(next) = answer.headers().get("location") else { break answer };
        at = at.join(next.to_str().expect("a location")).expect("an address");
    };
    assert_eq!((page.status().as_u16(), at.as_str()), (200, url.as_str()), "she is where she was sent");
    let page = page.text().await.expect("a page");
    assert!(page.contains("id=\"viewer\""), "{page}");
}

#[tokio::test]
async fn a_lab_portal_s_env_becomes_its_systems() {
    let env = "SECRET_KEY=hunter2\nMYSQL_HOST=db\nMYSQL_USER=portal\nMYSQL_PASSWORD=hunter3\nMYSQL_DATABASE=lab\n\
               SESSION_LIFETIME_MINUTES=60\nFLASK_ENV=production\nDOCKER_HOST=unix:///var/run/docker.sock\nPORT=8080\n";
    let gateway = moved_in("portal", env).await;
    let written = std::fs::read_to_string(gateway.path("config/berth.toml")).expect("it was written");
    assert!(!written.contains("hunter") && written.contains("login_ttl_s = 3600"), "{written}");
    let ann = gateway.login("ann").await;
    let page = ann.page("/").await;
    for system in ["Desktop", "Security lab", "Web development", "Databases"] {
        assert!(page.contains(system), "{system}: {page}");
    }
    let label = ann.create("desktop", "Ubuntu").await;
    ann.until(&label, "ready").await;
}

/// A mysqldump of the lab portal, its users' hashes with it: everybody logs in with the password they had.
#[tokio::test]
async fn a_lab_portal_s_users_log_in_with_their_old_passwords() {
    let gateway = Gateway::builder().start().await;
    let hash = bcrypt::hash(PASSWORD, 6).expect("a hash of the portal's kind");
    assert!(hash.starts_with("$2b$"), "{hash}");
    let dump = format!(
        "-- MySQL dump 10.13  Distrib 8.0.36\n\
         DROP TABLE IF EXISTS `machines`;\nCREATE TABLE `machines` (`id` int NOT NULL, `name` varchar(80));\n\
         INSERT INTO `machines` VALUES (1,'it''s; one');\n\
         CREATE TABLE `users` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `username` varchar(80) NOT NULL,\n  \
         `password_hash` varchar(255) NOT NULL,\n  `role` varchar(20) DEFAULT 'user',\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n\
         LOCK TABLES `users` WRITE;\n\
         INSERT INTO `users` VALUES (1,'zoe','{hash}','admin'),(2,'O\\'Neil','{hash}','user');\n\
         INSERT INTO `users` VALUES (3,'ann','{hash}','user');\nUNLOCK TABLES;\n"
    );
    let file = gateway.path("portal.sql").display().to_string();
    std::fs::write(&file, dump).expect("the test's own directory");
    gateway.berth(&["user", "import", "--mysql-dump", &file, "--dry-run"], None);
    assert!(!gateway.berth(&["user", "list"], None).contains("zoe"), "a trial run changes nothing");
    gateway.berth(&["user", "import", "--mysql-dump", &file], None);
    for user in ["zoe", "O'Neil", "ann"] {
        gateway.login(user).await;
    }
    assert!(gateway.berth(&["user", "show", "zoe"], None).contains("admin"));
}
