use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

fn none() -> impl Iterator<Item = (String, String)> {
    std::iter::empty()
}

fn env(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect::<Vec<_>>()
        .into_iter()
}

fn file(text: &str) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("berth.toml");
    fs::write(&path, text).unwrap();
    (directory, path)
}

fn load(text: &str) -> Result<Config, ConfigErrors> {
    let (_directory, path) = file(text);
    Config::load(&path, none())
}

/// The errors as text, without the temporary directory.
fn errors(text: &str) -> String {
    let (directory, path) = file(text);
    let errors = Config::load(&path, none()).unwrap_err().to_string();
    errors.replace(&format!("{}/", directory.path().display()), "")
}

#[test]
fn the_shipped_file_equals_the_defaults_in_code() {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/config/berth.toml");
    let text = fs::read_to_string(shipped).unwrap();
    assert_eq!(load(&text).unwrap(), Config::default());
}

#[test]
fn the_shipped_file_has_every_key() {
    let shipped = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/berth.toml")).unwrap();
    let shown = Config::default().to_string();
    for line in shown.lines().filter_map(|line| line.split(" =").next()).filter(|key| !key.is_empty()) {
        assert!(shipped.lines().any(|shipped| shipped.starts_with(line)), "{line}");
    }
}

#[test]
fn what_is_shown_can_be_loaded_again() {
    let config = load(
        "[server]\ndomain = 'desk.example.org'\npublic_port = 443\nrouting = 'subdomain'\ntrusted_proxies = ['192.0.2.0/24']\n\
         [limits]\ntotal_s = 7200\nno_viewer_s = 900\nclosing_at = '18:30'\ntime_zone = 'Europe/Paris'\n\
         [[template]]\nname = 'web'\nimage = 'x'\nprotocol = 'http'\nrouting = 'path'\naway_s = 60\ntotal_s = 600\n\
         busy_cpu_percent = 50\nbusy_max_s = 120\n",
    )
    .unwrap();
    assert_eq!(load(&config.to_string()).unwrap(), config);
}

#[test]
fn limits_go_where_they_belong() {
    let config = load(
        "[limits]\nclosing_at = '18:30'\ntime_zone = 'Asia/Tokyo'\nextend_s = 0\n\
         [[template]]\nname = 'a'\nimage = 'x'\naway_s = 60\nbusy_cpu_percent = 80\n",
    )
    .unwrap();
    assert_eq!(config.limits.time_zone, "Asia/Tokyo");
    let closing = config.limits.closing.unwrap();
    let then = "2026-01-15T00:00:00Z".parse().unwrap();
    assert_eq!(closing.next_after(then).unwrap().to_string(), "2026-01-15T09:30:00Z");
    let policy = config.limits.reap.with(&config.templates[0].limits);
    assert_eq!((policy.away, policy.busy_cpu_percent), (Duration::from_secs(60), 80));
    assert_eq!((policy.extend, policy.total, policy.no_viewer), (Duration::ZERO, None, None));
    assert_eq!(load("[limits]\nclosing_at = '18:30'\n").unwrap().limits.closing.unwrap().zone_name(), "");
}

#[test]
fn secrets_are_not_shown() {
    let config = load("[[template]]\nname = 'a'\nimage = 'b'\nenv = { K = 'hunter2' }\n").unwrap();
    assert!(!config.to_string().contains("hunter2"), "{config}");
    let refused = errors("[store]\nurl = 'redis://ann:hunter2@127.0.0.1/0'\n");
    assert!(refused.contains("not built in yet") && !refused.contains("hunter2"), "{refused}");
    let errors = errors(
        "[store]\nurl = 'mysql://ann:hunter2@x'\n[[template]]\nname='a'\nimage='b'\nenv = ['hunter2']\n",
    );
    assert!(!errors.contains("hunter2"), "{errors}");
}

#[test]
fn a_missing_file_is_fine_only_at_the_default_place() {
    let error = Config::load(Path::new("/nowhere/berth.toml"), none()).unwrap_err().to_string();
    assert!(error.contains("/nowhere/berth.toml: the file cannot be read"), "{error}");
}

#[test]
fn everything_wrong_is_said_at_once_with_its_place() {
    let text = "[server]\nlisten = [\"0.0.0.0:99999\"]\ndomian = \"x\"\n\n[limits]\naway_s = 0\nfrozen_s = \"soon\"\n\n[sevrer]\n\n[engine]\nsubnet = \"10.201.0.1/16\"\n";
    let errors = errors(text);
    for expected in [
        "6 errors",
        "berth.toml:2: server.listen = [\"0.0.0.0:99999\"]: ",
        "berth.toml:3: server.domian: there is no such key\n    did you mean domain?",
        "berth.toml:6: limits.away_s = 0: the number must be from 1 to",
        "berth.toml:7: limits.frozen_s = \"soon\": this is a text\n    write a whole number of seconds",
        "berth.toml:9: sevrer: there is no such table\n    did you mean [server]?",
        "the subnet is 10.201.0.0/16",
    ] {
        assert!(errors.contains(expected), "{expected}\n---\n{errors}");
    }
}

#[test]
fn a_syntax_error_points_at_its_place() {
    let errors = errors("[server]\ndomain = \n");
    assert!(errors.contains("berth.toml:2: this is not TOML"), "{errors}");
    assert!(errors.contains('^'), "{errors}");
}

#[test]
fn the_environment_wins_over_the_file() {
    let (_directory, path) = file("[limits]\naway_s = 60\n[server]\nlisten = ['127.0.0.1:1']\n");
    let vars = [
        ("BERTH__LIMITS__AWAY_S", "120"),
        ("BERTH__SERVER__LISTEN", "127.0.0.1:8443, [::1]:8443"),
        ("BERTH__SERVER__TRUSTED_PROXIES", "[\"192.0.2.0/24\"]"),
        ("BERTH__SERVER__METRICS", ""),
        ("BERTH__SERVER__DOMAIN", "0123"),
        ("BERTH__TLS__DEV_CA", "false"),
        ("PATH", "/bin"),
        ("BERTH_LOG", "debug"),
    ];
    let config = Config::load(&path, env(&vars)).unwrap();
    assert_eq!(config.limits.reap.away, Duration::from_secs(120));
    assert_eq!(config.server.listen.len(), 2);
    assert_eq!(config.server.trusted_proxies.len(), 1);
    assert_eq!(config.telemetry.metrics, None);
    assert_eq!(config.server.domain, "0123");
    assert!(!config.tls.dev_ca);
}

#[test]
fn unknown_and_wrong_overrides_are_refused() {
    let (_directory, path) = file("");
    let vars = [
        ("BERTH__LIMITS__AWAYS", "1"),
        ("BERTH__LIMITS__AWAY_S", "soon"),
        ("BERTH__SERVER__LISTEN", "here"),
        ("BERTH__NOWHERE__X", "1"),
        ("BERTH__TEMPLATE__NAME", "x"),
    ];
    let errors = Config::load(&path, env(&vars)).unwrap_err();
    let text = errors.to_string();
    assert_eq!(errors.errors().len(), 5, "{text}");
    assert!(
        text.contains(
            "environment BERTH__LIMITS__AWAYS: limits.aways: there is no such key\n    did you mean away_s?"
        ),
        "{text}"
    );
    assert!(text.contains("environment BERTH__LIMITS__AWAY_S: limits.away_s = \"soon\""), "{text}");
    assert!(text.contains("\"here\" is not like"), "{text}");
    assert!(text.contains("environment BERTH__NOWHERE__X"), "{text}");
}

#[test]
fn templates_come_from_the_file_and_its_neighbours() {
    let (directory, path) = file("[[template]]\nname = 'a'\nimage = 'x'\n");
    let beside = directory.path().join("templates.d");
    fs::create_dir(&beside).unwrap();
    fs::write(
        beside.join("20-more.toml"),
        "[[template]]\nname='c'\nimage='x'\n[[template]]\nname='d'\nimage='x'\n",
    )
    .unwrap();
    fs::write(beside.join("10-web.toml"), "[[template]]\nname='b'\nimage='x'\nprotocol='http'\n").unwrap();
    fs::write(beside.join("README.md"), "not TOML").unwrap();
    let config = Config::load(&path, none()).unwrap();
    let names: Vec<_> = config.templates.iter().map(|template| template.name.to_string()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert_eq!((config.templates[0].port, config.templates[1].port), (5900, 8080));
    assert_eq!(config.templates[0].title, "a".into());

    fs::write(beside.join("30-again.toml"), "[server]\n[[template]]\nname='a'\nimage='x'\n").unwrap();
    let errors = Config::load(&path, none()).unwrap_err().to_string();
    assert!(errors.contains("30-again.toml:1: server: only templates may stand here"), "{errors}");
    assert!(errors.contains("30-again.toml:2: template.name = \"a\": "), "{errors}");
    assert!(errors.contains("berth.toml:1 has a template of this name already"), "{errors}");
}

#[test]
fn bad_values_are_refused() {
    for bad in [
        "[server]\ndomain = 'https://x'",
        "[server]\ndomain = 'Example.org'",
        "[server]\ndomain = 'x:8443'",
        "[server]\ndomain = ''",
        "[server]\nlisten = []",
        "[server]\nlisten = '0.0.0.0:1'",
        "[server]\npublic_port = 65536",
        "[server]\nrouting = 'host'",
        "[server]\ntrusted_proxies = ['x']",
        "server = 1",
        "template = 1",
        "[template]\nname = 'a'",
        "[store]\nurl = 'sqlite:'",
        "[store]\nurl = 'redis://127.0.0.1/0'",
        "[engine]\nkind = 'swarm'",
        "[auth]\napi_tokens_from_env = 1",
        "[engine]\nsubnet = '10.0.0.0/30'",
        "[engine]\nsubnet = 'fd00::/64'",
        "[engine]\nnetwork = '-x'",
        "[limits]\ntotal_s = 10",
        "[limits]\nmax_sessions = 2",
        "[limits]\nno_viewer_s = 3600",
        "[limits]\nextend_max_s = 60",
        "[limits]\nclosing_at = '6pm'",
        "[limits]\nclosing_at = '24:00'",
        "[limits]\nclosing_at = 1830",
        "[limits]\ntime_zone = 'Europe/Atlantis'",
        "[[template]]\nname = 'a'\nimage = 'x'\nbusy_cpu_percent = -1",
        "[[template]]\nname = 'a'\nimage = 'x'\naway_s = -1",
        "[limits]\naway_s = 1.5",
        "[limits]\naway_s = 99999999999999999999",
        "[log]\nfilter = 'berth=loud'",
        "[[template]]\nimage = 'x'",
        "[[template]]\nname = 'a'",
        "[[template]]\nname = 'A'\nimage = 'x'",
        "[[template]]\nname = 'a'\nimage = 'x'\nport = 0",
        "[[template]]\nname = 'a'\nimage = 'x'\nport = 65536",
        "[[template]]\nname = 'a'\nimage = 'x'\ncpus = nan",
        "[[template]]\nname = 'a'\nimage = 'x'\nhome_dir = 'home'",
        "[[template]]\nname = 'a'\nimage = 'x'\nhome_dir = '/a/../b'",
        "[[template]]\nname = 'a'\nimage = 'x'\nenv = { 'A=B' = 'x' }",
        "[[template]]\nname = 'a'\nimage = 'x'\nshm_mib = 4096",
        "[[template]]\nname = 'a'\nimage = 'x'\ndanger_share_origin = true",
    ] {
        let error = load(bad).expect_err(bad);
        assert_eq!(error.errors().len(), 1, "{bad}\n{error}");
    }
}

#[test]
fn a_template_may_speak_several_languages() {
    let config = load(
        "[[template]]\nname = 'a'\nimage = 'x'\ntitle = { en = 'Desk', fr = 'Bureau' }\n\
         description = { fr = 'Un bureau.' }\n",
    )
    .unwrap();
    let template = &config.templates[0];
    assert_eq!(template.title.of(Language::English), "Desk");
    assert_eq!(template.title.of(Language::French), "Bureau");
    assert_eq!(template.description.of(Language::English), "Un bureau.", "better than nothing");
    let again = load(&config.to_string()).unwrap();
    assert_eq!(again.templates[0].title, template.title);
    for (bad, why) in [
        ("title = { de = 'Tisch' }", "pages are written in en and fr, not in \"de\""),
        ("title = { }", "a text for one of en and fr"),
        ("title = { en = '' }", "must not be empty"),
        ("title = { en = 1 }", "a text in quotes"),
        ("title = 1", "a text in quotes"),
    ] {
        let error = load(&format!("[[template]]\nname = 'a'\nimage = 'x'\n{bad}")).unwrap_err().to_string();
        assert!(error.contains(why), "{bad}: {error}");
    }
}

#[test]
fn dangers_are_named_in_plain_sentences() {
    assert_eq!(Config::default().dangers(), []);
    let config = load(
        "[server]\nmetrics = '0.0.0.0:9464'\ntrusted_proxies = ['10.0.0.0/8']\n\
         [engine]\ndanger_skip_isolation = true\n\
         [[template]]\nname = 'a'\nimage = 'x'\nprotocol = 'http'\ndanger_share_origin = true\n",
    )
    .unwrap();
    assert_eq!(config.dangers().len(), 4, "{:#?}", config.dangers());
}
