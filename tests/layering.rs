//! Arrows point down only (see `docs/architecture.md`): reads the `use` lines of `src/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules of the crate a module may name. The leaves may be named by everyone.
const MAY_USE: &[(&str, &[&str])] = &[
    ("access", &["auth", "broker", "session"]),
    (
        "api",
        &[
            "access",
            "audit",
            "auth",
            "broker",
            "capacity",
            "engine",
            "respond",
            "session",
            "people",
            "stats",
            "store",
            "tasks",
            "thumbnail",
        ],
    ),
    ("app", &["*"]),
    ("audit", &["session", "store"]),
    ("auth", &["audit", "session", "store", "tasks"]),
    ("backup", &["session"]),
    ("body", &[]),
    ("broker", &["audit", "engine", "rfb", "session", "store", "tasks"]),
    ("capacity", &["session"]),
    ("cli", &["*"]),
    ("clock", &[]),
    (
        "config",
        &[
            "audit",
            "auth",
            "broker",
            "capacity",
            "engine",
            "server",
            "session",
            "spawner",
            "stats",
            "store",
            "telemetry",
            "web",
        ],
    ),
    ("control", &["audit", "auth", "broker", "capacity", "people", "session", "stats", "store", "tasks"]),
    ("doctor", &["*"]),
    ("engine", &["rfb", "session", "spawner", "tasks"]),
    ("fault", &[]),
    ("inventory", &[]),
    ("language", &[]),
    ("look", &[]),
    ("people", &["audit", "auth", "broker", "engine", "session", "store", "tasks"]),
    ("proxy", &["auth", "broker", "engine", "respond", "rfb", "session", "store", "tasks"]),
    ("respond", &[]),
    ("revocation", &[]),
    ("rfb", &["session"]),
    ("secret", &[]),
    (
        "server",
        &[
            "access",
            "api",
            "auth",
            "broker",
            "proxy",
            "respond",
            "session",
            "store",
            "tasks",
            "telemetry",
            "web",
        ],
    ),
    ("session", &[]),
    ("spawner", &["engine", "session", "tasks"]),
    ("stats", &["broker", "capacity", "engine", "session", "store", "tasks"]),
    ("store", &["audit", "session", "tasks"]),
    ("tasks", &[]),
    ("unix_socket", &[]),
    ("telemetry", &["tasks"]),
    ("thumbnail", &["broker", "engine", "rfb", "session", "tasks"]),
    (
        "web",
        &[
            "access", "audit", "auth", "broker", "capacity", "engine", "people", "respond", "session",
            "stats", "store", "tasks",
        ],
    ),
];

/// Small things without an opinion, open to everyone.
const LEAVES: &[&str] = &[
    "body",
    "clock",
    "fault",
    "inventory",
    "language",
    "look",
    "revocation",
    "secret",
    "telemetry",
    "unix_socket",
];

/// Foreign crates and the only places that may name them.
const HOMES: &[(&str, &[&str])] = &[
    ("argon2", &["auth/password"]),
    ("askama", &["respond", "web"]),
    ("axum", &["api", "body.rs", "respond", "web"]),
    ("bcrypt", &["auth/password"]),
    ("bollard", &["engine/docker"]),
    ("csv", &["auth/import"]),
    ("fluent_bundle", &["language.rs"]),
    ("indicatif", &["cli"]),
    ("png", &["thumbnail"]),
    ("procfs", &["engine/docker/machine.rs"]),
    ("rcgen", &["server/dev_ca"]),
    ("rusqlite", &["store/sqlite"]),
    ("tar", &["backup"]),
    ("tokio_rustls", &["cli/remote", "server"]),
    ("tokio_tungstenite", &["proxy"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src/ is readable") {
        let path = entry.expect("src/ is readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Path below `src/` and text without tests, for every source file.
fn files() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&src, &mut found);
    let is_test =
        |name: &str| name.ends_with("tests.rs") || name.contains("/tests/") || name.contains("testing");
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&src).expect("found below src/").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a source file is UTF-8");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
            (name, code)
        })
        .filter(|(name, _)| !is_test(name))
        .collect()
}

fn module_of(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap_or_default()
}

/// The crate's own modules that a text names, with the line.
fn named(text: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for (at, marker) in line.match_indices("crate::") {
            let before = line[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &line[at + marker.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            names.push((number + 1, rest[..end].to_owned()));
        }
    }
    names
}

#[test]
fn arrows_point_down_only() {
    let may_use: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let mut breaches = Vec::new();
    for (file, text) in files() {
        let module = module_of(&file).to_owned();
        if module == "lib" || module == "main" {
            continue;
        }
        let Some(allowed) = may_use.get(module.as_str()) else {
            breaches.push(format!("src/{file}: module {module} has no place in the table"));
            continue;
        };
        for (line, name) in named(&text) {
            let fine = name == module
                || LEAVES.contains(&name.as_str())
                || allowed.contains(&"*")
                || allowed.contains(&name.as_str())
                || !may_use.contains_key(name.as_str());
            if !fine {
                breaches.push(format!("src/{file}:{line}: {module} must not know {name}"));
            }
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn foreign_crates_stay_in_their_homes() {
    let mut breaches = Vec::new();
    for (file, text) in files() {
        for (foreign, homes) in HOMES {
            let home = homes.iter().any(|home| file.starts_with(home))
                || ["app.rs", "main.rs"].contains(&file.as_str());
            let names = text
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && line.contains(&format!("{foreign}::")));
            if names && !home {
                breaches.push(format!("src/{file} names {foreign}, whose home is {homes:?}"));
            }
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn pure_modules_do_no_io() {
    let mut breaches = Vec::new();
    for (file, text) in files() {
        if !["capacity", "session", "rfb"].contains(&module_of(&file)) {
            continue;
        }
        for word in ["tokio::", "std::fs", "std::net", "async fn", "Instant::now", "Timestamp::now"] {
            if text.contains(word) {
                breaches.push(format!("src/{file} contains {word}"));
            }
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}
