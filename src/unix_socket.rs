//! Opening a Unix socket so that nobody finds it before its mode is right.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::net::{UnixListener, UnixStream};

/// Opens a socket at `path` with `mode`, replacing one that nobody answers on.
///
/// # Errors
/// `AddrInUse` when somebody answers there; otherwise the file system's.
pub async fn bind(path: &Path, mode: u32) -> io::Result<UnixListener> {
    if UnixStream::connect(path).await.is_ok() {
        let text = format!("another process answers on {}", path.display());
        return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
    }
    // Bound under another name first: nobody finds it before its mode is right.
    let unready = path.with_extension(format!("{}.new", std::process::id()));
    remove(&unready)?;
    let listener = UnixListener::bind(&unready)?;
    fs::set_permissions(&unready, Permissions::from_mode(mode))?;
    fs::rename(&unready, path)?;
    Ok(listener)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_has_its_mode_and_replaces_a_stale_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let first = bind(&path, 0o660).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        assert_eq!(bind(&path, 0o600).await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(first);
        let _second = bind(&path, 0o600).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        UnixStream::connect(&path).await.unwrap();
    }
}
