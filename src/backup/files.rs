//! Small files as a member: the configuration.

use std::io::{self, Read, Write};
use std::path::{Component, Path};

use jiff::Timestamp;

/// More than any configuration needs.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Writes files, each under a name relative to one folder, as a tar archive.
///
/// # Errors
/// The writer's.
pub fn pack_files(to: &mut impl Write, files: &[(String, Vec<u8>)], at: Timestamp) -> io::Result<()> {
    let mut archive = tar::Builder::new(to);
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(at.as_second()).unwrap_or_default());
        archive.append_data(&mut header, name, bytes.as_slice())?;
    }
    archive.finish()
}

/// Reads them again. Only plain files whose names lead nowhere else.
///
/// # Errors
/// The reader's, and what is no archive of [`pack_files`].
pub fn unpack_files(from: impl Read) -> io::Result<Vec<(String, Vec<u8>)>> {
    let strange = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut files = Vec::new();
    for entry in tar::Archive::new(from.take(LONGEST)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || path == Path::new("") || entry.header().entry_type() != tar::EntryType::Regular {
            return Err(strange("a file of the configuration has a name that leads elsewhere"));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.push((path.to_string_lossy().into_owned(), bytes));
    }
    Ok(files)
}
