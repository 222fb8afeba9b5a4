//! What a template changes about a container's confinement: a read-only root, a capability.
//!
//! Pure. A capability reaches an unprivileged user only as an ambient one, which Docker 20.10
//! cannot give, so the container begins as root with what is needed to become somebody else, and
//! its first act is to drop all of that for good, before any byte of the image's own program runs.

use std::collections::HashSet;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, ImageConfig, Mount, MountType, MountVolumeOptions,
};

use super::Settings;
use super::make::{NETWORK, SCRATCH};
use crate::engine::{EngineError, StartOrder};
use crate::session::{Capability, Home, Protocol, Template};

/// Where a desktop finds its password.
pub(super) const PASSWORD_FOLDER: &str = "/etc/berth";

/// What is writable in memory where the root is not: its share of the container's memory, which it
/// counts against, and its mount options. Together they are half of it.
const WRITABLE: [(&str, u64, &str); 4] = [
    ("/tmp", 4, "exec,mode=1777"),
    ("/var/tmp", 8, "exec,mode=1777"),
    ("/run", 16, "noexec,mode=0755"),
    ("/run/user/1000", 16, "exec,mode=0700,uid=1000,gid=1000"),
];

/// Absolute: a container's `PATH` may begin in its user's home, and this runs as root.
const SETPRIV: &str = "/usr/bin/setpriv";
/// Runs after the drop, so that nothing in the container ever runs as root for longer than it takes to stop.
const REAPER: [&str; 3] = ["/usr/bin/perl", "-e", REAP];
/// The first process, because the engine's own would stay root: passes signals on, reaps orphans
/// and ends as the image's program does.
const REAP: &str = r#"
my ($child, @passed) = (0, qw(TERM INT HUP QUIT USR1 USR2));
for my $signal (@passed) { $SIG{$signal} = sub { $child ? kill $signal, $child : exit 143 } }
$child = fork;
defined $child or die "the first process cannot fork: $!\n";
if (!$child) {
    $SIG{$_} = 'DEFAULT' for @passed;
    exec { $ARGV[0] } @ARGV or print STDERR "$ARGV[0] cannot be run: $!\n";
    exit 127;
}
while (1) {
    my $gone = wait;
    exit($? & 127 ? 128 + ($? & 127) : $? >> 8) if $gone == $child;
}
"#;

/// Holds `body`, made as for every template, to what `template` asks for beyond that.
pub(super) fn adapt(
    body: &mut ContainerCreateBody,
    settings: &Settings,
    template: &Template,
    order: &StartOrder,
    image: &ImageConfig,
) {
    let host = body.host_config.get_or_insert_default();
    if template.read_only {
        close_root(host, settings, template, order);
    }
    if makes_packets(template) {
        lend(body, template, image);
    }
}

/// Whether the template's containers may make packets of any kind, and so get a network of their own.
pub(super) fn makes_packets(template: &Template) -> bool {
    template.capabilities.contains(&Capability::NetRaw)
}

/// What a failed start means when the image lacks what a capability needs.
pub(super) fn explain(template: &Template, error: EngineError) -> EngineError {
    match error {
        EngineError::Refused { detail } if makes_packets(template) && detail.contains(SETPRIV) => {
            let image = &template.image;
            let detail = format!(
                "the image {image} has no {SETPRIV}, without which NET_RAW is not granted; install util-linux in it"
            );
            EngineError::Refused { detail }
        }
        other => other,
    }
}

// === a read-only root ===

fn close_root(host: &mut HostConfig, settings: &Settings, template: &Template, order: &StartOrder) {
    host.readonly_rootfs = Some(true);
    let mounts = host.mounts.get_or_insert_default();
    let taken: HashSet<_> = mounts.iter().filter_map(|mount| mount.target.clone()).collect();
    mounts
        .extend(scratch(template).filter(|at| !taken.contains(*at)).map(|at| anonymous(at, settings, order)));
    let in_memory = WRITABLE.iter().filter(|(at, ..)| !taken.contains(*at));
    host.tmpfs =
        Some(in_memory.map(|(at, share, options)| in_memory_of(template, at, *share, options)).collect());
}

fn in_memory_of(template: &Template, at: &str, share: u64, options: &str) -> (String, String) {
    let kib = template.memory_mib * 1024 / share;
    (at.to_owned(), format!("rw,nosuid,nodev,{options},size={kib}k"))
}

/// Folders on disk that live and end with the container. The engine fills them from the image.
fn scratch(template: &Template) -> impl Iterator<Item = &str> {
    // The engine writes into a container with a read-only root only where a volume is.
    let password = (template.protocol == Protocol::Rfb).then_some(PASSWORD_FOLDER);
    let home = (template.home == Home::Ephemeral).then_some(template.home_dir.as_str());
    password.into_iter().chain(home)
}

fn anonymous(at: &str, settings: &Settings, order: &StartOrder) -> Mount {
    let labels = [(NETWORK, settings.network.clone()), (SCRATCH, order.session.to_string())];
    let labels = labels.map(|(key, value)| (key.to_owned(), value)).into();
    Mount {
        typ: Some(MountType::VOLUME),
        target: Some(at.to_owned()),
        volume_options: Some(MountVolumeOptions { labels: Some(labels), ..MountVolumeOptions::default() }),
        ..Mount::default()
    }
}

// === a capability ===

fn lend(body: &mut ContainerCreateBody, template: &Template, image: &ImageConfig) {
    let host = body.host_config.get_or_insert_default();
    let lent = template.capabilities.iter().map(|capability| capability.name().to_owned());
    let needed_to_drop = ["SETGID", "SETPCAP", "SETUID"].map(ToOwned::to_owned);
    host.cap_add = Some(lent.chain(needed_to_drop).collect());
    // The engine's first process would stay root.
    host.init = Some(false);
    body.user = Some("0:0".to_owned());
    let own = image.entrypoint.iter().flatten().cloned();
    let reaper = REAPER.map(ToOwned::to_owned);
    body.entrypoint = Some(dropped(template).chain(reaper).chain(own).collect());
    // Said anew, because the engine forgets the image's once the entry point is another.
    body.cmd.clone_from(&image.cmd);
    body.healthcheck = image.healthcheck.as_ref().map(|check| unprivileged_check(template, check));
    let env = body.env.get_or_insert_default();
    let has_home = |env: &[String]| env.iter().any(|variable| variable.starts_with("HOME="));
    if !has_home(env) && !has_home(image.env.as_deref().unwrap_or_default()) {
        // Or it would be root's.
        env.push(format!("HOME={}", template.home_dir));
    }
}

/// The command that makes what follows it user 1000 with the template's capabilities and no way
/// to any other.
fn dropped(template: &Template) -> impl Iterator<Item = String> {
    let only: String = template
        .capabilities
        .iter()
        .map(|capability| format!(",+{}", capability.name().to_lowercase()))
        .collect();
    [
        SETPRIV.to_owned(),
        "--reuid=1000".to_owned(),
        "--regid=1000".to_owned(),
        "--clear-groups".to_owned(),
        format!("--inh-caps=-all{only}"),
        format!("--ambient-caps=-all{only}"),
        format!("--bounding-set=-all{only}"),
        "--no-new-privs".to_owned(),
        "--".to_owned(),
    ]
    .into_iter()
}

/// The image's health check, which the engine would run as root.
fn unprivileged_check(template: &Template, check: &HealthConfig) -> HealthConfig {
    let test = check.test.as_deref().unwrap_or_default();
    let command = match test.split_first() {
        Some((kind, command)) if kind == "CMD" => command.to_vec(),
        Some((kind, [script])) if kind == "CMD-SHELL" => {
            ["/bin/sh", "-c", script].map(ToOwned::to_owned).to_vec()
        }
        // None, or nothing that is known not to be a command.
        _ => return HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() },
    };
    let test = ["CMD".to_owned()].into_iter().chain(dropped(template)).chain(command).collect();
    HealthConfig { test: Some(test), ..check.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::contract::order;
    use crate::engine::fake::template;

    fn adapted(template: &Template, image: &ImageConfig) -> ContainerCreateBody {
        let mut body = ContainerCreateBody::default();
        adapt(&mut body, &Settings::default(), template, &order(&template.name, 1), image);
        body
    }

    fn plain() -> Template {
        template("t".parse().unwrap(), Protocol::Rfb)
    }

    #[test]
    fn a_template_that_asks_for_nothing_changes_nothing() {
        let body = adapted(&plain(), &ImageConfig::default());
        assert_eq!(body.host_config, Some(HostConfig::default()));
        assert_eq!((body.user, body.entrypoint, body.healthcheck), (None, None, None));
    }

    #[test]
    fn what_is_writable_in_memory_is_at_most_half_of_it() {
        let template = Template { read_only: true, memory_mib: 512, ..plain() };
        let tmpfs = adapted(&template, &ImageConfig::default()).host_config.unwrap().tmpfs.unwrap();
        let size = |options: &String| {
            let size = options.rsplit_once("size=").unwrap().1;
            size.strip_suffix('k').unwrap().parse::<u64>().unwrap()
        };
        assert_eq!(tmpfs.values().map(size).sum::<u64>(), 256 * 1024);
        assert_eq!(tmpfs["/tmp"], "rw,nosuid,nodev,exec,mode=1777,size=131072k");
        assert!(tmpfs["/run/user/1000"].contains("mode=0700,uid=1000,gid=1000"));
    }

    #[test]
    fn nothing_is_mounted_twice() {
        let template = Template { read_only: true, home: Home::Ephemeral, ..plain() };
        let mut body = ContainerCreateBody::default();
        let mount = Mount { target: Some("/tmp".into()), ..Mount::default() };
        body.host_config.get_or_insert_default().mounts = Some(vec![mount]);
        adapt(&mut body, &Settings::default(), &template, &order(&template.name, 1), &ImageConfig::default());
        let host = body.host_config.unwrap();
        assert!(!host.tmpfs.unwrap().contains_key("/tmp"));
        let targets: Vec<_> = host.mounts.unwrap().into_iter().filter_map(|mount| mount.target).collect();
        assert_eq!(targets, ["/tmp", PASSWORD_FOLDER, &template.home_dir]);
    }

    #[test]
    fn a_lent_capability_is_all_that_is_left_of_root() {
        let template = Template { capabilities: vec![Capability::NetRaw], ..plain() };
        let image = ImageConfig {
            entrypoint: Some(vec!["/entry".into()]),
            cmd: Some(vec!["argument".into()]),
            healthcheck: Some(HealthConfig {
                test: Some(vec!["CMD-SHELL".into(), "true".into()]),
                ..HealthConfig::default()
            }),
            ..ImageConfig::default()
        };
        let body = adapted(&template, &image);
        let entry = body.entrypoint.unwrap();
        assert_eq!(entry[0], SETPRIV);
        assert!(entry.contains(&"--bounding-set=-all,+net_raw".to_owned()));
        assert_eq!(entry.last().unwrap(), "/entry");
        assert_eq!(body.cmd, Some(vec!["argument".to_owned()]));
        assert_eq!(body.env, Some(vec![format!("HOME={}", template.home_dir)]));
        let check = body.healthcheck.unwrap().test.unwrap();
        assert_eq!((check[0].as_str(), check[1].as_str()), ("CMD", SETPRIV));
        assert_eq!(check[check.len() - 3..], ["/bin/sh", "-c", "true"]);
    }
}
