//! Homes as archives on the real engine: what goes out comes back, in volumes and in directories.

use berth::engine::docker::{HomeFill, HomePart, HomeSettings, Packed};
use berth::engine::{HomeOrder, Homes};
use berth::session::{CopyName, HomeKey};
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::homes::{exec, home_of, lab_with};
use super::*;

/// Everything that a copy easily loses. A name may hold any byte but `/` and 0.
const LIVE: &str = r#"
set -e; cd ~
mkdir -m 0750 d; echo text > d/file; chmod 0640 d/file; ln d/file hard; ln -s /nowhere/at/all soft
printf x > "$(printf 'odd \n \t \377 -rf *')"; mkdir -- '--help'; : > '--help/.hidden'
name=$(head -c 200 /dev/zero | tr '\0' n); mkdir -p "$name/$name"; echo deep > "$name/$name/$name"
truncate -s 3G hole; printf end >> hole; mkfifo pipe; chmod 4711 d; : > locked; chmod 0000 locked
touch -d '2001-02-03 04:05:06.123456789 UTC' d/file
"#;

/// What is there, apart from the names that no terminal shows.
const LOOK: &str = r#"cd ~; find . -printf '%p|%y|%m|%u:%g|%s|%n|%T+|%l\n' | LC_ALL=C sort | sha256sum; du -k hole | cut -f1; cat d/file; cat n*/n*/n*"#;

async fn packed(lab: &Lab, part: &HomePart) -> (Vec<u8>, bool) {
    let (mut bytes, mut end) = (Vec::new(), None);
    let mut pieces = lab.engine.pack_home(part).await.unwrap();
    while let Some(piece) = pieces.next().await {
        match piece.unwrap() {
            Packed::Bytes(piece) => bytes.extend_from_slice(&piece),
            Packed::Done { changed } => end = Some(changed),
        }
    }
    (bytes, end.expect("an archive has an end"))
}

async fn unpacked(lab: &Lab, part: &HomePart, length: usize, bytes: &[u8]) -> Result<(), EngineError> {
    let pieces: Vec<_> = bytes.chunks(70_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    lab.engine.unpack_home(part, length as u64, stream::iter(pieces)).await
}

fn leftovers(lab: &Lab) -> Option<String> {
    docker(&["ps", "-aq", "--filter", &format!("label=berth.network={}", lab.settings.network)])
}

#[tokio::test]
async fn a_home_goes_out_and_comes_back_as_it_was() {
    for directory in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let directory = directory.then(|| folder.path().to_owned());
        let Some(lab) = lab_with(HomeSettings { directory: directory.clone(), quota_mib: 0 }).await else {
            return;
        };
        let order = order(&name("kept"), 1);
        let part = |copy: Option<CopyName>| HomePart { home: home_of(&order), copy };
        assert_eq!(lab.engine.home_fills(&[part(None)]).await.unwrap(), [HomeFill::Absent]);
        let id = lab.engine.start(&order).await.unwrap().upstream.container;
        exec(&id, LIVE).unwrap();
        let before = exec(&id, LOOK).unwrap();
        assert!(before.ends_with("text\ndeep"), "{before}");
        // While it is in use.
        let (archive, _) = packed(&lab, &part(None)).await;
        assert!(archive.len() < 1 << 20, "three gigabytes of nothing are {} bytes", archive.len());
        let refused = unpacked(&lab, &part(None), archive.len(), &archive).await;
        assert!(matches!(refused, Err(EngineError::HomeInUse)), "{refused:?}");
        lab.engine.remove(order.session).await.unwrap();
        let refused = unpacked(&lab, &part(None), archive.len(), &archive).await;
        assert!(matches!(refused, Err(EngineError::Refused { .. })), "it has files: {refused:?}");
        assert_eq!(packed(&lab, &part(None)).await.1, false);

        // Aside, so that the home is empty; the copy goes out and comes back as well.
        let made: CopyName = "20260101-000000".parse().unwrap();
        lab.engine.set_home_aside(&home_of(&order), &made, 3).await.unwrap();
        let (copied, _) = packed(&lab, &part(Some(made.clone()))).await;
        let another: CopyName = "20260102-000000".parse().unwrap();
        unpacked(&lab, &part(Some(another.clone())), copied.len(), &copied).await.unwrap();
        assert_eq!(lab.engine.home_copies(&home_of(&order)).await.unwrap(), [made.clone(), another.clone()]);

        // Cut off, damaged: nothing of it stays.
        for (length, bytes) in [(archive.len(), &archive[..archive.len() / 2]), (4000, &[7; 4000][..])] {
            let refused = unpacked(&lab, &part(None), length, bytes).await;
            assert!(matches!(refused, Err(EngineError::Refused { .. })), "{refused:?}");
        }
        let fills = lab.engine.home_fills(&[part(Some(another)), part(None)]).await.unwrap();
        assert_eq!(fills, [HomeFill::Filled, HomeFill::Empty]);

        unpacked(&lab, &part(None), archive.len(), &archive).await.unwrap();
        assert_eq!(leftovers(&lab).as_deref(), Some(""), "no container is left");
        let again = StartOrder { session: SessionId::random(), ..order.clone() };
        let id = lab.engine.start(&again).await.unwrap().upstream.container;
        assert_eq!(exec(&id, LOOK).unwrap(), before, "{directory:?}");
        lab.engine.remove(again.session).await.unwrap();
    }
}

#[tokio::test]
async fn a_home_is_made_where_there_is_none() {
    let Some(lab) = lab_with(HomeSettings::default()).await else { return };
    let order = order(&name("kept"), 1);
    let part = HomePart { home: home_of(&order), copy: None };
    let id = lab.engine.start(&order).await.unwrap().upstream.container;
    exec(&id, "echo mine > ~/file").unwrap();
    let (archive, _) = packed(&lab, &part).await;
    lab.engine.remove(order.session).await.unwrap();
    let volume = format!("berth-home-{}", order.owner);
    docker(&["volume", "rm", &volume]).unwrap();

    let refused = unpacked(&lab, &part, archive.len(), &archive[..20]).await;
    assert!(refused.is_err());
    assert_eq!(docker(&["volume", "inspect", &volume]), None, "what could not be filled is not left");
    unpacked(&lab, &part, archive.len(), &archive).await.unwrap();
    let label = docker(&["volume", "inspect", "--format", r#"{{index .Labels "berth.home"}}"#, &volume]);
    assert_eq!(label, Some(HomeKey::Owner(order.owner).to_string()));
    let id = lab.engine.start(&StartOrder { epoch: 2, ..order }).await.unwrap().upstream.container;
    assert_eq!(exec(&id, "cat ~/file; stat -c %u ~").as_deref(), Some("mine\n1000"));
    let nobody = HomeOrder { key: HomeKey::Owner(berth::session::UserId::random()), ..part.home };
    assert_eq!(
        lab.engine.home_fills(&[HomePart { home: nobody, copy: None }]).await.unwrap(),
        [HomeFill::Absent]
    );
}
