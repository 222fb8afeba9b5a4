use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use jiff::Timestamp;

use super::*;
use crate::session::UserId;

fn manifest() -> Manifest {
    let image = SavedImage { name: "berth/desktop".to_owned(), id: "sha256:00".to_owned(), size_bytes: 5 };
    let home = SavedHome {
        member: SavedHome::member_at(0),
        key: HomeKey::Owner(UserId::random()),
        owner: "ann".to_owned(),
        session: None,
        copy: Some("20260131-081500".parse().unwrap()),
        in_use: true,
    };
    let contents = Contents { schema: 2, config: true, images: vec![image], homes: vec![home] };
    Manifest::of(contents, Timestamp::UNIX_EPOCH)
}

fn write(to: &Path, force: bool) -> Result<Manifest, BackupError> {
    let mut writer = Writer::create(to, manifest(), force)?;
    let members = [
        ("store.sqlite", &[7; 1000][..]),
        ("config.tar", &[]),
        ("images.tar", &[9; 512]),
        ("homes/00001.tar.gz", &[3; 10]),
    ];
    for (name, bytes) in members {
        let mut member = writer.member(name)?;
        // In pieces, as a stream comes.
        for piece in bytes.chunks(300) {
            member.write_all(piece).unwrap();
        }
        member.finish()?;
    }
    writer.finish()
}

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("berth.backup");
    let written = write(&path, false).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let archive = Archive::open(&path).unwrap();
    assert_eq!(archive.manifest(), &written);
    assert_eq!(archive.manifest().member(Kind::Store).unwrap().bytes, 1000);
    let mut read = 0;
    archive.check(|bytes| read += bytes).unwrap();
    assert_eq!(read, 1522);
    let mut images = Vec::new();
    let member = archive.manifest().named("images.tar").unwrap();
    archive.bytes_of(member).unwrap().read_to_end(&mut images).unwrap();
    assert_eq!(images, [9; 512]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn the_tar_command_reads_a_backup() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("berth.backup");
    write(&path, false).unwrap();
    let tar = |arguments: &[&str]| {
        let output = Command::new("tar").args(arguments).arg(&path).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    let listing = String::from_utf8(tar(&["-tf"])).unwrap();
    assert_eq!(
        listing.lines().collect::<Vec<_>>(),
        ["manifest.json", "store.sqlite", "config.tar", "images.tar", "homes/00001.tar.gz"]
    );
    let output = Command::new("tar").arg("-xOf").arg(&path).arg("store.sqlite").output().unwrap();
    assert_eq!(output.stdout, [7; 1000]);
}

#[test]
fn an_existing_file_is_replaced_only_by_force_and_only_by_a_whole_backup() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("berth.backup");
    fs::write(&path, "older").unwrap();
    assert!(matches!(write(&path, false), Err(BackupError::Exists { .. })));
    let other = Writer::create(&path, manifest(), true).unwrap();
    assert!(matches!(write(&path, true), Err(BackupError::Busy { .. })), "two to one place");
    drop(other);
    let mut broken_off = Writer::create(&path, manifest(), true).unwrap();
    broken_off.member("store.sqlite").unwrap().write_all(b"some").unwrap();
    drop(broken_off);
    assert_eq!(fs::read(&path).unwrap(), b"older");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    write(&path, true).unwrap();
    Archive::open(&path).unwrap().check(|_| {}).unwrap();
}

#[test]
fn what_is_damaged_cut_off_newer_or_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("berth.backup");
    write(&path, false).unwrap();
    let whole = fs::read(&path).unwrap();
    let opened = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        Archive::open(&path)
    };

    let at = whole.windows(8).position(|bytes| bytes == [7; 8]).unwrap();
    let mut damaged = whole.clone();
    damaged[at + 5] ^= 1;
    let told = opened(&damaged).unwrap().check(|_| {});
    assert!(
        matches!(&told, Err(BackupError::Damaged { member, .. }) if member == "store.sqlite"),
        "{told:?}"
    );

    for length in [0, 100, 600, at + 10, whole.len() - 1024 - 600] {
        assert!(matches!(opened(&whole[..length]), Err(BackupError::Strange { .. })), "cut at {length}");
    }
    assert!(matches!(opened(b"a text, much longer than nothing"), Err(BackupError::Strange { .. })));

    let text = String::from_utf8_lossy(&whole[512..1536]).into_owned();
    let newer = text.replacen("\"format\": 2,", "\"format\": 3,", 1);
    let mut bytes = whole.clone();
    bytes[512..512 + newer.len().min(1024)].copy_from_slice(&newer.as_bytes()[..newer.len().min(1024)]);
    assert!(matches!(opened(&bytes), Err(BackupError::Newer { format: 3, .. })));
}

/// Backups are kept for years: what format 1 wrote is read.
#[test]
fn a_backup_of_the_first_format_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("berth.backup");
    let text = r#"{"format":1,"berth":"0.1.0","created_at":"2026-01-01T00:00:00Z","images":[],"members":[
        {"name":"store.sqlite","kind":"store","bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]}"#;
    let mut builder = tar::Builder::new(fs::File::create(&path).unwrap());
    for (name, bytes) in [("manifest.json", text.as_bytes()), ("store.sqlite", b"abc")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, bytes).unwrap();
    }
    builder.finish().unwrap();
    let archive = Archive::open(&path).unwrap();
    archive.check(|_| {}).unwrap();
    assert_eq!((archive.manifest().schema, archive.manifest().homes.len()), (None, 0));
}

#[test]
fn files_come_back_by_name_and_none_leads_elsewhere() {
    let files =
        [("berth.toml".to_owned(), b"[server]".to_vec()), ("templates.d/a.toml".to_owned(), Vec::new())];
    let mut packed = Vec::new();
    pack_files(&mut packed, &files, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(unpack_files(packed.as_slice()).unwrap(), files);
    for name in ["../berth.toml", "/etc/passwd", "a/../../b"] {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(0);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.resize(3 * 512, 0);
        assert!(unpack_files(bytes.as_slice()).is_err(), "{name}");
    }
}
