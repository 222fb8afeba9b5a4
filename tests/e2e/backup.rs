//! Backups: one file that another installation can be made from.

use std::path::Path;
use std::process::Command;

use crate::gateway::{Gateway, PASSWORD, docker, free_port, illness};

/// An image that nothing else on this machine uses.
struct Own(String);

impl Own {
    fn make() -> Self {
        let name = format!("berth-t-backup-{}:1", free_port());
        let maker = docker(&["create", "--network", "none", "berth-test/illness"]);
        docker(&["commit", "--change", "LABEL berth.test=backup", &maker, &name]);
        docker(&["rm", &maker]);
        Self(name)
    }

    fn id(&self) -> Option<String> {
        let said = Command::new("docker").args(["image", "inspect", "--format", "{{.Id}}", &self.0]).output();
        let said = said.expect("docker runs");
        said.status.success().then(|| String::from_utf8_lossy(&said.stdout).trim().to_owned())
    }

    fn forget(&self) {
        let _ = Command::new("docker").args(["rmi", &self.0]).output();
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.forget();
    }
}

fn refused(gateway: &Gateway, arguments: &[&str]) -> (Option<i32>, String) {
    let output = gateway.try_berth(arguments, None);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the test's own directory");
    entries.map(|entry| entry.expect("a name").file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn an_installation_comes_back_from_one_file() {
    let own = Own::make();
    let id = own.id().expect("it was just made");
    let template = illness("own", "http", "web").replace("berth-test/illness", &own.0);
    let mut first = Gateway::builder().template(&template).start().await;
    let file = first.path("school.backup").display().to_string();

    // While the gateway serves.
    let said = first.berth(&["backup", &file, "--images"], None);
    assert!(said.contains("store.sqlite") && said.contains(&own.0), "{said}");
    let (code, words) = refused(&first, &["backup", &file]);
    assert_eq!(code, Some(5), "{words}");
    assert!(words.contains("--force"), "{words}");
    let listing = Command::new("tar").args(["-tf", &file]).output().expect("tar runs").stdout;
    let listing = String::from_utf8_lossy(&listing).into_owned();
    assert_eq!(
        listing.lines().collect::<Vec<_>>(),
        ["manifest.json", "store.sqlite", "config.tar", "images.tar"]
    );
    let (code, words) = refused(&first, &["restore", &file]);
    assert_eq!(code, Some(5), "{words}");
    assert!(words.contains("a gateway runs") && words.contains("--only images"), "{words}");

    // Images alone, beside a gateway that runs: it comes back under its name, as it was.
    own.forget();
    assert_eq!(own.id(), None);
    first.berth(&["restore", &file, "--only", "images"], None);
    assert_eq!(own.id(), Some(id));

    // Another installation, empty: its users come from the backup.
    let second = Gateway::builder().template(&template).prepare();
    std::fs::remove_file(second.path("var/berth.db")).expect("made by the setup");
    assert!(first.terminate());
    first.berth(&["user", "add", "late", "--password-stdin"], Some(PASSWORD));
    second.berth(&["restore", &file, "--only", "store"], None);
    let users = second.berth(&["user", "list"], None);
    assert!(users.contains("ann") && !users.contains("late"), "{users}");

    // A store in use is kept unless told otherwise, and beside the new one then.
    let (code, words) = refused(&first, &["restore", &file, "--only", "store"]);
    assert_eq!(code, Some(5), "{words}");
    assert!(words.contains("users") && words.contains("--replace"), "{words}");
    assert!(first.berth(&["user", "list"], None).contains("late"));
    first.berth(&["restore", &file, "--only", "store", "--replace"], None);
    assert!(!first.berth(&["user", "list"], None).contains("late"));
    let kept = names(&first.path("var"));
    assert!(kept.iter().any(|name| name.starts_with("berth.db.replaced-")), "{kept:?}");
    assert!(!kept.iter().any(|name| name.contains(".restored") || name.contains(".store")), "{kept:?}");
    assert!(first.berth(&["audit", "verify"], None).contains("unbroken"));

    // Cut off on the way: nothing is changed.
    let whole = std::fs::read(&file).expect("the backup");
    std::fs::write(&file, &whole[..whole.len() / 2]).expect("the test's own directory");
    let (code, words) = refused(&first, &["restore", &file, "--replace"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("nothing was restored"), "{words}");
    assert!(first.berth(&["user", "list"], None).contains("ann"));
}
