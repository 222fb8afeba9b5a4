//! The configuration: one TOML file, the templates beside it, and the environment's overrides.
//!
//! Each module owns its settings type and receives that, never the whole. Everything wrong is
//! reported at once, each with its place. Relative paths, here and in the file, are relative to
//! the working directory of the process.

mod danger;
mod error;
mod inventory;
mod read;
mod section;
mod settings;
mod show;
mod template;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

pub use self::error::{ConfigError, ConfigErrors};
use self::section::{Problems, Section, nearest, place};
pub use self::settings::{
    AuthSettings, EngineKind, EngineSettings, StoreSettings, ViewerSettings, WebSettings,
};
use crate::engine::docker;
use crate::inventory::Inventory;
use crate::language::{Language, Sentence};
use crate::session::{Home, Icon, NetworkPolicy, Protocol, PullPolicy, Template, TemplateLimits, Wording};
use crate::{audit, broker, capacity, kiosk, server, stats, telemetry};

/// Where the configuration is looked for unless told otherwise; only this one may be missing.
pub const DEFAULT_PATH: &str = "config/berth.toml";

/// What an override's name begins with: `BERTH__SECTION__KEY`.
const OVERRIDE: &str = "BERTH__";

const SECTIONS: [&str; 14] = [
    "audit", "auth", "capacity", "compat", "engine", "homes", "limits", "log", "server", "stats", "store",
    "tls", "viewer", "web",
];

/// The whole configuration. [`std::fmt::Display`] writes it as a file again, secrets hidden.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `[server]`, but its `metrics`.
    pub server: server::Settings,
    /// `[tls]`
    pub tls: server::tls::Settings,
    /// `[log]` and `server.metrics`.
    pub telemetry: telemetry::Settings,
    /// `[store]`
    pub store: StoreSettings,
    /// `[engine]`
    pub engine: EngineSettings,
    /// `[homes]`, what the engine's side needs of it.
    pub homes: docker::HomeSettings,
    /// `[limits]`, `engine.reconcile_s`, and what the broker needs of `[homes]`.
    pub limits: broker::Settings,
    /// `[auth]`
    pub auth: AuthSettings,
    /// `[capacity]`
    pub capacity: capacity::Settings,
    /// `[stats]`
    pub stats: stats::Settings,
    /// `[audit]`
    pub audit: audit::Settings,
    /// `[compat]`
    pub compat: kiosk::Settings,
    /// `[viewer]`
    pub viewer: ViewerSettings,
    /// `[web]`
    pub web: WebSettings,
    /// Every `[[template]]`, in the order of their names' files: the main one first.
    pub templates: Vec<Template>,
}

impl Config {
    /// Reads the file at `path`, every `templates.d/*.toml` beside it, and the overrides in
    /// `env`. A missing file means all defaults if `path` is [`DEFAULT_PATH`].
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn load(path: &Path, env: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigErrors> {
        Self::load_all(path, env).map(|(config, _)| config)
    }

    /// The same, and a list of every key with where its value comes from.
    ///
    /// # Errors
    /// As for [`Config::load`].
    pub fn load_all(
        path: &Path,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<(Self, Inventory), ConfigErrors> {
        let problems = Problems::default();
        let mut overrides = overrides(env, &problems);
        let main = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && path == Path::new(DEFAULT_PATH) => {
                String::new()
            }
            Err(error) => {
                problems.add(unreadable(path, &error));
                String::new()
            }
        };
        let mut sections = BTreeMap::new();
        let mut templates = Vec::new();
        let source = Source { path, text: &main, problems: &problems };
        parse(path, &main, &problems, |name, value, at| {
            match SECTIONS.iter().find(|known| **known == name) {
                Some(known) => read_section(source, known, value, at, &mut sections),
                None => top_level(source, name, value, at, &mut templates),
            }
        });
        templates_beside(path, &problems, &mut templates);
        let mut section = |name: &'static str| {
            let section = sections.remove(name).unwrap_or_else(|| Section::empty(name, &problems));
            section.overridden(overrides.remove(name).unwrap_or_default())
        };
        let config = Self::read(&mut section, templates, &problems);
        match problems.take() {
            none if none.is_empty() => {
                let inventory = inventory::inventory(&config, &problems.origins());
                Ok((config, inventory))
            }
            errors => Err(ConfigErrors(errors)),
        }
    }

    fn read(
        section: &mut impl FnMut(&'static str) -> Section,
        templates: Vec<Section>,
        problems: &Problems,
    ) -> Self {
        let (server, metrics) = read::server(section("server"));
        let (engine, reconcile_every) = read::engine(section("engine"));
        let (homes, watched) = read::homes(section("homes"));
        let templates = template::templates(templates, problems);
        Self {
            server,
            tls: read::tls(section("tls")),
            telemetry: read::telemetry(section("log"), metrics),
            store: read::store(section("store")),
            engine,
            homes,
            limits: broker::Settings { homes: watched, ..read::limits(section("limits"), reconcile_every) },
            auth: read::auth(section("auth")),
            capacity: read::capacity(section("capacity")),
            stats: read::stats(section("stats")),
            audit: read::audit(section("audit")),
            compat: read::compat(section("compat")),
            viewer: read::viewer(section("viewer")),
            web: read::web(section("web")),
            templates: if templates.is_empty() { vec![default_template()] } else { templates },
        }
    }

    /// The files that make a configuration, as [`Config::load`] reads them; those that are there.
    #[must_use]
    pub fn files(path: &Path) -> Vec<PathBuf> {
        let main = Some(path.to_owned()).filter(|main| main.is_file());
        main.into_iter().chain(beside(path).unwrap_or_default()).collect()
    }

    /// What this configuration weakens, each in one plain sentence; `check-config` and start-up
    /// print them.
    #[must_use]
    pub fn dangers(&self) -> Vec<Sentence> {
        danger::dangers(self)
    }
}

impl Default for Config {
    fn default() -> Self {
        let problems = Problems::default();
        Self::read(&mut |name| Section::empty(name, &problems), Vec::new(), &problems)
    }
}

/// The template that exists if no file has one: the desktop image of this project.
fn default_template() -> Template {
    Template {
        name: "desktop".parse().expect("a valid name"),
        title: Wording::from([(Language::English, "Desktop"), (Language::French, "Bureau")]),
        description: Wording::from([
            (Language::English, "A Linux desktop with a browser, an editor and a terminal."),
            (Language::French, "Un bureau Linux avec un navigateur, un éditeur et un terminal."),
        ]),
        icon: Icon::Desktop,
        image: "berth/desktop".to_owned(),
        pull: PullPolicy::default(),
        protocol: Protocol::Rfb,
        port: 5900,
        routing: None,
        cpus: 2.0,
        memory_mib: 2048,
        pids: 512,
        shm_mib: 256,
        network: NetworkPolicy::Internal,
        home: Home::Persistent,
        home_dir: "/home/user".to_owned(),
        env: BTreeMap::new(),
        password_env: None,
        read_only: false,
        capabilities: Vec::new(),
        volumes: Vec::new(),
        danger_share_origin: false,
        limits: TemplateLimits::default(),
    }
}

/// Parses a file and hands each top-level entry to `each`; a syntax error is reported in the
/// parser's own words, which point at the place.
fn parse(path: &Path, text: &str, problems: &Problems, mut each: impl FnMut(&str, &DeValue<'_>, String)) {
    match DeTable::parse(text) {
        Ok(table) => {
            for (name, value) in table.get_ref() {
                each(name.get_ref(), value.get_ref(), place(path, text, name.span().start));
            }
        }
        Err(error) => {
            let at =
                error.span().map_or_else(|| path.display().to_string(), |span| place(path, text, span.start));
            let why = format!("this is not TOML\n{}", error.to_string().trim_end());
            problems.add(ConfigError::new(&at, "", None, why, "correct the marked place".to_owned()));
        }
    }
}

/// A file that is being read, and where its problems go.
#[derive(Clone, Copy)]
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    problems: &'a Problems,
}

impl Source<'_> {
    fn section(&self, name: &'static str, table: &DeTable<'_>, at: String) -> Section {
        Section::of(name, table, at, self.path, self.text, self.problems)
    }
}

fn read_section(
    source: Source<'_>,
    name: &'static str,
    value: &DeValue<'_>,
    at: String,
    sections: &mut BTreeMap<&'static str, Section>,
) {
    match value {
        DeValue::Table(table) => {
            sections.insert(name, source.section(name, table, at));
        }
        _ => source.problems.add(ConfigError::new(
            &at,
            name,
            None,
            "this is a table, not a value".to_owned(),
            format!("write [{name}] on a line of its own"),
        )),
    }
}

fn top_level(source: Source<'_>, name: &str, value: &DeValue<'_>, at: String, templates: &mut Vec<Section>) {
    let Source { path, text, problems } = source;
    if name != "template" {
        let advice = match nearest(name, &[&SECTIONS[..], &["template"]].concat()) {
            Some(known) => format!("did you mean [{known}]?"),
            None => format!("known tables: {}, and [[template]]", SECTIONS.join(", ")),
        };
        problems.add(ConfigError::new(&at, name, None, "there is no such table".to_owned(), advice));
        return;
    }
    let DeValue::Array(items) = value else {
        let advice = "write [[template]] with two brackets".to_owned();
        problems.add(ConfigError::new(&at, name, None, "templates are a list of tables".to_owned(), advice));
        return;
    };
    for item in items {
        let at = place(path, text, item.span().start);
        match item.get_ref() {
            DeValue::Table(table) => templates.push(source.section("template", table, at)),
            _ => {
                let advice = "write [[template]] with two brackets".to_owned();
                problems.add(ConfigError::new(&at, name, None, "a template is a table".to_owned(), advice));
            }
        }
    }
}

fn templates_folder(main: &Path) -> PathBuf {
    main.parent().unwrap_or(Path::new("")).join("templates.d")
}

/// The files of templates beside the main file, in the order of their names.
fn beside(main: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(templates_folder(main))?;
    let toml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(toml).collect();
    files.sort();
    Ok(files)
}

/// Reads `templates.d/*.toml` beside the main file, in the order of their names.
fn templates_beside(main: &Path, problems: &Problems, templates: &mut Vec<Section>) {
    let files = match beside(main) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return problems.add(unreadable(&templates_folder(main), &error)),
    };
    for file in files {
        match std::fs::read_to_string(&file) {
            Ok(text) => parse(&file, &text, problems, |name, value, at| {
                if SECTIONS.contains(&name) {
                    let why = "only templates may stand here".to_owned();
                    let advice = format!("move [{name}] to {}", main.display());
                    return problems.add(ConfigError::new(&at, name, None, why, advice));
                }
                let source = Source { path: &file, text: &text, problems };
                top_level(source, name, value, at, templates);
            }),
            Err(error) => problems.add(unreadable(&file, &error)),
        }
    }
}

/// The environment's overrides by section and key, in lower case.
fn overrides(
    env: impl Iterator<Item = (String, String)>,
    problems: &Problems,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (name, value) in env {
        let Some(rest) = name.strip_prefix(OVERRIDE) else { continue };
        let parts = rest.split_once("__").map(|(section, key)| (section.to_lowercase(), key.to_lowercase()));
        match parts {
            Some((section, key)) if SECTIONS.contains(&section.as_str()) => {
                found.entry(section).or_default().insert(key, value);
            }
            Some(_) | None => {
                let why = "this variable names no table of the configuration".to_owned();
                let advice = format!("write BERTH__SECTION__KEY with one of {}", SECTIONS.join(", "));
                problems.add(ConfigError::new(&format!("environment {name}"), "", None, why, advice));
            }
        }
    }
    found
}

fn unreadable(path: &Path, error: &io::Error) -> ConfigError {
    let advice = "check the path (it is relative to the working directory) and its permissions".to_owned();
    ConfigError::new(
        &path.display().to_string(),
        "",
        None,
        format!("the file cannot be read: {error}"),
        advice,
    )
}
