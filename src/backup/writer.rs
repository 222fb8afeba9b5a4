//! Writing a backup beside its place and putting it there when it is whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{BackupError, MANIFEST, Manifest};

/// One block of a tar archive.
const BLOCK: u64 = 512;

/// A backup that is being written. Dropped before [`Writer::finish`], it leaves nothing.
#[derive(Debug)]
pub struct Writer {
    file: File,
    part: PathBuf,
    to: PathBuf,
    force: bool,
    manifest: Manifest,
    /// How long the manifest may be.
    room: usize,
    done: bool,
}

impl Writer {
    /// Begins a backup at `to`, readable by its owner alone: it holds password hashes. An existing
    /// file stays until the backup is whole, and is refused without `force`.
    ///
    /// # Errors
    /// [`BackupError::Exists`], [`BackupError::Busy`] while another is written there, or
    /// [`BackupError::File`] when nothing can be.
    pub fn create(to: &Path, manifest: Manifest, force: bool) -> Result<Self, BackupError> {
        if to.exists() && !force {
            return Err(BackupError::Exists { path: to.to_owned() });
        }
        let mut part = to.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let busy = || BackupError::Busy { path: to.to_owned() };
        // What an earlier one left that was cut off; whoever still writes holds its lock.
        if File::open(&part).is_ok_and(|left| left.try_lock().is_err()) {
            return Err(busy());
        }
        let mut options = OpenOptions::new();
        // Never into a file or link that somebody else put there.
        let _ = std::fs::remove_file(&part);
        options.write(true).create_new(true).mode(0o600);
        let file = options.open(&part).map_err(|source| failed(&part, "made", source))?;
        file.try_lock().map_err(|_| busy())?;
        let room = text(&manifest).len();
        let mut writer = Self { file, part, to: to.to_owned(), force, manifest, room, done: false };
        // Its place; the text comes last.
        writer.put_manifest().map_err(|source| failed(&writer.part, "written", source))?;
        Ok(writer)
    }

    /// Begins the member of this name, in the manifest's order; finish it before the next.
    ///
    /// # Errors
    /// [`BackupError::File`].
    ///
    /// # Panics
    /// If the manifest has no such member.
    pub fn member(&mut self, name: &str) -> Result<MemberWriter<'_>, BackupError> {
        let index = self.manifest.members.iter().position(|member| member.name == name);
        let index = index.expect("the manifest names every member that is written");
        let header_at = self.file.stream_position().and_then(|at| {
            self.file.write_all(header(name, 0, &self.manifest).as_bytes())?;
            Ok(at)
        });
        let header_at = header_at.map_err(|source| failed(&self.part, "written", source))?;
        Ok(MemberWriter { writer: self, index, header_at, bytes: 0, hash: Sha256::new() })
    }

    /// Completes the backup, makes it durable and puts it in its place; what it says of itself.
    ///
    /// # Errors
    /// [`BackupError::File`], or [`BackupError::Exists`] if a file came there meanwhile; nothing is left.
    pub fn finish(mut self) -> Result<Manifest, BackupError> {
        let put = self.complete();
        put.map_err(|source| failed(&self.part, "completed", source))?;
        if self.to.exists() && !self.force {
            return Err(BackupError::Exists { path: self.to.clone() });
        }
        std::fs::rename(&self.part, &self.to).map_err(|source| failed(&self.to, "put in place", source))?;
        self.done = true;
        let folder = self.to.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        // The rename is durable once the directory is.
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|source| failed(folder, "synced", source))?;
        Ok(self.manifest.clone())
    }

    fn complete(&mut self) -> io::Result<()> {
        self.file.write_all(&[0; 2 * BLOCK as usize])?;
        self.put_manifest()?;
        self.file.sync_all()
    }

    /// Writes the manifest at the beginning and goes back to where it was, or behind it.
    fn put_manifest(&mut self) -> io::Result<()> {
        let at = self.file.stream_position()?;
        let mut text = text(&self.manifest);
        text.resize(self.room, b' ');
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(header(MANIFEST, self.room as u64, &self.manifest).as_bytes())?;
        self.file.write_all(&text)?;
        pad(&mut self.file, self.room as u64)?;
        let behind = self.file.stream_position()?;
        self.file.seek(SeekFrom::Start(at.max(behind)))?;
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.done {
            // Nothing could be done about it here; the next backup overwrites it.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

/// A member that is being written, of a length that nobody knows yet.
#[derive(Debug)]
pub struct MemberWriter<'a> {
    writer: &'a mut Writer,
    index: usize,
    header_at: u64,
    bytes: u64,
    hash: Sha256,
}

impl MemberWriter<'_> {
    /// Completes the member.
    ///
    /// # Errors
    /// [`BackupError::File`].
    pub fn finish(self) -> Result<(), BackupError> {
        let Self { writer, index, header_at, bytes, hash } = self;
        let member = &mut writer.manifest.members[index];
        member.bytes = bytes;
        member.sha256 = super::reader::hex(hash);
        let name = member.name.clone();
        let header = header(&name, bytes, &writer.manifest);
        let put = || -> io::Result<()> {
            let file = &mut writer.file;
            pad(file, bytes)?;
            let behind = file.stream_position()?;
            file.seek(SeekFrom::Start(header_at))?;
            file.write_all(header.as_bytes())?;
            file.seek(SeekFrom::Start(behind)).map(drop)
        };
        let mut put = put;
        put().map_err(|source| failed(&writer.part, "written", source))
    }
}

impl Write for MemberWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.file.flush()
    }
}

fn text(manifest: &Manifest) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(manifest).expect("plain data always serialises");
    text.push(b'\n');
    text
}

fn header(name: &str, bytes: u64, manifest: &Manifest) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).expect("our names are short");
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(manifest.created_at.as_second()).unwrap_or_default());
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    header
}

fn pad(file: &mut File, bytes: u64) -> io::Result<()> {
    let rest = usize::try_from(bytes.next_multiple_of(BLOCK) - bytes).unwrap_or_default();
    file.write_all(&[0; BLOCK as usize][..rest])
}

fn failed(path: &Path, verb: &'static str, source: io::Error) -> BackupError {
    BackupError::File { path: path.to_owned(), verb, source }
}
