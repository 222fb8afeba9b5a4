//! The archive that carries a session's password into its container.
//!
//! A password in the environment would stand in every `docker inspect`; a bind mount would need
//! files on the host. A tar archive written before the first start needs neither.

/// One block of a tar archive.
pub(super) const BLOCK: usize = 512;

/// A tar archive, to be unpacked at the root, with `/etc/berth/vncpasswd` and the folder above it,
/// which the user cannot write.
pub(super) fn with_password(obfuscated: [u8; 8]) -> Vec<u8> {
    let folder = header("etc/berth/", b'5', 0o755, 0, 0);
    ended(folder.into_iter().chain(file("etc/berth/vncpasswd", obfuscated)))
}

/// The same for a folder that is there.
pub(super) fn password_alone(obfuscated: [u8; 8]) -> Vec<u8> {
    ended(file("vncpasswd", obfuscated))
}

/// A file that the unprivileged user alone can read.
fn file(name: &str, bytes: [u8; 8]) -> impl Iterator<Item = u8> {
    header(name, b'0', 0o400, 1000, bytes.len()).into_iter().chain(bytes)
}

fn ended(entries: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut tar: Vec<u8> = entries.collect();
    tar.resize(tar.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    tar
}

/// A tar archive with one directory, which gives one that exists this owner and mode.
pub(super) fn with_directory(path: &str, mode: u32, uid: u32, gid: u32) -> Vec<u8> {
    let name = format!("{}/", path.trim_matches('/'));
    let mut tar = owned_header(&name, b'5', mode, (uid, gid), 0).to_vec();
    tar.resize(3 * BLOCK, 0);
    tar
}

/// What an archive says of its first file or directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: usize,
}

/// The first file or directory of an archive, and what follows its header. Links and what this
/// does not understand are nothing.
pub(super) fn first(tar: &[u8]) -> Option<(Entry, &[u8])> {
    let (head, rest) = tar.split_at_checked(BLOCK)?;
    let number = |from: usize, to: usize| {
        let text = std::str::from_utf8(&head[from..to]).ok()?;
        u32::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok()
    };
    let size = usize::try_from(number(124, 136)?).ok()?;
    match head[156] {
        b'0' | b'5' | 0 => {
            let mode = number(100, 108)? & 0o7777;
            Some((Entry { mode, uid: number(108, 116)?, gid: number(116, 124)?, size }, rest))
        }
        // Extended attributes (POSIX.1-2001, "pax Header Block") come before what they belong to.
        b'x' | b'g' => first(rest.get(size.next_multiple_of(BLOCK)..)?),
        _ => None,
    }
}

/// A ustar header (POSIX.1-1988, "ustar Interchange Format").
fn header(name: &str, kind: u8, mode: u32, owner: u32, size: usize) -> [u8; BLOCK] {
    owned_header(name, kind, mode, (owner, owner), size)
}

fn owned_header(name: &str, kind: u8, mode: u32, (uid, gid): (u32, u32), size: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}").as_bytes());
    put(108, format!("{uid:07o}").as_bytes());
    put(116, format!("{gid:07o}").as_bytes());
    put(124, format!("{size:011o}").as_bytes());
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_tar_command_reads_the_archive() {
        let mut tar = Command::new("tar")
            .args(["-tv", "--numeric-owner"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        tar.stdin.take().unwrap().write_all(&with_password([1; 8])).unwrap();
        let output = tar.wait_with_output().unwrap();
        let listing = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success());
        assert!(listing.contains("drwxr-xr-x 0/0"), "{listing}");
        assert!(listing.contains("-r-------- 1000/1000"), "{listing}");
        assert!(listing.trim_end().ends_with("etc/berth/vncpasswd"), "{listing}");
    }

    #[test]
    fn what_is_written_is_read() {
        let tar = with_directory("/home/user", 0o755, 1000, 100);
        let (entry, _) = first(&tar).unwrap();
        assert_eq!(entry, Entry { mode: 0o755, uid: 1000, gid: 100, size: 0 });
        let password = with_password([7; 8]);
        let (file, content) = first(&password[BLOCK..]).unwrap();
        assert_eq!((file.uid, file.size, content[0]), (1000, 8, 7));
        let mut pax = header("x", b'x', 0, 0, 5).to_vec();
        pax.resize(2 * BLOCK, 0);
        pax.extend(&tar);
        assert_eq!(first(&pax).unwrap().0, entry);
        assert_eq!(first(&tar[..100]), None);
        assert_eq!(first(&header("l", b'2', 0, 0, 0)), None);
    }

    #[test]
    fn the_archive_is_whole_blocks_with_an_end() {
        for (tar, blocks) in [(with_password([1; 8]), 5), (password_alone([1; 8]), 4)] {
            assert_eq!(tar.len(), blocks * BLOCK);
            assert!(tar[tar.len() - 2 * BLOCK..].iter().all(|byte| *byte == 0));
        }
    }
}
