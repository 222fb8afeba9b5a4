//! `[[template]]`: what sessions are made from.

use std::collections::BTreeMap;

use toml::Value;

use super::error::ConfigError;
use super::section::{Parsed, Problems, Section, Wrong};
use super::value::{
    choice, filled, flag, inside, list, number, object_name, optional, parsed, routing, seconds,
    seconds_or_none, text, variable, variables, whole, wording,
};
use crate::session::{
    Capability, Home, Icon, ImageName, NetworkPolicy, Protocol, PullPolicy, Template, TemplateLimits,
    TemplateName, Volume,
};

const ICONS: &[(&str, Icon)] = &[
    ("desktop", Icon::Desktop),
    ("code", Icon::Code),
    ("database", Icon::Database),
    ("shield", Icon::Shield),
    ("kiosk", Icon::Kiosk),
    ("notebook", Icon::Notebook),
    ("terminal", Icon::Terminal),
    ("machine", Icon::Machine),
];

/// Every template; of two of one name the later one is refused.
pub(super) fn templates(tables: Vec<Section>, problems: &Problems) -> Vec<Template> {
    let mut places: BTreeMap<TemplateName, String> = BTreeMap::new();
    let mut templates = Vec::with_capacity(tables.len());
    for table in tables {
        let at = table.at().to_owned();
        let Some(template) = template(table) else { continue };
        if let Some(first) = places.get(&template.name) {
            let why = format!("{first} has a template of this name already");
            let name = Some(format!("{:?}", template.name.as_str()));
            problems.add(ConfigError::new(
                &at,
                "template.name",
                name,
                why,
                "give one of them another name".to_owned(),
            ));
            continue;
        }
        places.insert(template.name.clone(), at);
        templates.push(template);
    }
    templates
}

fn template(mut table: Section) -> Option<Template> {
    const PROTOCOLS: &[(&str, Protocol)] = &[("rfb", Protocol::Rfb), ("http", Protocol::Http)];
    const NETWORKS: &[(&str, NetworkPolicy)] =
        &[("internal", NetworkPolicy::Internal), ("egress", NetworkPolicy::Egress)];
    const HOMES: &[(&str, Home)] =
        &[("persistent", Home::Persistent), ("session", Home::Session), ("ephemeral", Home::Ephemeral)];
    const PULLS: &[(&str, PullPolicy)] =
        &[("never", PullPolicy::Never), ("missing", PullPolicy::Missing), ("daily", PullPolicy::Daily)];
    const CAPABILITIES: &[(&str, Capability)] = &[("NET_RAW", Capability::NetRaw)];
    let default = super::default_template();
    let name: Option<TemplateName> = table.require("name", parsed("desktop"));
    let title = name.as_ref().map(ToString::to_string).unwrap_or_default();
    let image = table.require("image", filled);
    let protocol = table.take("protocol", default.protocol, choice(PROTOCOLS));
    let usual_port = match protocol {
        Protocol::Rfb => default.port,
        Protocol::Http => 8080,
    };
    let template = Template {
        name: name.clone().unwrap_or(default.name),
        title: table.take("title", title.into(), wording(filled)),
        description: table.take("description", String::new().into(), wording(text)),
        icon: table.take("icon", default.icon, choice(ICONS)),
        image: image.clone().unwrap_or_default(),
        pull: table.take("pull", default.pull, choice(PULLS)),
        protocol,
        port: table.take("port", usual_port, whole(1..=65535)),
        routing: table.take("routing", None, optional(routing)),
        cpus: table.take("cpus", default.cpus, number(0.01..=1024.0)),
        memory_mib: table.take("memory_mib", default.memory_mib, whole(16..=16_777_216)),
        pids: table.take("pids", default.pids, whole(8..=4_194_304)),
        shm_mib: table.take("shm_mib", default.shm_mib, whole(1..=1_048_576)),
        network: table.take("network", default.network, choice(NETWORKS)),
        home: table.take("home", default.home, choice(HOMES)),
        home_dir: table.take("home_dir", default.home_dir, home_dir),
        env: table.take("env", BTreeMap::new(), variables),
        password_env: table.take("password_env", None, optional(variable)),
        read_only: table.take("read_only", false, flag),
        capabilities: table.take("capabilities", Vec::new(), list(choice(CAPABILITIES))),
        volumes: table.take("volumes", Vec::new(), list(volume)),
        danger_share_origin: table.take("danger_share_origin", false, flag),
        limits: template_limits(&mut table),
    };
    if template.shm_mib > template.memory_mib {
        let why = format!("/dev/shm counts as memory, and memory_mib is only {}", template.memory_mib);
        table.contradicts("shm_mib", why, "lower shm_mib or raise memory_mib");
    }
    if template.pull != PullPolicy::Never && ImageName::of(&template.image).built_here().is_some() {
        let why = format!("{} is built on this machine; a public registry may have another", template.image);
        table.contradicts("pull", why, "leave it out, or name the image with its registry: host/path:tag");
    }
    if template.danger_share_origin && protocol == Protocol::Rfb {
        let why = "an rfb template serves no pages of its own".to_owned();
        table.contradicts("danger_share_origin", why, "leave it out");
    }
    table.finish();
    name.and(image).is_some().then_some(template)
}

fn template_limits(table: &mut Section) -> TemplateLimits {
    let default = TemplateLimits::default();
    TemplateLimits {
        away: table.take("away_s", default.away, seconds_or_none),
        total: table.take("total_s", default.total, seconds_or_none),
        busy_cpu_percent: table.take("busy_cpu_percent", default.busy_cpu_percent, whole(0..=102_400)),
        busy_max: table.take("busy_max_s", default.busy_max, seconds(0)),
    }
}

fn home_dir(value: &Value) -> Parsed<String> {
    let directory = filled(value)?;
    inside(&directory)?;
    Ok(directory)
}

/// `SOURCE:TARGET`: a volume's name or a path of the host, and where the container sees it.
fn volume(value: &Value) -> Parsed<Volume> {
    let text = value.as_str().ok_or_else(|| Wrong::Type("a text like \"/srv/course:/course\"".to_owned()))?;
    let wrong = || Wrong::Value(format!("{text:?} is not like \"/srv/course:/course\""));
    let (source, target) = text.rsplit_once(':').ok_or_else(wrong)?;
    inside(target)?;
    if source.starts_with('/') {
        inside(source)?;
    } else {
        object_name(&Value::from(source))?;
    }
    Ok(Volume { source: source.to_owned(), target: target.to_owned() })
}
