//! Reading a backup: first what it is, then whether it is whole, then its members.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{BackupError, FORMAT, MANIFEST, Manifest, Member};

/// No manifest of ours comes near it.
const LONGEST_MANIFEST: u64 = 64 * 1024 * 1024;

/// A backup that was opened. It is read where it lies; nothing is unpacked.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    manifest: Manifest,
    /// Where each member's bytes begin, in the manifest's order.
    starts: Vec<u64>,
}

impl Archive {
    /// Opens a backup and reads what it says of itself.
    ///
    /// # Errors
    /// [`BackupError::File`], [`BackupError::Strange`] or [`BackupError::Newer`].
    pub fn open(path: &Path) -> Result<Self, BackupError> {
        let unread = |source| BackupError::File { path: path.to_owned(), verb: "read", source };
        let strange = |detail: String| BackupError::Strange { path: path.to_owned(), detail };
        let file = File::open(path).map_err(unread)?;
        let length = file.metadata().map_err(unread)?.len();
        let mut archive = tar::Archive::new(file);
        let mut entries = archive.entries_with_seek().map_err(|error| strange(error.to_string()))?;
        let mut next = || match entries.next() {
            None => Ok(None),
            Some(entry) => entry.map(Some).map_err(|error| strange(error.to_string())),
        };
        let first = next()?.filter(|first| first.path_bytes().as_ref() == MANIFEST.as_bytes());
        let mut first = first.ok_or_else(|| strange(format!("it does not begin with {MANIFEST}")))?;
        let manifest = manifest(path, &mut first)?;
        drop(first);
        let mut starts = Vec::with_capacity(manifest.members.len());
        for member in &manifest.members {
            let entry = next()?.filter(|entry| {
                entry.path_bytes().as_ref() == member.name.as_bytes() && entry.size() == member.bytes
            });
            let entry = entry.ok_or_else(|| strange(format!("{} is not where it should be", member.name)))?;
            let start = entry.raw_file_position();
            if start.checked_add(member.bytes).is_none_or(|end| end > length) {
                return Err(strange(format!("it ends within {}", member.name)));
            }
            starts.push(start);
        }
        Ok(Self { path: path.to_owned(), manifest, starts })
    }

    /// What it says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads every member and compares it with its hash; `read` is told of bytes as they are read.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] for the first member that differs, or [`BackupError::File`].
    pub fn check(&self, mut read: impl FnMut(u64)) -> Result<(), BackupError> {
        for member in &self.manifest.members {
            let unread = |source| BackupError::File { path: self.path.clone(), verb: "read", source };
            let mut bytes = self.bytes_of(member)?;
            let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
            loop {
                match bytes.read(&mut buffer).map_err(unread)? {
                    0 => break,
                    count => {
                        hash.update(&buffer[..count]);
                        read(count as u64);
                    }
                }
            }
            if hex(hash) != member.sha256 {
                return Err(self.damaged(&member.name));
            }
        }
        Ok(())
    }

    /// The bytes of a member of this backup.
    ///
    /// # Errors
    /// [`BackupError::File`], or [`BackupError::Damaged`] if there is no such member.
    pub fn bytes_of(&self, member: &Member) -> Result<io::Take<File>, BackupError> {
        let index = self.manifest.members.iter().position(|known| known.name == member.name);
        let index = index.ok_or_else(|| self.damaged(&member.name))?;
        let open = || -> io::Result<io::Take<File>> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.starts[index]))?;
            Ok(file.take(self.manifest.members[index].bytes))
        };
        open().map_err(|source| BackupError::File { path: self.path.clone(), verb: "read", source })
    }

    fn damaged(&self, member: &str) -> BackupError {
        BackupError::Damaged { path: self.path.clone(), member: member.to_owned() }
    }
}

fn manifest(path: &Path, entry: &mut impl Read) -> Result<Manifest, BackupError> {
    let strange = |detail: String| BackupError::Strange { path: path.to_owned(), detail };
    let mut text = Vec::new();
    entry.take(LONGEST_MANIFEST).read_to_end(&mut text).map_err(|error| strange(error.to_string()))?;
    let value: Value = serde_json::from_slice(&text).map_err(|error| strange(error.to_string()))?;
    // Before its shape is judged: a newer one may have another.
    let format =
        value["format"].as_u64().ok_or_else(|| strange("its manifest names no format".to_owned()))?;
    if format > u64::from(FORMAT) {
        return Err(BackupError::Newer { path: path.to_owned(), format });
    }
    serde_json::from_value(value).map_err(|error| strange(error.to_string()))
}

/// A finished hash in hexadecimal digits.
pub(super) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
