//! Who a home belongs to: whoever the container runs as, from its first start on.
//!
//! An engine copies the image's own directory into an empty volume, with its owner. Where the image
//! has none the volume is root's, and so is a directory that somebody made by hand. Only the
//! home's own entry is ever changed, and only while it is root's: nothing is walked through, and
//! nothing runs for it, because the engine's own unpacking sets the owner.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig, Mount};
use tracing::info;

use super::archive::{self, Entry};
use super::make::{NETWORK, UNPRIVILEGED};
use super::{DockerEngine, container_name};
use crate::engine::{EngineError, StartOrder};
use crate::session::{SessionId, Template};

/// The longest `/etc/passwd` that is read.
const LONGEST_LIST: usize = 256 * 1024;

/// The name of the container through which a session's home is given away; it never runs.
pub(super) fn carrier_name(session: SessionId) -> String {
    format!("{}-home", container_name(session))
}

/// Gives the home in a container that was just made to the user it runs as, if it is still root's.
pub(super) async fn settle(
    engine: &DockerEngine,
    template: &Template,
    order: &StartOrder,
    container: &str,
    (mount, user): (&Mount, &str),
) -> Result<(), EngineError> {
    let Some(now) = first_entry(engine, container, &template.home_dir).await? else { return Ok(()) };
    let (uid, gid) = identity(engine, container, user).await?;
    if now.uid != 0 || uid == 0 {
        return Ok(());
    }
    info!(session = %order.session, uid, gid, "a new home is given to the user it is for");
    let name = carrier_name(order.session);
    let body = ContainerCreateBody {
        image: Some(template.image.clone()),
        labels: Some(HashMap::from([(NETWORK.to_owned(), engine.settings.network.clone())])),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            mounts: Some(vec![mount.clone()]),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    engine.api.remove(&name).await?;
    // Never started; its root file system is writable where the session's may not be.
    let carrier = engine.api.create(&name, body).await?;
    let given =
        engine.api.upload(&carrier, "/", archive::with_directory(&template.home_dir, now.mode, uid, gid));
    let given = given.await;
    engine.api.remove(&carrier).await?;
    Ok(given?)
}

/// The user and group ids that `uid:gid`, a user's name, or any mixture means in a container.
async fn identity(engine: &DockerEngine, container: &str, user: &str) -> Result<(u32, u32), EngineError> {
    let (name, group) = user.split_once(':').map_or((user, None), |(name, group)| (name, Some(group)));
    if let (Ok(uid), Some(Ok(gid))) = (name.parse(), group.map(str::parse)) {
        return Ok((uid, gid));
    }
    let passwd = list(engine, container, "/etc/passwd").await?;
    let account = account(&passwd, name).or_else(|| Some((name.parse().ok()?, 0)));
    let (uid, gid) = account.ok_or_else(|| EngineError::Refused {
        detail: format!("the image runs as {name}, whom its /etc/passwd does not know"),
    })?;
    let gid = match group {
        None => gid,
        Some(group) => match group.parse() {
            Ok(gid) => gid,
            Err(_) => third(&list(engine, container, "/etc/group").await?, group).unwrap_or(gid),
        },
    };
    Ok((uid, gid))
}

/// The ids of an account by its name or number.
fn account(passwd: &str, who: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, uid, gid) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        (name == who || uid == who).then_some((uid.parse().ok()?, gid.parse().ok()?))
    })
}

/// The number of a group by its name.
fn third(groups: &str, who: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == who).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

async fn first_entry(
    engine: &DockerEngine,
    container: &str,
    path: &str,
) -> Result<Option<Entry>, EngineError> {
    let head = engine.api.archive(container, path, 8 * archive::BLOCK).await?;
    Ok(head.and_then(|tar| archive::first(&tar).map(|(entry, _)| entry)))
}

async fn list(engine: &DockerEngine, container: &str, path: &str) -> Result<String, EngineError> {
    let tar = engine.api.archive(container, path, LONGEST_LIST).await?.unwrap_or_default();
    let Some((entry, content)) = archive::first(&tar) else { return Ok(String::new()) };
    let text = content.get(..entry.size.min(content.len())).unwrap_or_default();
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// Whoever runs in a container made like this.
pub(super) fn runs_as<'a>(body_user: Option<&'a str>, image_user: Option<&'a str>) -> &'a str {
    body_user.or(image_user).unwrap_or(UNPRIVILEGED)
}

/// The owner of a directory that is made before there is a container to ask who runs in it.
pub(super) fn provisional(user: &str) -> String {
    let numbers = |(uid, gid): (&str, &str)| uid.parse::<u32>().is_ok() && gid.parse::<u32>().is_ok();
    // Left to root, so that the container says whose it is.
    if user.split_once(':').is_some_and(numbers) { user.to_owned() } else { "0:0".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\njovyan:x:1000:100::/home/jovyan:/bin/bash\nbroken\n";

    #[test]
    fn accounts_are_found_by_name_and_number() {
        assert_eq!(account(PASSWD, "jovyan"), Some((1000, 100)));
        assert_eq!(account(PASSWD, "1000"), Some((1000, 100)));
        assert_eq!(account(PASSWD, "broken"), None);
        assert_eq!(third("users:x:100:\nstaff:x:50:a,b\n", "staff"), Some(50));
        assert_eq!(third("users", "users"), None);
    }

    #[test]
    fn a_directory_made_too_early_is_left_to_root() {
        assert_eq!(provisional("1000:1000"), "1000:1000");
        assert_eq!((provisional("user"), provisional("1000")), ("0:0".into(), "0:0".into()));
        assert_eq!(runs_as(None, None), UNPRIVILEGED);
        assert_eq!(runs_as(Some("1:2"), Some("user")), "1:2");
    }
}
