//! What a file of each system becomes.

use super::*;
use crate::language::Language;

fn plan(text: &str) -> Plan {
    let file = EnvFile::read(text).unwrap();
    let system = file.system().unwrap();
    Plan::of(&file, system, "config/secrets/api-token")
}

fn became(plan: &Plan, name: &str) -> Became {
    plan.report.iter().find(|said| said.name == name).unwrap().became.clone()
}

fn loads(plan: &Plan) -> crate::config::Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("berth.toml");
    std::fs::write(&path, &plan.main).unwrap();
    std::fs::create_dir(folder.path().join("templates.d")).unwrap();
    for file in &plan.templates {
        std::fs::write(folder.path().join("templates.d").join(file.name), &file.text).unwrap();
    }
    let loaded = crate::config::Config::load(&path, std::iter::empty());
    loaded.unwrap_or_else(|errors| panic!("{errors}\n{}", plan.main))
}

#[test]
fn a_kiosk_s_file_becomes_a_kiosk() {
    let plan = plan(
        "KIOSK_URL=https://example.org/board?room=1\nKIOSK_WIDTH=1920\nKIOSK_HEIGHT=1080\nMAX_CONTAINERS=2\n\
         IDLE_TIMEOUT=300\nCLEANUP_INTERVAL=30\nNETWORK_NAME=kiosk-net\nNETWORK_SUBNET=172.30.0.0/16\n\
         STATE_FILE=/data/state.json\nHOST=0.0.0.0\nPORT=5000\nIMAGE=acme/firefox-kiosk\nCOLOUR=blue\n",
    );
    let config = loads(&plan);
    assert_eq!(config.server.listen[0].to_string(), "0.0.0.0:5000");
    assert_eq!((config.limits.max_sessions, config.limits.max_sessions_per_user), (2, 2));
    assert_eq!(config.engine.network, "kiosk-net");
    assert_eq!(config.engine.subnet.to_string(), "172.30.0.0/16");
    let kiosk = &config.templates[0];
    assert_eq!((kiosk.name.as_str(), kiosk.image.as_str()), ("kiosk", "berth/kiosk"));
    assert_eq!(kiosk.title.of(Language::English), "Kiosk");
    assert_eq!(kiosk.title.of(Language::French), "Kiosque");
    assert_eq!(kiosk.description.of(Language::French), KIOSK.1);
    assert_eq!(kiosk.env["KIOSK_URL"], "https://example.org/board?room=1");
    assert_eq!((kiosk.env["WIDTH"].as_str(), kiosk.env["HEIGHT"].as_str()), ("1920", "1080"));
    assert_eq!(kiosk.network, crate::session::NetworkPolicy::Egress);
    assert_eq!(kiosk.limits.away.unwrap().as_secs(), 300);
    assert_eq!(became(&plan, "COLOUR"), Became::Unknown);
    assert!(matches!(became(&plan, "IMAGE"), Became::Named { .. }));
    assert!(matches!(became(&plan, "STATE_FILE"), Became::Named { instead: "`store.url`", .. }));
    assert!(plan.main.contains("# COLOUR: not known"), "{}", plan.main);
}

#[test]
fn a_manager_s_file_becomes_desktops_under_the_domain() {
    let token = "t".repeat(40);
    let plan = plan(&format!(
        "DOMAIN=desk.example.org\nAPI_TOKEN={token}\nLETSENCRYPT_EMAIL=ops@example.org\nDATA_DIR=/srv/users\n\
         CPU_LIMIT=1.5\nMEMORY_LIMIT=128m\nIDLE_TIMEOUT_MINUTES=30\nIMAGE=acme/desktop\nNETWORK=traefik\nPORT=3000\n\
         ADMIN_TOKEN=other\n"
    ));
    let config = loads(&plan);
    assert_eq!((config.server.domain.as_str(), config.server.listen[0].port()), ("desk.example.org", 443));
    assert_eq!(config.server.routing, crate::session::Routing::Subdomain);
    assert_eq!(config.homes.directory.as_deref(), Some(std::path::Path::new("/srv/users")));
    assert_eq!(config.limits.reap.away.as_secs(), 1800);
    let desktop = &config.templates[0];
    assert_eq!(desktop.title.of(Language::French), "Bureau");
    assert_eq!(desktop.description.of(Language::French), DESKTOP.1);
    assert_eq!((desktop.cpus, desktop.memory_mib, desktop.shm_mib), (1.5, 128, 128));
    assert_eq!(config.auth.api_token_file.as_deref(), Some(std::path::Path::new("config/secrets/api-token")));
    assert_eq!(plan.token.as_ref().unwrap().expose(), &token);
    assert!(!plan.main.contains(&token) && !format!("{:?}", plan.report).contains(&token));
    assert!(matches!(became(&plan, "ADMIN_TOKEN"), Became::Said { .. }));
    assert!(matches!(became(&plan, "PORT"), Became::Named { .. }));
}

/// What stands behind Traefik is nobody's business; where Traefik stood is where browsers go.
#[test]
fn a_manager_s_public_port_stays_where_it_was() {
    let plan = plan("DATA_DIR=/srv/users\nHTTP_PORT=8080\nHTTPS_PORT=8444\nPORT=3000\n");
    let config = loads(&plan);
    assert_eq!(config.server.listen[0].to_string(), "0.0.0.0:8444");
    assert!(matches!(became(&plan, "HTTP_PORT"), Became::Named { instead: "`server.listen`", .. }));
    assert!(matches!(became(&plan, "PORT"), Became::Named { .. }));
}

#[test]
fn a_short_token_is_replaced_and_never_shown() {
    let plan = plan("DATA_DIR=./users\nAPI_TOKEN=hunter2\n");
    assert!(plan.token.as_ref().unwrap().expose().len() >= SHORTEST_TOKEN);
    let Became::Key { note, .. } = became(&plan, "API_TOKEN") else { panic!("{:?}", plan.report) };
    assert!(note.contains("a new one is in the file"), "{note}");
    assert!(!plan.main.contains("hunter2") && !format!("{plan:?}").contains("hunter2"));
    assert!(matches!(became(&plan, "DATA_DIR"), Became::Unusable { .. }));
    loads(&plan);
}

#[test]
fn a_portal_s_file_becomes_its_systems() {
    let plan = plan(
        "SECRET_KEY=hunter2\nMYSQL_HOST=db\nMYSQL_USER=portal\nMYSQL_PASSWORD=hunter3\nMYSQL_DATABASE=lab\n\
         SESSION_LIFETIME_MINUTES=60\nFLASK_ENV=production\nDOCKER_HOST=unix:///run/docker.sock\nPORT=8443\n\
         DATABASE_URL=mysql://portal:hunter3@db/lab\n",
    );
    let config = loads(&plan);
    assert_eq!(config.auth.login_ttl.as_secs(), 3600);
    assert_eq!(config.engine.socket, std::path::Path::new("/run/docker.sock"));
    let names: Vec<_> = config.templates.iter().map(|template| template.name.as_str()).collect();
    assert_eq!(names, ["desktop", "database", "security", "webdev"]);
    let all = format!("{}{:?}", plan.main, plan.report);
    assert!(!all.contains("hunter"), "{all}");
}
