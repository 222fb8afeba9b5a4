//! The archive that carries a session's password into its container.
//!
//! A password in the environment would stand in every `docker inspect`; a bind mount would need
//! files on the host. A tar archive written before the first start needs neither.

/// One block of a tar archive.
const BLOCK: usize = 512;

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

/// A ustar header (POSIX.1-1988, "ustar Interchange Format").
fn header(name: &str, kind: u8, mode: u32, owner: u32, size: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}").as_bytes());
    put(108, format!("{owner:07o}").as_bytes());
    put(116, format!("{owner:07o}").as_bytes());
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
    fn the_archive_is_whole_blocks_with_an_end() {
        for (tar, blocks) in [(with_password([1; 8]), 5), (password_alone([1; 8]), 4)] {
            assert_eq!(tar.len(), blocks * BLOCK);
            assert!(tar[tar.len() - 2 * BLOCK..].iter().all(|byte| *byte == 0));
        }
    }
}
