//! Where homes lie: a volume of the engine each, or a directory of the host each.
//!
//! Everything but who uses a home is pure. No name that somebody chose becomes a path as it is.

use std::collections::HashMap;
use std::path::PathBuf;

use bollard::models::{ContainerInspectResponse, Mount, MountType, MountVolumeOptions};
use sha2::{Digest, Sha256};

use super::make::{INSTALLATION, NETWORK, OWNER, SESSION};
use super::{DockerEngine, Settings, label, listed_status};
use crate::engine::{ContainerStatus, EngineError, HomeOrder, StartOrder};
use crate::session::{CopyName, HomeKey, SessionId, Template};

/// Whose home a container uses, or a volume is.
pub(super) const HOME: &str = "berth.home";
/// Where that home lay when the container was made.
pub(super) const HOME_AT: &str = "berth.home_at";
/// Whose home a volume is a copy of.
pub(super) const COPY_OF: &str = "berth.copy_of";
/// When the copy was made.
pub(super) const COPY: &str = "berth.copy";

/// The variable that tells a desktop how much its home may hold, in MiB.
const QUOTA_VARIABLE: &str = "HOME_QUOTA_MIB";

/// Where homes are kept: the engine's part of `[homes]`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HomeSettings {
    /// A directory on the engine's machine with one directory per owner, called by their user name.
    /// Default `None`: each home is a volume of the engine.
    pub directory: Option<PathBuf>,
    /// What a home may hold, in MiB; enforced where the file system of `directory` has project
    /// quotas, measured elsewhere. Default 0: no limit.
    pub quota_mib: u64,
}

impl HomeSettings {
    /// What a home may hold, in bytes.
    pub(super) fn limit_bytes(&self) -> Option<u64> {
        (self.quota_mib > 0).then(|| self.quota_mib.saturating_mul(1024 * 1024))
    }
}

/// Where one home is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// A volume of this name.
    Volume(String),
    /// A directory `below` the one of all homes.
    Directory { base: PathBuf, below: String },
}

impl Place {
    /// Where a home is.
    pub(super) fn of(settings: &HomeSettings, home: &HomeOrder) -> Self {
        match &settings.directory {
            None => Self::Volume(volume_name(home.key)),
            Some(base) => Self::Directory { base: base.clone(), below: below(home) },
        }
    }

    /// Its source as a mount names it.
    pub(super) fn source(&self) -> String {
        match self {
            Self::Volume(name) => name.clone(),
            Self::Directory { base, below } => base.join(below).display().to_string(),
        }
    }
}

/// The volume of a home.
pub(super) fn volume_name(key: HomeKey) -> String {
    match key {
        HomeKey::Owner(owner) => format!("berth-home-{owner}"),
        HomeKey::Session(session) => format!("berth-home-{session}"),
    }
}

/// The volume of a copy.
pub(super) fn copy_volume_name(key: HomeKey, copy: &CopyName) -> String {
    format!("{}-{copy}", volume_name(key))
}

/// The directory of a home below the one of all homes. Nothing that begins with a point is an
/// owner's, so owners, sessions and copies never meet.
pub(super) fn below(home: &HomeOrder) -> String {
    match home.key {
        HomeKey::Owner(_) => safe_name(&home.owner_name),
        HomeKey::Session(session) => format!("{}/{session}", sessions_below(&home.installation)),
    }
}

/// The directory of all sessions' own homes.
pub(super) fn sessions_below(installation: &str) -> String {
    format!(".sessions/{}", safe_name(installation))
}

/// The directory of a home's copies.
pub(super) fn copies_below(home: &HomeOrder) -> String {
    match home.key {
        HomeKey::Owner(_) => format!(".copies/{}", safe_name(&home.owner_name)),
        HomeKey::Session(session) => format!(".copies/.session-{session}"),
    }
}

/// A name as one component of a path: what a host name may have stays as it is, everything else
/// and a leading point become `%` and two hexadecimal digits per byte. Two names become one only
/// if they differ in nothing but the case of ASCII letters, in which no two user names differ.
fn safe_name(name: &str) -> String {
    const LONGEST: usize = 200;
    let plain = |at: usize, byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && at > 0)
    };
    let escaped = |(at, byte): (usize, u8)| {
        if plain(at, byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    let safe: String = name.bytes().enumerate().map(escaped).collect();
    if safe.len() <= LONGEST && !safe.is_empty() {
        return safe;
    }
    // `%~` begins no byte, so this is nobody's shorter name; in lower case, as names are compared.
    let digest = Sha256::digest(name.to_ascii_lowercase().as_bytes());
    digest.iter().take(16).fold("%~".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// The home that a start means, if its template has one.
pub(super) fn order_of(template: &Template, order: &StartOrder) -> Option<HomeOrder> {
    let key = template.home.key(order.owner, order.session)?;
    Some(HomeOrder { installation: order.installation.clone(), key, owner_name: order.owner_name.clone() })
}

/// How a session's container sees its home.
pub(super) fn mount(settings: &Settings, template: &Template, order: &StartOrder) -> Option<Mount> {
    let home = order_of(template, order)?;
    let place = Place::of(&settings.homes, &home);
    let (typ, volume_options) = match &place {
        Place::Directory { .. } => (MountType::BIND, None),
        Place::Volume(_) => {
            let labels = HashMap::from([
                (HOME.to_owned(), home.key.to_string()),
                (INSTALLATION.to_owned(), order.installation.clone()),
                (NETWORK.to_owned(), settings.network.clone()),
                (OWNER.to_owned(), order.owner.to_string()),
            ]);
            let options = MountVolumeOptions { labels: Some(labels), ..MountVolumeOptions::default() };
            (MountType::VOLUME, Some(options))
        }
    };
    Some(Mount {
        typ: Some(typ),
        source: Some(place.source()),
        target: Some(template.home_dir.clone()),
        volume_options,
        ..Mount::default()
    })
}

/// What a container says of its home.
pub(super) fn labels(settings: &Settings, template: &Template, order: &StartOrder) -> Vec<(String, String)> {
    let said = |home: HomeOrder| {
        let place = Place::of(&settings.homes, &home).source();
        [(HOME.to_owned(), home.key.to_string()), (HOME_AT.to_owned(), place)]
    };
    order_of(template, order).map(said).into_iter().flatten().collect()
}

/// What a container is told of its home's limit.
pub(super) fn environment(settings: &Settings, template: &Template) -> Option<String> {
    let limited = settings.homes.quota_mib > 0 && template.home != crate::session::Home::Ephemeral;
    limited.then(|| format!("{QUOTA_VARIABLE}={}", settings.homes.quota_mib))
}

/// Whether a container was made with the home it would be made with now.
pub(super) fn is_current(
    settings: &Settings,
    template: &Template,
    order: &StartOrder,
    existing: &ContainerInspectResponse,
) -> bool {
    let wanted: HashMap<_, _> = labels(settings, template, order).into_iter().collect();
    let quota = environment(settings, template);
    let variables = existing.config.as_ref().and_then(|config| config.env.as_deref()).unwrap_or_default();
    let told = variables.iter().find(|variable| variable.starts_with(QUOTA_VARIABLE));
    [HOME, HOME_AT].into_iter().all(|key| label(existing, key) == wanted.get(key)) && told == quota.as_ref()
}

/// Whether a container other than that of `session` runs or is frozen with a home, or one is
/// copying its files. This is the second fence behind the broker's: a bug there, or a second
/// store, corrupts no profile.
pub(super) async fn in_use(
    engine: &DockerEngine,
    key: HomeKey,
    session: SessionId,
) -> Result<bool, EngineError> {
    let users = users(engine, key).await?;
    Ok(users.into_iter().any(|user| user.as_deref() != Some(session.to_string().as_str())))
}

/// Whether any session's container runs or is frozen with a home.
pub(super) async fn in_use_by_session(engine: &DockerEngine, key: HomeKey) -> Result<bool, EngineError> {
    Ok(users(engine, key).await?.iter().any(Option::is_some))
}

/// The sessions whose containers run with a home; `None` for a container that copies its files.
async fn users(engine: &DockerEngine, key: HomeKey) -> Result<Vec<Option<String>>, EngineError> {
    let labels = vec![format!("{NETWORK}={}", engine.settings.network), format!("{HOME}={key}")];
    let rows = engine.api.list(labels).await?.into_iter();
    let runs =
        rows.filter(|row| matches!(listed_status(row), ContainerStatus::Running | ContainerStatus::Paused));
    Ok(runs.map(|row| row.labels.and_then(|mut labels| labels.remove(SESSION))).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::session::UserId;

    fn home(key: HomeKey, owner_name: &str) -> HomeOrder {
        HomeOrder { installation: "i".into(), key, owner_name: owner_name.into() }
    }

    #[test]
    fn the_directories_of_the_replaced_manager_are_found_as_they_are() {
        for name in ["ann", "ann-2", "Ann_3", "a.b", "0x"] {
            assert_eq!(safe_name(name), name);
        }
    }

    #[test]
    fn no_name_leads_elsewhere() {
        for (name, safe) in [
            ("..", "%2E."),
            (".", "%2E"),
            (".sessions", "%2Esessions"),
            ("../../etc", "%2E.%2F..%2Fetc"),
            ("a/b", "a%2Fb"),
            ("a b", "a%20b"),
            ("é", "%C3%A9"),
            ("%2E", "%252E"),
            ("-rf", "-rf"),
        ] {
            assert_eq!(safe_name(name), safe);
        }
        let (owner, session) = (UserId::random(), SessionId::random());
        let settings = HomeSettings { directory: Some("/srv/homes".into()), quota_mib: 0 };
        let ann = home(HomeKey::Owner(owner), "../ann");
        assert_eq!(Place::of(&settings, &ann).source(), "/srv/homes/%2E.%2Fann");
        let own = home(HomeKey::Session(session), "ann");
        assert_eq!(Place::of(&settings, &own).source(), format!("/srv/homes/.sessions/i/{session}"));
        let volumes = HomeSettings::default();
        assert_eq!(Place::of(&volumes, &ann), Place::Volume(format!("berth-home-{owner}")));
    }

    proptest! {
        #[test]
        fn two_owners_never_share_a_directory(a in ".{1,64}", b in ".{1,64}") {
            let (safe_a, safe_b) = (safe_name(&a), safe_name(&b));
            for safe in [&safe_a, &safe_b] {
                prop_assert!(!safe.starts_with('.') && !safe.contains('/') && safe.len() <= 200);
            }
            prop_assert_eq!(a.eq_ignore_ascii_case(&b), safe_a.eq_ignore_ascii_case(&safe_b));
        }
    }

    #[test]
    fn long_names_stay_apart() {
        let names: BTreeSet<_> = (0..64).map(|at| safe_name(&format!("{}{at}", "é".repeat(62)))).collect();
        assert_eq!(names.len(), 64);
        assert!(names.iter().all(|name| name.starts_with("%~") && name.len() == 34));
    }
}
