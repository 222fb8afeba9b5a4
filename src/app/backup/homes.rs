//! Homes in a backup: which there are, and where each goes when it is put back.

use std::io::Write;

use futures_util::StreamExt;

use super::failure::{engine_failed, home_failed, store_failed, unbacked, unread, unwritten};
use super::{Existing, Told, pieces};
use crate::backup::{Archive, Manifest, SavedHome, Writer};
use crate::cli::{Exit, Failure};
use crate::clock;
use crate::engine::docker::{DockerEngine, HomeFill, HomePart, Packed};
use crate::engine::{EngineError, HomeOrder, Homes};
use crate::session::{CopyName, HomeKey, Session};
use crate::store::{Store, StoreError, User};

/// What is shown of a list before it says how many more there are.
const SHOWN: usize = 10;

/// Everybody who may have a home.
struct Owners {
    installation: String,
    users: Vec<User>,
    sessions: Vec<Session>,
}

impl Owners {
    async fn of(store: &dyn Store) -> Result<Self, Failure> {
        let read = async {
            let (users, sessions) = (store.users().await?, store.sessions().await?);
            Ok::<_, StoreError>(Self { installation: store.installation(), users, sessions })
        };
        read.await.map_err(|error| store_failed("the store".as_ref(), &error))
    }

    fn order(&self, key: HomeKey, owner: &str) -> HomeOrder {
        HomeOrder { installation: self.installation.clone(), key, owner_name: owner.to_owned() }
    }

    /// Whose a saved home is here: their id is the same after a restoration of the store, their name
    /// where the same people were made anew.
    fn of_saved(&self, saved: &SavedHome) -> Option<HomeOrder> {
        match saved.key {
            HomeKey::Owner(id) => {
                let by_id = self.users.iter().find(|user| user.id == id);
                let named = |user: &&User| user.name.eq_ignore_ascii_case(&saved.owner);
                let user = by_id.or_else(|| self.users.iter().find(named))?;
                Some(self.order(HomeKey::Owner(user.id), &user.name))
            }
            HomeKey::Session(id) => {
                let session = self.sessions.iter().find(|session| session.id == id)?;
                Some(self.order(saved.key, &session.owner_name))
            }
        }
    }
}

/// Every home with files in it, and every copy, of the users and sessions in the store.
pub(super) async fn all(
    engine: &DockerEngine,
    store: &dyn Store,
    tell: &mut dyn FnMut(Told),
) -> Result<Vec<(SavedHome, HomePart)>, Failure> {
    tell(Told::Begins("looking into homes".to_owned(), 0));
    let owners = Owners::of(store).await?;
    let own = engine.session_homes(&owners.installation).await.map_err(|error| engine_failed(&error))?;
    let of_users = owners.users.iter().map(|user| (HomeKey::Owner(user.id), user.name.clone(), None));
    let of_sessions = owners.sessions.iter().filter(|session| own.contains(&session.id)).map(|session| {
        let label = session.label.to_string();
        (HomeKey::Session(session.id), session.owner_name.clone(), Some(label))
    });
    let possible: Vec<_> = of_users.chain(of_sessions).collect();
    let parts: Vec<_> = possible
        .iter()
        .map(|(key, owner, _)| HomePart { home: owners.order(*key, owner), copy: None })
        .collect();
    let fills = engine.home_fills(&parts).await.map_err(|error| engine_failed(&error))?;
    let mut found = Vec::new();
    for ((part, (key, owner, session)), fill) in parts.into_iter().zip(possible).zip(fills) {
        let copies = match fill {
            HomeFill::Absent => continue,
            HomeFill::Empty | HomeFill::Filled => engine.home_copies(&part.home).await,
        };
        let copies = copies.map_err(|error| engine_failed(&error))?;
        let in_use = engine.home_in_use(key).await.map_err(|error| engine_failed(&error))?;
        let mut add = |copy: Option<CopyName>, in_use| {
            let (owner, session) = (owner.clone(), session.clone());
            let member = SavedHome::member_at(found.len());
            let saved = SavedHome { member, key, owner, session, copy: copy.clone(), in_use };
            found.push((saved, HomePart { home: part.home.clone(), copy }));
        };
        if fill == HomeFill::Filled {
            add(None, in_use);
        }
        copies.into_iter().for_each(|copy| add(Some(copy), false));
    }
    Ok(found)
}

/// Writes them into the backup.
pub(super) async fn put(
    engine: &DockerEngine,
    found: &[(SavedHome, HomePart)],
    writer: &mut Writer,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    for (at, (saved, part)) in found.iter().enumerate() {
        tell(Told::Begins(format!("{} of {}: {}", at + 1, found.len(), saved.title()), 0));
        let failed = |error: &EngineError| {
            home_failed(&format!("the backup was not made: the {} cannot be read", saved.title()), error)
        };
        let mut member = writer.member(&saved.member).map_err(|error| unbacked(&error))?;
        let mut packed = engine.pack_home(part).await.map_err(|error| failed(&error))?;
        while let Some(piece) = packed.next().await {
            match piece.map_err(|error| failed(&error))? {
                Packed::Bytes(bytes) => {
                    member.write_all(&bytes).map_err(|error| unwritten(&error))?;
                    tell(Told::Bytes(bytes.len() as u64));
                }
                Packed::Done { changed } => {
                    let how = if changed { ", and files in it changed meanwhile" } else { "" };
                    if saved.in_use || changed {
                        tell(Told::Note(format!("the {} is in use: saved as it is{how}", saved.title())));
                    }
                }
            }
        }
        member.finish().map_err(|error| unbacked(&error))?;
    }
    Ok(())
}

/// A home that is to be put back.
#[derive(Debug)]
pub(super) struct Target {
    saved: SavedHome,
    part: HomePart,
    /// What is there becomes a copy first.
    aside: bool,
}

/// Where the homes of a backup go, and whether they may; nothing is changed.
pub(super) async fn targets(
    engine: &DockerEngine,
    store: &dyn Store,
    manifest: &Manifest,
    existing: Existing,
    tell: &mut dyn FnMut(Told),
) -> Result<Vec<Target>, Failure> {
    let owners = Owners::of(store).await?;
    let mut wanted = Vec::new();
    for saved in &manifest.homes {
        match owners.of_saved(saved) {
            Some(home) => wanted.push((saved, HomePart { home, copy: saved.copy.clone() })),
            None => tell(Told::Note(format!("the {} is left out: nobody here has it", saved.title()))),
        }
    }
    let parts: Vec<_> = wanted.iter().map(|(_, part)| part.clone()).collect();
    let fills = engine.home_fills(&parts).await.map_err(|error| engine_failed(&error))?;
    let (mut targets, mut refused) = (Vec::new(), Vec::new());
    for ((saved, part), fill) in wanted.into_iter().zip(fills) {
        let is_copy = part.copy.is_some();
        let used = engine.home_in_use(part.home.key).await.map_err(|error| engine_failed(&error))?;
        let why = match (fill, used && !is_copy) {
            (_, true) => "a session uses it",
            (HomeFill::Filled, false) => "it has files",
            (HomeFill::Absent | HomeFill::Empty, false) => {
                targets.push(Target { saved: saved.clone(), part, aside: false });
                continue;
            }
        };
        match existing {
            Existing::SetAside if !used && !is_copy => {
                targets.push(Target { saved: saved.clone(), part, aside: true });
            }
            // A copy of this name was made at this very second: it is the same.
            Existing::Keep | Existing::SetAside if is_copy => {}
            Existing::Keep => tell(Told::Note(format!("the {} is left as it is: {why}", saved.title()))),
            Existing::Refuse | Existing::SetAside => refused.push(format!("{}: {why}", saved.title())),
        }
    }
    if refused.is_empty() { Ok(targets) } else { Err(in_the_way(&refused)) }
}

fn in_the_way(refused: &[String]) -> Failure {
    let more = refused.len().saturating_sub(SHOWN);
    let mut why = refused.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    if more > 0 {
        why.push_str(&format!("; and {more} more"));
    }
    let todo = "stop the sessions that use them; --existing-homes set-aside makes dated copies of those with files, \
                --existing-homes keep leaves all of them as they are";
    Failure::new(
        Exit::Refused,
        format!("nothing was restored: {} homes are there already", refused.len()),
        why,
        todo,
    )
}

/// Puts the homes back.
pub(super) async fn take(
    engine: &DockerEngine,
    archive: &Archive,
    targets: &[Target],
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    // Every copy stays: a restoration is no reason to lose one.
    const ALL: usize = 1_000_000;
    for (at, Target { saved, part, aside }) in targets.iter().enumerate() {
        let title = saved.title();
        let failed = |error: &EngineError| {
            let before = at.checked_sub(1).map_or("no home".to_owned(), |last| format!("{} homes", last + 1));
            home_failed(&format!("the {title} was not restored ({before} before it, and no store)"), error)
        };
        if *aside {
            let copy = CopyName::at(clock::now());
            engine.set_home_aside(&part.home, &copy, ALL).await.map_err(|error| failed(&error))?;
            tell(Told::Note(format!("what the {title} held is the copy {copy} now")));
        }
        let Some(member) = archive.manifest().named(&saved.member) else { continue };
        let bytes = archive.bytes_of(member).map_err(|error| unread(&error))?;
        tell(Told::Begins(format!("{} of {}: {title}", at + 1, targets.len()), bytes.limit()));
        let (pieces, mut told) = pieces(bytes);
        let unpack = engine.unpack_home(part, member.bytes, pieces);
        tokio::pin!(unpack);
        loop {
            tokio::select! {
                unpacked = &mut unpack => break unpacked.map_err(|error| failed(&error))?,
                Some(bytes) = told.recv() => tell(Told::Bytes(bytes)),
            }
        }
    }
    Ok(())
}
