//! noVNC, the packaged viewer library: found, checked and read once at start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::assets::Assets;

/// The folders of noVNC that its `RFB` class needs; nothing else of the package is served.
const FOLDERS: [&str; 2] = ["core", "vendor"];
const ENTRY: &str = "core/rfb.js";
/// The same with everything it imports in one file, where `images/build novnc` made it: one request
/// instead of fifty that wait for one another.
const BUNDLE: &str = "core/rfb.bundle.js";
/// More than any noVNC has; a wrong directory is refused rather than read into memory.
const MOST_FILES: usize = 500;

/// The parts of noVNC that browsers need.
pub(super) struct Novnc {
    /// The files.
    pub(super) files: Assets,
    /// The one that a page imports.
    pub(super) entry: &'static str,
}

/// Why noVNC cannot be served.
#[derive(Debug, Error)]
pub enum NovncError {
    /// There is none in this directory.
    #[error("noVNC is not in {}: there is no {ENTRY} (install Debian's package novnc, or point viewer.novnc to it)", .dir.display())]
    Missing {
        /// Where it should be.
        dir: PathBuf,
    },
    /// It is there but cannot be read.
    #[error("noVNC in {} cannot be read", .path.display())]
    Unreadable {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The directory holds far more than noVNC.
    #[error("{} holds more than {MOST_FILES} files, so it is not noVNC", .dir.display())]
    TooMany {
        /// The directory.
        dir: PathBuf,
    },
}

/// Whether `dir` holds a noVNC that can be served.
///
/// # Errors
/// [`NovncError`] says what is wrong and what to do.
pub fn check(dir: &Path) -> Result<(), NovncError> {
    read(dir).map(drop)
}

/// Reads the parts of noVNC that browsers need: the bundle if there is one, else every module.
pub(super) fn read(dir: &Path) -> Result<Novnc, NovncError> {
    if !dir.join(ENTRY).is_file() {
        return Err(NovncError::Missing { dir: dir.to_owned() });
    }
    let bundle = dir.join(BUNDLE);
    if bundle.is_file() {
        let content = fs::read(&bundle).map_err(|cause| NovncError::Unreadable { path: bundle, cause })?;
        return Ok(Novnc { files: Assets::of([(BUNDLE.to_owned(), content)]), entry: BUNDLE });
    }
    let mut files = Vec::new();
    for folder in FOLDERS {
        if dir.join(folder).is_dir() {
            collect(dir, Path::new(folder), &mut files)?;
        }
    }
    Ok(Novnc { files: Assets::of(files), entry: ENTRY })
}

fn collect(dir: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), NovncError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |cause| NovncError::Unreadable { path, cause }
    };
    let here = dir.join(folder);
    for entry in fs::read_dir(&here).map_err(unreadable(&here))? {
        let path = entry.map_err(unreadable(&here))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let relative = folder.join(name);
        if path.is_dir() {
            collect(dir, &relative, files)?;
        } else if name.ends_with(".js") {
            if files.len() == MOST_FILES {
                return Err(NovncError::TooMany { dir: dir.to_owned() });
            }
            let content = fs::read(&path).map_err(unreadable(&path))?;
            files.push((relative.to_string_lossy().into_owned(), content));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn only_scripts_of_core_and_vendor_are_served() {
        let dir = tempfile::tempdir().expect("a directory");
        for (path, content) in [
            ("core/rfb.js", "export default class {}"),
            ("core/input/keyboard.js", "1"),
            ("core/README", "no"),
            ("vendor/pako/lib.js", "2"),
            ("app/ui.js", "no"),
            ("vnc.html", "no"),
        ] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, content).expect("a file");
        }
        let Novnc { files: novnc, entry } = read(dir.path()).expect("noVNC");
        assert_eq!(entry, ENTRY);
        for path in ["core/rfb.js", "core/input/keyboard.js", "vendor/pako/lib.js"] {
            assert!(novnc.get(novnc.version(), path, &HeaderMap::new()).is_some(), "{path}");
        }
        for path in ["core/README", "app/ui.js", "vnc.html", "core/../vnc.html", "/etc/passwd", ""] {
            assert!(novnc.get(novnc.version(), path, &HeaderMap::new()).is_none(), "{path}");
        }
    }

    #[test]
    fn a_bundle_is_served_instead_of_its_parts() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("core")).expect("a folder");
        for path in [ENTRY, BUNDLE] {
            fs::write(dir.path().join(path), "export default class {}").expect("a file");
        }
        let Novnc { files, entry } = read(dir.path()).expect("noVNC");
        assert_eq!(entry, BUNDLE);
        assert!(files.get(files.version(), BUNDLE, &HeaderMap::new()).is_some());
        assert!(files.get(files.version(), ENTRY, &HeaderMap::new()).is_none());
    }

    #[test]
    fn a_missing_novnc_is_named_with_what_to_do() {
        let error = check(Path::new("/nowhere/novnc")).expect_err("there is none");
        let text = error.to_string();
        assert!(text.contains("/nowhere/novnc") && text.contains("install"), "{text}");
    }
}
