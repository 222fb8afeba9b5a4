//! From a `.env` file to the files of a configuration, with a word on every variable.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;
use toml::Value;

use super::env::EnvFile;
use super::rules::Rule;
use super::value::Form;
use super::variables::{self, System};
use crate::auth::SHORTEST_TOKEN;
use crate::secret::{Secret, random_token};

/// What begins the name of a variable that is Berth's own already.
const OURS: &str = "BERTH__";

/// The sections that a plan may write, in the order of the shipped file.
const SECTIONS: [&str; 9] = ["server", "tls", "store", "engine", "homes", "limits", "auth", "compat", "log"];

/// What people choose a kiosk by, in English and French.
const KIOSK: (&str, &str) =
    ("One web page, full screen, and nothing else.", "Une page web en plein écran, et rien d’autre.");

/// What people choose a desktop by.
const DESKTOP: (&str, &str) = (
    "A Linux desktop with a browser, an editor and a terminal.",
    "Un bureau Linux avec un navigateur, un éditeur et un terminal.",
);

/// Everything that is to be written, and why.
#[derive(Debug)]
pub struct Plan {
    /// Whose file it was.
    pub system: System,
    /// The main file.
    pub main: String,
    /// Files of `templates.d`: name and text.
    pub templates: Vec<TemplateFile>,
    /// The administrator's token, for a file of its own.
    pub token: Option<Secret<String>>,
    /// A word on every variable, in the order of the file.
    pub report: Vec<Said>,
}

/// A file of `templates.d`.
#[derive(Debug)]
pub struct TemplateFile {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub text: String,
    /// Whether it says something of this system; if not, one that is there is as good.
    pub own: bool,
}

/// What became of one variable.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Said {
    /// The variable.
    pub name: String,
    /// What became of it.
    #[serde(flatten)]
    pub became: Became,
}

/// What became of a variable. Values of secrets are in none of it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "became", rename_all = "snake_case")]
pub enum Became {
    /// A key has its value.
    Key {
        /// `section.key`, or the template's.
        key: String,
        /// What was written.
        value: String,
        /// What to know.
        note: String,
    },
    /// Nothing was written; something else takes its place.
    Named {
        /// What.
        instead: &'static str,
        /// Why.
        note: &'static str,
    },
    /// It is Berth's own: the environment is read by Berth itself.
    Own,
    /// Another variable has said the same already.
    Said {
        /// The key.
        key: String,
    },
    /// Nobody knows it.
    Unknown,
    /// Its value cannot be taken.
    Unusable {
        /// The key it was for.
        key: String,
        /// Why not.
        why: &'static str,
    },
}

/// A line to be written, and the variable it comes from.
type Line = (String, Value, String);

#[derive(Default)]
struct Draft {
    sections: BTreeMap<&'static str, Vec<Line>>,
    template: Vec<Line>,
    env: Vec<Line>,
    host: Option<(String, String)>,
    port: Option<(u16, String)>,
    token: Option<Secret<String>>,
    idle: bool,
}

impl Plan {
    /// What this file becomes; `token_file` is where the token will be, as the configuration names it.
    #[must_use]
    pub fn of(file: &EnvFile, system: System, token_file: &str) -> Self {
        let mut draft = Draft::default();
        let report: Vec<Said> = file
            .entries
            .iter()
            .map(|(name, value)| Said {
                name: name.clone(),
                became: draft.take(system, name, value, token_file),
            })
            .collect();
        draft.complete(system);
        Self {
            system,
            main: draft.main(system, &report),
            templates: draft.templates(system),
            token: draft.token,
            report,
        }
    }
}

impl Draft {
    fn take(&mut self, system: System, name: &str, value: &str, token_file: &str) -> Became {
        if name.starts_with(OURS) {
            return Became::Own;
        }
        let Some(variable) = variables::find(system, name) else { return Became::Unknown };
        match variable.rule {
            Rule::Named(instead) => Became::Named { instead, note: variable.note },
            // Set but empty is not set, as those systems took it.
            _ if value.trim().is_empty() => Became::Unusable { key: variable.becomes(), why: "it is empty" },
            Rule::Env(key) => self.env(key, name, value, variable.note),
            Rule::Host => self.host(name, value),
            Rule::Port => self.port(name, value),
            Rule::Token => self.token(name, value, token_file),
            Rule::Template(key, form) => match form.read(value) {
                Ok(value) => put(&mut self.template, "template.", key, value, name, variable.note),
                Err(why) => Became::Unusable { key: format!("template.{key}"), why },
            },
            Rule::Key(key, form) => self.key(key, form, name, value, variable.note),
            Rule::Away(form) => self.away(system, form, name, value, variable.note),
        }
    }

    fn env(&mut self, key: &'static str, name: &str, value: &str, note: &str) -> Became {
        put(&mut self.env, "template.env.", key, value.into(), name, note)
    }

    fn host(&mut self, name: &str, value: &str) -> Became {
        let key = "server.listen".to_owned();
        let host = if value == "localhost" { "127.0.0.1" } else { value };
        match host.parse::<std::net::IpAddr>() {
            Ok(_) if self.host.is_some() => Became::Said { key },
            Ok(address) => {
                let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
                self.host = Some((host.clone(), name.to_owned()));
                Became::Key { key, value: host, note: "the address, with TLS".to_owned() }
            }
            Err(_) => Became::Unusable { key, why: "it is not an address" },
        }
    }

    fn port(&mut self, name: &str, value: &str) -> Became {
        let key = "server.listen".to_owned();
        match value.trim().parse::<u16>() {
            Ok(_) if self.port.is_some() => Became::Said { key },
            Ok(port @ 1..) => {
                self.port = Some((port, name.to_owned()));
                Became::Key { key, value: port.to_string(), note: "the port, with TLS".to_owned() }
            }
            Ok(0) | Err(_) => Became::Unusable { key, why: "it is not a port" },
        }
    }

    fn token(&mut self, name: &str, value: &str, token_file: &str) -> Became {
        let key = "auth.api_token_file";
        if self.token.is_some() {
            return Became::Said { key: key.to_owned() };
        }
        let long_enough = value.len() >= SHORTEST_TOKEN;
        self.token = Some(if long_enough { Secret::new(value.to_owned()) } else { random_token() });
        let note = if long_enough {
            "scripts go on with their token".to_owned()
        } else {
            format!(
                "the old one is shorter than {SHORTEST_TOKEN} characters: a new one is in the file, give it to the scripts"
            )
        };
        let lines = self.sections.entry("auth").or_default();
        put(lines, "auth.", "api_token_file", token_file.into(), name, &note)
    }

    fn key(&mut self, key: &'static str, form: Form, name: &str, value: &str, note: &str) -> Became {
        let (section, short) = key.split_once('.').expect("a key is section.key");
        let section = *SECTIONS.iter().find(|known| **known == section).expect("every section is listed");
        match form.read(value) {
            Ok(value) => put(
                self.sections.entry(section).or_default(),
                &format!("{section}."),
                short,
                value,
                name,
                note,
            ),
            Err(why) => Became::Unusable { key: key.to_owned(), why },
        }
    }

    fn away(&mut self, system: System, form: Form, name: &str, value: &str, note: &str) -> Became {
        let value = match form.read(value) {
            Ok(value) => value,
            Err(why) => return Became::Unusable { key: "away_s".to_owned(), why },
        };
        self.idle = true;
        match system {
            System::Kiosk => put(&mut self.template, "template.", "away_s", value, name, note),
            System::Manager | System::Portal => {
                put(self.sections.entry("limits").or_default(), "limits.", "away_s", value, name, note)
            }
        }
    }

    /// What those systems had without a variable for it, and what would contradict itself.
    fn complete(&mut self, system: System) {
        let mut add = |section: &'static str, key: &str, value: Value, why: &str| {
            let lines = self.sections.entry(section).or_default();
            if !lines.iter().any(|(known, ..)| known == key) {
                lines.push((key.to_owned(), value, why.to_owned()));
            }
        };
        if self.host.is_some() || self.port.is_some() {
            let (host, from_host) = self.host.clone().unwrap_or(("0.0.0.0".to_owned(), String::new()));
            let (port, from_port) = self.port.clone().unwrap_or((8443, String::new()));
            let from = [from_host, from_port].into_iter().filter(|name| !name.is_empty());
            let why = format!("from {}", from.collect::<Vec<_>>().join(", "));
            add("server", "listen", Value::Array(vec![format!("{host}:{port}").into()]), &why);
        }
        match system {
            System::Kiosk => {
                add("compat", "template", "kiosk".into(), "what GET /access makes sessions from");
                if self.idle {
                    let why = "an idle client's place is free soon, as the orchestrator kept it";
                    add("limits", "frozen_s", 60.into(), why);
                    add("limits", "remove_stopped_s", 60.into(), why);
                }
            }
            System::Manager => {
                let why = "users are at https://<username>.<domain>/";
                add("server", "routing", "subdomain".into(), why);
                add("server", "listen", Value::Array(vec!["0.0.0.0:443".into()]), "where Traefik listened");
            }
            System::Portal => {}
        }
        let most = self.sections.get("limits").and_then(|lines| whole(lines, "max_sessions"));
        if let Some(most) = most.filter(|most| *most < 3) {
            let lines = self.sections.entry("limits").or_default();
            if whole(lines, "max_sessions_per_user").is_none() {
                let why = "no user may have more than there are".to_owned();
                lines.push(("max_sessions_per_user".to_owned(), most.into(), why));
            }
        }
        let memory = whole(&self.template, "memory_mib").unwrap_or(i64::MAX);
        if whole(&self.template, "shm_mib").unwrap_or(256) > memory {
            self.template.retain(|(key, ..)| key != "shm_mib");
            let why = "/dev/shm counts as memory".to_owned();
            self.template.push(("shm_mib".to_owned(), memory.into(), why));
        }
    }

    fn main(&self, system: System, report: &[Said]) -> String {
        let mut text = format!(
            "# Berth's configuration, made from the .env file of {} by `berth setup --from-env`.\n\
             # What is not here has its default; config/berth.toml of the distribution explains every key.\n",
            system.title()
        );
        for said in report {
            let name = &said.name;
            let _ = match &said.became {
                Became::Named { instead: "nothing", note } => writeln!(text, "# {name}: not needed; {note}."),
                Became::Named { instead, note } => {
                    writeln!(text, "# {name}: in its place {instead}; {note}.")
                }
                Became::Unknown => writeln!(text, "# {name}: not known, nothing was made of it."),
                Became::Unusable { key, why } => writeln!(text, "# {name}: not taken for {key}: {why}."),
                Became::Said { key } => writeln!(text, "# {name}: another variable has set {key} already."),
                Became::Own => writeln!(text, "# {name}: read from the environment, where it has to stay."),
                Became::Key { .. } => Ok(()),
            };
        }
        for section in SECTIONS {
            if let Some(lines) = self.sections.get(section) {
                let _ = write!(text, "\n[{section}]\n{}", written(lines));
            }
        }
        if system != System::Kiosk {
            text.push_str(&self.template("desktop", system));
        }
        text
    }

    fn template(&self, name: &str, system: System) -> String {
        let fixed: &[(&str, Value)] = &match system {
            System::Kiosk => [
                ("title", wording("Kiosk", "Kiosque")),
                ("description", wording(KIOSK.0, KIOSK.1)),
                ("icon", "kiosk".into()),
                ("image", "berth/kiosk".into()),
                ("home", "ephemeral".into()),
                ("memory_mib", 1536.into()),
            ],
            System::Manager | System::Portal => [
                ("title", wording("Desktop", "Bureau")),
                ("description", wording(DESKTOP.0, DESKTOP.1)),
                ("icon", "desktop".into()),
                ("image", "berth/desktop".into()),
                ("home", "persistent".into()),
                ("memory_mib", 2048.into()),
            ],
        };
        let mut text = format!("\n[[template]]\nname = \"{name}\"\n");
        for (key, value) in fixed.iter().filter(|(key, _)| whole(&self.template, key).is_none()) {
            let _ = writeln!(text, "{key} = {value}");
        }
        text.push_str("protocol = \"rfb\"\nport = 5900\n");
        if system == System::Kiosk {
            text.push_str("read_only = true\n");
            if self.leads_outside() {
                text.push_str("# for the page; it reaches the internet, and no address of your LAN\nnetwork = \"egress\"\n");
            }
        }
        text.push_str(&written(&self.template));
        if !self.env.is_empty() {
            text.push_str("\n[template.env]\n");
            text.push_str(&written(&self.env));
        }
        text
    }

    /// Whether the kiosk's page is anywhere else than in the container.
    fn leads_outside(&self) -> bool {
        let page = self.env.iter().find(|(key, ..)| key == "KIOSK_URL");
        page.and_then(|(_, value, _)| value.as_str()).is_some_and(|url| {
            let local = ["file:", "about:", "http://localhost", "http://127.0.0.1"];
            !local.iter().any(|start| url.starts_with(start))
        })
    }

    fn templates(&self, system: System) -> Vec<TemplateFile> {
        let shipped = |name, text: &str| TemplateFile { name, text: text.to_owned(), own: false };
        match system {
            System::Kiosk => {
                let text = format!(
                    "# The kiosk, made from the .env file of {}.\n{}",
                    system.title(),
                    self.template("kiosk", system)
                );
                vec![TemplateFile { name: "kiosk.toml", text, own: true }]
            }
            System::Manager => Vec::new(),
            System::Portal => vec![
                shipped("database.toml", include_str!("../../config/templates.d/database.toml")),
                shipped("security.toml", include_str!("../../config/templates.d/security.toml")),
                shipped("webdev.toml", include_str!("../../config/templates.d/webdev.toml")),
            ],
        }
    }
}

/// Puts a line, unless there is one for this key.
fn put(lines: &mut Vec<Line>, place: &str, key: &str, value: Value, name: &str, note: &str) -> Became {
    let full = format!("{place}{key}");
    if lines.iter().any(|(known, ..)| known == key) {
        return Became::Said { key: full };
    }
    let shown = value.to_string();
    lines.push((key.to_owned(), value, format!("from {name}: {note}")));
    Became::Key { key: full, value: shown, note: note.to_owned() }
}

/// A text of a template in both languages.
fn wording(english: &str, french: &str) -> Value {
    let text = |language: &str, text: &str| (language.to_owned(), text.into());
    Value::Table([text("en", english), text("fr", french)].into_iter().collect())
}

fn whole(lines: &[Line], key: &str) -> Option<i64> {
    lines.iter().find(|(known, ..)| known == key).and_then(|(_, value, _)| value.as_integer())
}

fn written(lines: &[Line]) -> String {
    lines.iter().map(|(key, value, why)| format!("# {why}\n{key} = {value}\n")).collect()
}
