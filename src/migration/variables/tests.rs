//! The table of variables, and its copy in the documentation.

use super::*;

#[test]
fn the_earlier_row_wins_and_full_names_win_over_beginnings() {
    assert_eq!(find(System::Manager, "PORT").unwrap().becomes(), "named: `server.listen`");
    assert_eq!(find(System::Portal, "MYSQL_ROOT_PASSWORD").unwrap().becomes(), "named: `store.url`");
    assert_eq!(find(System::Portal, "FLASK_RUN_PORT").unwrap().becomes(), "`server.listen`");
    assert_eq!(find(System::Manager, "DOCKER_NETWORK").unwrap().names[0], "NETWORK");
    assert_eq!(find(System::Kiosk, "VNC_PASSWORD").unwrap().names[0], "VNC_PASSWORD");
    assert!(find(System::Kiosk, "MYSQL_HOST").is_none());
    assert_eq!(systems_of("PORT"), System::ALL);
    assert_eq!(systems_of("KIOSK_URL"), [System::Kiosk]);
}

#[test]
fn every_row_says_why() {
    for variable in VARIABLES {
        assert!(!variable.note.is_empty() && !variable.note.contains('|'), "{variable:?}");
        assert!(!variable.names.is_empty() && !variable.systems.is_empty(), "{variable:?}");
    }
}

/// `docs/migration.md` has the same rows, in the same order.
#[test]
fn the_documentation_has_this_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/migration.md");
    let text = std::fs::read_to_string(path).unwrap();
    let table: Vec<String> = VARIABLES
        .iter()
        .map(|variable| {
            let systems: Vec<_> = variable.systems.iter().map(|system| system.name()).collect();
            let names: Vec<_> = variable.names.iter().map(|name| format!("`{name}`")).collect();
            let (names, systems) = (names.join(", "), systems.join(", "));
            format!("| {names} | {systems} | {} | {} |", variable.becomes(), variable.note)
        })
        .collect();
    let start = text.find("| `KIOSK_URL`").expect("docs/migration.md has the table");
    let documented: Vec<_> = text[start..].lines().take_while(|line| line.starts_with('|')).collect();
    let want = table.join("\n");
    assert_eq!(documented.join("\n"), want, "put these rows into docs/migration.md:\n{want}");
}
