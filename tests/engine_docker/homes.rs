//! Homes on the real engine: who they belong to, who may use them, how full they are, copies.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use berth::engine::docker::HomeSettings;
use berth::engine::{HomeOrder, Homes};
use berth::session::{CopyName, HomeKey};

use super::*;

/// A root file system without the home's directory, and one that runs as somebody by name.
fn homes() -> BTreeMap<TemplateName, Template> {
    let kept = |name: &str| Template { name: super::name(name), home: Home::Persistent, ..ill("web") };
    let mut all = vec![kept("kept"), Template { name: name("own"), home: Home::Session, ..ill("web") }];
    all.push(Template { home_dir: "/srv/nowhere/before".into(), ..kept("elsewhere") });
    all.into_iter().map(|template| (template.name.clone(), template)).collect()
}

pub(super) async fn lab_with(homes_in: HomeSettings) -> Option<Lab> {
    let lab = Lab::open_with(&homes()).await?;
    let settings = Settings { homes: homes_in, ..lab.settings.clone() };
    let engine = Arc::new(DockerEngine::connect(settings.clone(), homes()).await.unwrap());
    Some(Lab { settings, engine })
}

pub(super) fn home_of(order: &StartOrder) -> HomeOrder {
    HomeOrder {
        installation: order.installation.clone(),
        key: HomeKey::Owner(order.owner),
        owner_name: order.owner_name.clone(),
    }
}

pub(super) fn exec(container: &str, script: &str) -> Option<String> {
    docker(&["exec", container, "sh", "-c", script])
}

fn copy(name: &str) -> CopyName {
    name.parse().unwrap()
}

async fn ended(lab: &Lab, order: &StartOrder) {
    lab.engine.remove(order.session).await.unwrap();
}

/// An image without the home's directory left its user without a home it could write.
#[tokio::test]
async fn a_new_home_belongs_to_whoever_runs_in_it() {
    let Some(lab) = lab_with(HomeSettings::default()).await else { return };
    for template in ["kept", "elsewhere", "own"] {
        let order = order(&name(template), 1);
        let id = lab.engine.start(&order).await.unwrap().upstream.container;
        let home = &homes()[&name(template)].home_dir;
        assert_eq!(exec(&id, &format!("stat -c %u:%g {home}")).as_deref(), Some("1000:1000"), "{template}");
        assert!(exec(&id, &format!("echo mine > {home}/file")).is_some(), "{template}");
        ended(&lab, &order).await;
    }
    let left = docker(&["ps", "-aq", "--filter", &format!("label=berth.network={}", lab.settings.network)]);
    assert_eq!(left.as_deref(), Some(""), "nothing but sessions' containers is left");
}

#[tokio::test]
async fn a_home_that_was_lived_in_keeps_its_modes() {
    let Some(lab) = lab_with(HomeSettings::default()).await else { return };
    let order = order(&name("elsewhere"), 1);
    let id = lab.engine.start(&order).await.unwrap().upstream.container;
    exec(
        &id,
        "chmod 0710 /srv/nowhere/before; touch /srv/nowhere/before/x; chmod 0600 /srv/nowhere/before/x",
    );
    ended(&lab, &order).await;
    let again = StartOrder { session: SessionId::random(), ..order };
    let id = lab.engine.start(&again).await.unwrap().upstream.container;
    let modes = exec(&id, "stat -c %a /srv/nowhere/before /srv/nowhere/before/x");
    assert_eq!(modes.as_deref(), Some("710\n600"));
}

#[tokio::test]
async fn a_second_container_with_the_same_home_is_refused() {
    let Some(lab) = lab_with(HomeSettings::default()).await else { return };
    let first = order(&name("kept"), 1);
    lab.engine.start(&first).await.unwrap();
    let second = StartOrder { session: SessionId::random(), ..first.clone() };
    // Another store's gateway over another spawner knows nothing of the first.
    let another = DockerEngine::connect(lab.settings.clone(), homes()).await.unwrap();
    for _ in 0..2 {
        let refused = another.start(&second).await;
        assert!(matches!(refused, Err(EngineError::HomeInUse)), "{refused:?}");
        lab.engine.pause(first.session).await.unwrap();
    }
    let aside = lab.engine.set_home_aside(&home_of(&first), &copy("20260101-000000"), 3).await;
    assert!(matches!(aside, Err(EngineError::HomeInUse)), "{aside:?}");
    lab.engine.stop(first.session, NOTHING).await.unwrap();
    another.start(&second).await.unwrap();
    let late = lab.engine.start(&StartOrder { epoch: 2, ..first }).await;
    assert!(matches!(late, Err(EngineError::HomeInUse)), "{late:?}");
}

#[tokio::test]
async fn the_files_outlive_an_image_update() {
    let Some(lab) = lab_with(HomeSettings::default()).await else { return };
    let order = order(&name("kept"), 1);
    let first = lab.engine.start(&order).await.unwrap().upstream.container;
    exec(&first, "echo mine > /home/user/file").unwrap();
    lab.engine.stop(order.session, NOTHING).await.unwrap();
    // What a reset and a new image have in common: another container.
    lab.engine.remove(order.session).await.unwrap();
    let mut newer = homes();
    newer.get_mut(&name("kept")).unwrap().env.insert("NEWER".into(), "1".into());
    let engine = DockerEngine::connect(lab.settings.clone(), newer).await.unwrap();
    let second = engine.start(&StartOrder { epoch: 2, ..order }).await.unwrap().upstream.container;
    assert_ne!(second, first);
    let found = exec(&second, "cat /home/user/file; stat -c %u /home/user/file");
    assert_eq!(found.as_deref(), Some("mine\n1000"));
}

#[tokio::test]
async fn homes_are_measured_without_being_made() {
    let Some(lab) = lab_with(HomeSettings { directory: None, quota_mib: 64 }).await else { return };
    let order = order(&name("kept"), 1);
    let id = lab.engine.start(&order).await.unwrap().upstream.container;
    let told =
        exec(&id, "echo $HOME_QUOTA_MIB; mkdir -m 0700 ~/private; head -c 5000000 /dev/zero > ~/private/x");
    assert_eq!(told.as_deref(), Some("64"));
    let nobody = HomeOrder { key: HomeKey::Owner(berth::session::UserId::random()), ..home_of(&order) };
    let spawner = spawner(&lab).await;
    let uses = spawner.engine.measure_homes(&[nobody.clone(), home_of(&order)]).await.unwrap();
    assert_eq!(uses[0], None);
    let usage = uses[1].unwrap();
    assert!((5_000_000..6_000_000).contains(&usage.used_bytes), "{usage:?}");
    assert_eq!(usage.limit_bytes, Some(64 * 1024 * 1024));
    assert!(usage.free_bytes > 0);
    let HomeKey::Owner(owner) = nobody.key else { unreachable!() };
    assert_eq!(docker(&["volume", "inspect", &format!("berth-home-{owner}")]), None);
}

#[tokio::test]
async fn a_home_is_set_aside_pruned_and_put_back() {
    for directory in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let directory = directory.then(|| folder.path().to_owned());
        let Some(lab) = lab_with(HomeSettings { directory: directory.clone(), quota_mib: 0 }).await else {
            return;
        };
        let order = order(&name("kept"), 1);
        let home = home_of(&order);
        for round in 1..=3 {
            let order = StartOrder { epoch: round, ..order.clone() };
            let id = lab.engine.start(&order).await.unwrap().upstream.container;
            assert_eq!(exec(&id, "ls -A ~ | grep -c ^file").unwrap_or("0".into()), "0", "it is empty again");
            exec(&id, &format!("echo {round} > ~/file; ln -s /etc/passwd ~/link; mkdir -m 0700 ~/d"))
                .unwrap();
            ended(&lab, &order).await;
            let name = copy(&format!("2026010{round}-000000"));
            lab.engine.set_home_aside(&home, &name, 2).await.unwrap();
            // Once more, as after a crash at the end: there is nothing to set aside.
            lab.engine.set_home_aside(&home, &copy("20270101-000000"), 2).await.unwrap();
        }
        let copies = lab.engine.home_copies(&home).await.unwrap();
        assert_eq!(copies, [copy("20260102-000000"), copy("20260103-000000")], "{directory:?}");
        let missing = lab.engine.restore_home(&home, &copy("20200101-000000")).await;
        assert!(matches!(missing, Err(EngineError::Refused { .. })), "{missing:?}");
        lab.engine.restore_home(&home, &copies[0]).await.unwrap();
        let twice = lab.engine.restore_home(&home, &copies[0]).await;
        assert!(matches!(twice, Err(EngineError::Refused { .. })), "a home with files is not written over");
        let order = StartOrder { epoch: 4, ..order };
        let id = lab.engine.start(&order).await.unwrap().upstream.container;
        let found = exec(&id, "cat ~/file; stat -c '%u %a' ~/d; readlink ~/link");
        assert_eq!(found.as_deref(), Some("2\n1000 700\n/etc/passwd"), "{directory:?}");
        ended(&lab, &order).await;
    }
}

#[tokio::test]
async fn a_session_s_own_home_is_listed_and_removed() {
    for directory in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let directory = directory.then(|| folder.path().to_owned());
        let Some(lab) = lab_with(HomeSettings { directory, quota_mib: 0 }).await else { return };
        let order = order(&name("own"), 1);
        let id = lab.engine.start(&order).await.unwrap().upstream.container;
        exec(&id, "echo mine > ~/file").unwrap();
        let installation = &order.installation;
        assert_eq!(lab.engine.session_homes(installation).await.unwrap(), [order.session]);
        assert_eq!(lab.engine.session_homes("another").await.unwrap(), []);
        ended(&lab, &order).await;
        for _ in 0..2 {
            lab.engine.remove_session_home(installation, order.session).await.unwrap();
            assert_eq!(lab.engine.session_homes(installation).await.unwrap(), []);
        }
        let volume = docker(&["volume", "inspect", &format!("berth-home-{}", order.session)]);
        assert_eq!(volume, None);
    }
}

/// The replaced manager kept one directory per user name.
#[tokio::test]
async fn a_directory_per_owner_is_taken_over_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let theirs = folder.path().join("ann");
    std::fs::create_dir(&theirs).unwrap();
    std::fs::write(theirs.join("thesis"), "years").unwrap();
    std::os::unix::fs::chown(&theirs, Some(1000), Some(1000)).unwrap();
    let settings = HomeSettings { directory: Some(folder.path().to_owned()), quota_mib: 0 };
    let Some(lab) = lab_with(settings).await else { return };
    let ann = order(&name("kept"), 1);
    let id = lab.engine.start(&ann).await.unwrap().upstream.container;
    assert_eq!(exec(&id, "cat ~/thesis; touch ~/new").as_deref(), Some("years"));
    assert_eq!(std::fs::metadata(theirs.join("new")).unwrap().uid(), 1000);

    let hostile = StartOrder { owner_name: "../ann".into(), ..order(&name("kept"), 1) };
    let id = lab.engine.start(&hostile).await.unwrap().upstream.container;
    assert_eq!(exec(&id, "ls ~"), Some(String::new()));
    let made = std::fs::metadata(folder.path().join("%2E.%2Fann")).unwrap();
    assert_eq!((made.uid(), made.mode() & 0o777), (1000, 0o700));
    let uses = lab.engine.measure_homes(&[home_of(&ann), home_of(&hostile)]).await.unwrap();
    assert!(uses.iter().all(Option::is_some), "{uses:?}");
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_named() {
    let settings = HomeSettings { directory: Some("/srv/berth-test-no-such".into()), quota_mib: 0 };
    let Some(lab) = lab_with(settings).await else { return };
    let order = order(&name("kept"), 1);
    let refused = lab.engine.start(&order).await;
    assert!(
        matches!(&refused, Err(EngineError::Refused { detail }) if detail.contains("/srv/berth-test-no-such")),
        "{refused:?}"
    );
    assert!(lab.engine.list().await.unwrap().is_empty());
}
