use std::fs;

use tempfile::TempDir;

use super::*;

fn pair(domain: &str) -> (TempDir, PathBuf, PathBuf) {
    let directory = TempDir::new().unwrap();
    let paths = dev_ca::ensure(directory.path(), domain).unwrap().paths;
    (directory, paths.certificate, paths.key)
}

#[test]
fn what_cannot_be_used_is_named() {
    let (directory, certificate, key) = pair("localhost");
    let (_other, _, foreign_key) = pair("localhost");
    let empty = directory.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let broken = directory.path().join("broken.pem");
    fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
    let garbage = directory.path().join("garbage.pem");
    fs::write(&garbage, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let missing = directory.path().join("missing.pem");
    let error = |certificate: &Path, key: &Path| Certificates::load(certificate, key).unwrap_err();
    assert!(matches!(error(&missing, &key), CertificateError::Unreadable { path, .. } if path == missing));
    assert!(
        matches!(error(&certificate, &missing), CertificateError::Unreadable { path, .. } if path == missing)
    );
    assert!(matches!(error(&broken, &key), CertificateError::NotPem { path, .. } if path == broken));
    assert!(matches!(error(&empty, &key), CertificateError::Missing { what: "certificate", .. }));
    assert!(matches!(error(&key, &key), CertificateError::Missing { what: "certificate", .. }));
    assert!(matches!(
        error(&certificate, &certificate),
        CertificateError::Missing { what: "private key", .. }
    ));
    assert!(matches!(error(&garbage, &key), CertificateError::Unusable { path, .. } if path == garbage));
    assert!(matches!(error(&certificate, &foreign_key), CertificateError::Mismatch { .. }));
    assert!(Certificates::load(&certificate, &key).is_ok());
}

#[test]
fn a_reload_that_fails_keeps_the_last_good_certificate() {
    let (_directory, certificate, key) = pair("localhost");
    let (_other, next_certificate, next_key) = pair("localhost");
    let certificates = Certificates::load(&certificate, &key).unwrap();
    let in_use = || certificates.current.load().key.cert.clone();
    let first = in_use();
    assert!(!certificates.changed());

    fs::copy(&next_certificate, &certificate).unwrap();
    assert!(certificates.changed());
    assert!(matches!(certificates.reload(), Err(CertificateError::Mismatch { .. })));
    assert_eq!(in_use(), first);
    assert!(!certificates.changed(), "the same broken pair is not read again");

    fs::copy(&next_key, &key).unwrap();
    assert!(certificates.changed());
    certificates.reload().unwrap();
    assert_ne!(in_use(), first);

    fs::remove_file(&key).unwrap();
    assert!(!certificates.changed(), "a missing file is one being replaced");
}

#[test]
fn a_development_certificate_is_issued_only_at_the_usual_place() {
    let directory = TempDir::new().unwrap();
    let settings = |name: &str| Settings {
        certificate: directory.path().join(name),
        key: directory.path().join("key.pem"),
        dev_ca: true,
    };
    assert!(matches!(
        Certificates::open(&settings("other.pem"), "localhost"),
        Err(CertificateError::Unreadable { .. })
    ));
    assert!(Certificates::open(&settings("fullchain.pem"), "localhost").is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_slow_handshake_is_cut_by_its_deadline() {
    let (_directory, certificate, key) = pair("localhost");
    let tls = Tls::new(Certificates::load(&certificate, &key).unwrap()).unwrap();
    let (ours, _silent) = tokio::io::duplex(1024);
    let begun = tokio::time::Instant::now();
    let error = tls.handshake(ours, Duration::from_secs(10)).await.unwrap_err();
    assert_eq!((error.cause(), begun.elapsed().as_secs()), ("deadline", 10));
}

#[tokio::test(start_paused = true)]
async fn the_watcher_notices_replaced_files() {
    let (_directory, certificate, key) = pair("localhost");
    let (_other, next_certificate, next_key) = pair("localhost");
    let certificates = Certificates::load(&certificate, &key).unwrap();
    let first = certificates.current.load().key.cert.clone();
    let tasks = Tasks::new();
    certificates.watch(&tasks);
    fs::rename(&next_certificate, &certificate).unwrap();
    fs::rename(&next_key, &key).unwrap();
    // Paused time: this passes at once, and the watcher looks twice meanwhile.
    tokio::time::sleep(2 * LOOK).await;
    assert_ne!(certificates.current.load().key.cert, first);
    tasks.drain().await;
}
