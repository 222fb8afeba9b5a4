//! What the audit says of users who were not created, changed or removed.

use super::*;
use crate::auth::import::sheet;

fn new(name: &str, role: Role, password: &str) -> NewUser {
    NewUser { name: name.to_owned(), role, password: secret(password) }
}

/// What was refused, as change, target and code.
async fn refused(rig: &Rig) -> Vec<[String; 3]> {
    let audit = rig.audit().await;
    let of = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let lines = audit.iter().filter(|line| line["event"] == "user_refused");
    lines.map(|line| ["change", "target", "code"].map(|name| of(line, name))).collect()
}

#[tokio::test]
async fn a_user_who_is_not_created_is_told_with_the_reason() {
    let rig = Rig::new();
    rig.user("ann").await;
    let long = "x".repeat(200);
    for (name, password) in [
        ("ANN", PASSWORD),
        ("system", PASSWORD),
        (" bob ", "short"),
        ("eve", "eve eve eve"),
        (&long, PASSWORD),
    ] {
        let created = rig.auth.create_user(&Actor::cli(), new(name, Role::User, password)).await;
        assert_eq!(created.is_ok(), name == "eve", "{name}");
    }
    rig.auth.import_user(&Actor::cli(), "Ann", Role::User, secret("*")).await.unwrap_err();
    let told = refused(&rig).await;
    let expected = [
        ["create", "ANN", "user_taken"],
        ["create", "system", "name_invalid"],
        ["create", "bob", "password_weak"],
        ["create", &long[..64], "name_invalid"],
        ["create", "Ann", "user_taken"],
    ];
    assert_eq!(told, expected);
    let audit = rig.audit().await;
    let weak = audit.iter().find(|line| line["target"] == "bob").unwrap();
    assert_eq!((&weak["outcome"], &weak["actor"]), (&"refused".into(), &"cli".into()));
    assert!(weak["text"].as_str().unwrap().contains("shorter than 8 characters"), "{weak}");
    assert!(weak["detail"].as_str().unwrap().contains("shorter than 8 characters"), "{weak}");
    assert!(!weak.to_string().contains("\"short\""), "no password is told: {weak}");
}

#[tokio::test]
async fn a_change_that_is_not_made_is_told_once_a_minute_with_the_reason() {
    let rig = Rig::new();
    let cli = Actor::cli();
    let root = rig.auth.create_user(&cli, new("root", Role::Admin, PASSWORD)).await.unwrap().id;
    let login = rig.log_in("root", PASSWORD).await.unwrap();
    let visitor = visitor("192.0.2.1");
    for _ in 0..3 {
        rig.auth.set_password(&cli, root, &secret("short"), Renewal::Optional).await.unwrap_err();
        let (present, weak) = (secret(PASSWORD), secret("root"));
        rig.auth.change_password(&login.principal, &present, &weak, &visitor).await.unwrap_err();
        rig.auth.set_role(&cli, root, Role::User).await.unwrap_err();
        rig.auth.disable_user(&cli, root).await.unwrap_err();
        rig.auth.remove_user(&cli, root).await.unwrap_err();
        rig.auth.enable_user(&cli, UserId::random()).await.unwrap_err();
    }
    let expected = [
        ["set_password", "root", "password_weak"],
        ["change_password", "root", "password_weak"],
        ["set_role", "root", "last_admin"],
        ["disable", "root", "last_admin"],
        ["remove", "root", "last_admin"],
        ["enable", "", "user_unknown"],
    ];
    assert_eq!(refused(&rig).await, expected);
    let audit = rig.audit().await;
    let own = audit.iter().find(|line| line["change"] == "change_password").unwrap();
    assert_eq!((&own["actor"], &own["address"]), (&"root".into(), &"192.0.2.1".into()));
}

#[tokio::test]
async fn a_wrong_present_password_is_a_refused_login_and_no_second_line() {
    let rig = Rig::new();
    rig.user("ann").await;
    let login = rig.log_in("ann", PASSWORD).await.unwrap();
    let (guess, fine) = (secret("a guess"), secret("another fine one"));
    let visitor = visitor("192.0.2.1");
    rig.auth.change_password(&login.principal, &guess, &fine, &visitor).await.unwrap_err();
    assert!(refused(&rig).await.is_empty());
    assert!(rig.audit().await.iter().any(|line| line["event"] == "login_refused"));
}

#[tokio::test]
async fn a_row_that_is_refused_makes_one_line() {
    let rig = Rig::new();
    rig.auth.create_user(&Actor::cli(), new("root", Role::Admin, PASSWORD)).await.unwrap();
    let rows = sheet::read(b"name,role,password\nroot,user,\nbob,,short\nsystem,,\n").unwrap();
    rig.auth.import(&Actor::cli(), rows, |_| ()).await.unwrap();
    let expected = [
        ["import", "root", "last_admin"],
        ["import", "bob", "password_weak"],
        ["import", "system", "name_invalid"],
    ];
    assert_eq!(refused(&rig).await, expected);
    let audit = rig.audit().await;
    let lines: Vec<_> = audit.iter().filter(|line| line["event"] == "user_refused").collect();
    assert!(lines.iter().all(|line| line["outcome"] == "refused" && line["text"] != ""), "{lines:?}");
}
