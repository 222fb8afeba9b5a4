//! Certificates for trying Berth out: a development CA, kept, and a leaf it issues.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use thiserror::Error;
use time::OffsetDateTime;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::X509Certificate;

use crate::clock;
use crate::secret::random_bytes;

const DAY: Duration = Duration::from_hours(24);
/// Browsers refuse leaves of more than 398 days.
const LEAF_LIFE: Duration = Duration::from_hours(24 * 397);
const CA_LIFE: Duration = Duration::from_hours(24 * 3650);
/// A leaf with less than this left is issued anew.
const RENEW_BEFORE: Duration = Duration::from_hours(24 * 30);

/// Where the files of a development certificate are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DevPaths {
    /// The leaf; `fullchain.pem`.
    pub certificate: PathBuf,
    /// Its key; `key.pem`, readable by its owner alone.
    pub key: PathBuf,
    /// The CA that browsers are to trust; `ca.pem`.
    pub ca: PathBuf,
    /// The CA's key; `ca-key.pem`, readable by its owner alone.
    pub ca_key: PathBuf,
}

/// A development certificate that is in place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DevCertificate {
    /// Its files.
    pub paths: DevPaths,
    /// Whether the leaf was issued just now.
    pub created: bool,
}

/// Why there is no development certificate.
#[derive(Debug, Error)]
pub enum DevCertificateError {
    /// A file cannot be read or written.
    #[error("{path} cannot be read or written: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        source: io::Error,
    },
    /// A file that was there is of no use.
    #[error("{path} is damaged ({detail}); remove it to have a new one made")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The certificate cannot be made, for example because the domain cannot stand in one.
    #[error("the certificate cannot be made: {0}")]
    Issue(#[from] rcgen::Error),
}

/// Where the files are in `directory`.
#[must_use]
pub fn paths(directory: &Path) -> DevPaths {
    DevPaths {
        certificate: directory.join("fullchain.pem"),
        key: directory.join("key.pem"),
        ca: directory.join("ca.pem"),
        ca_key: directory.join("ca-key.pem"),
    }
}

/// Makes sure that `directory` has a certificate for `domain`, its subdomains and `localhost`.
/// The CA is made once and kept. The leaf lasts 397 days and is issued anew 30 days before its
/// end or when the names change. A certificate of another issuer is left alone.
///
/// # Errors
/// [`DevCertificateError`] names the file.
pub fn ensure(directory: &Path, domain: &str) -> Result<DevCertificate, DevCertificateError> {
    let paths = paths(directory);
    let names = names(domain);
    let present = read_optional(&paths.certificate)?;
    if let Some(leaf) = &present {
        // Without a CA of ours, whatever is there was put there by the operator.
        let Some(ca) = read_optional(&paths.ca)? else { return Ok(DevCertificate { paths, created: false }) };
        if !is_due(leaf, &ca, &names, &paths)? {
            return Ok(DevCertificate { paths, created: false });
        }
    }
    fs::create_dir_all(directory)
        .map_err(|source| DevCertificateError::File { path: directory.to_owned(), source })?;
    let issuer = ca(&paths)?;
    let key = KeyPair::generate()?;
    let leaf = leaf_params(&names)?.signed_by(&key, &issuer)?;
    write(&paths.key, &key.serialize_pem(), 0o600)?;
    write(&paths.certificate, &leaf.pem(), 0o644)?;
    Ok(DevCertificate { paths, created: true })
}

/// Whether the certificate in `directory` is one that our own CA issued.
#[must_use]
pub fn in_use(directory: &Path) -> bool {
    let paths = paths(directory);
    let issued = || -> Result<bool, DevCertificateError> {
        let (leaf, ca) = (read_optional(&paths.certificate)?, read_optional(&paths.ca)?);
        let (Some(leaf), Some(ca)) = (leaf, ca) else { return Ok(false) };
        let (leaf, ca) = (pem(&leaf, &paths.certificate)?, pem(&ca, &paths.ca)?);
        let (leaf, ca) = (x509(&leaf, &paths.certificate)?, x509(&ca, &paths.ca)?);
        Ok(leaf.issuer().as_raw() == ca.subject().as_raw())
    };
    issued().unwrap_or(false)
}

/// Every name the leaf is for.
fn names(domain: &str) -> Vec<String> {
    let mut names = vec![domain.to_owned()];
    if domain.parse::<IpAddr>().is_err() {
        names.push(format!("*.{domain}"));
    }
    for usual in ["localhost", "*.localhost", "127.0.0.1", "::1"] {
        if !names.iter().any(|name| name == usual) {
            names.push(usual.to_owned());
        }
    }
    names
}

/// Whether a leaf of ours must be issued anew. One of another issuer never is.
fn is_due(leaf: &[u8], ca: &[u8], names: &[String], paths: &DevPaths) -> Result<bool, DevCertificateError> {
    let leaf = pem(leaf, &paths.certificate)?;
    let leaf = x509(&leaf, &paths.certificate)?;
    let ca = pem(ca, &paths.ca)?;
    let ca = x509(&ca, &paths.ca)?;
    if leaf.issuer().as_raw() != ca.subject().as_raw() {
        return Ok(false);
    }
    let soon = clock::later(clock::now(), RENEW_BEFORE).as_second();
    let mut present = subject_names(&leaf);
    let mut wanted = names.to_vec();
    present.sort();
    wanted.sort();
    Ok(leaf.validity().not_after.timestamp() < soon || present != wanted || !paths.key.exists())
}

fn subject_names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = leaf.subject_alternative_name() else { return Vec::new() };
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            _ => None,
        },
        _ => None,
    };
    names.value.general_names.iter().filter_map(text).collect()
}

/// The CA of this directory, made if it has none.
fn ca(paths: &DevPaths) -> Result<Issuer<'static, KeyPair>, DevCertificateError> {
    if let (Some(certificate), Some(key)) = (read_optional(&paths.ca)?, read_optional(&paths.ca_key)?) {
        let damaged = |detail: String| DevCertificateError::Damaged { path: paths.ca_key.clone(), detail };
        let key = std::str::from_utf8(&key).map_err(|error| damaged(error.to_string()))?;
        let key = KeyPair::from_pem(key).map_err(|error| damaged(error.to_string()))?;
        let certificate = pem(&certificate, &paths.ca)?;
        let certificate = x509(&certificate, &paths.ca)?;
        let name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        return Ok(Issuer::new(ca_params(name.unwrap_or_default()), key));
    }
    // A name of its own: browsers that trusted an earlier CA must not confuse the two.
    let [a, b] = random_bytes::<2>();
    let params = ca_params(&format!("Berth development CA {a:02x}{b:02x}"));
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    write(&paths.ca_key, &key.serialize_pem(), 0o600)?;
    write(&paths.ca, &certificate.pem(), 0o644)?;
    Ok(Issuer::new(params, key))
}

fn ca_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = validity(CA_LIFE);
    params
}

fn leaf_params(names: &[String]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = common_name(names.first().map_or("localhost", String::as_str));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = validity(LEAF_LIFE);
    Ok(params)
}

fn common_name(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

/// From yesterday, for machines whose clock is slow, for `life` in all.
fn validity(life: Duration) -> (OffsetDateTime, OffsetDateTime) {
    let now =
        OffsetDateTime::from_unix_timestamp(clock::now().as_second()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (now - DAY, now - DAY + life)
}

fn pem(bytes: &[u8], path: &Path) -> Result<Pem, DevCertificateError> {
    let first = Pem::iter_from_buffer(bytes).next().and_then(Result::ok);
    first.ok_or_else(|| DevCertificateError::Damaged {
        path: path.to_owned(),
        detail: "no PEM section".to_owned(),
    })
}

fn x509<'a>(pem: &'a Pem, path: &Path) -> Result<X509Certificate<'a>, DevCertificateError> {
    pem.parse_x509()
        .map_err(|error| DevCertificateError::Damaged { path: path.to_owned(), detail: error.to_string() })
}

fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, DevCertificateError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(DevCertificateError::File { path: path.to_owned(), source }),
    }
}

/// Replaces a file in one step; nobody ever sees half of it, nor a key with wider rights.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), DevCertificateError> {
    let file = |source| DevCertificateError::File { path: path.to_owned(), source };
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut out = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new).map_err(file)?;
    out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).map_err(file)?;
    fs::rename(&new, path).map_err(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use tempfile::TempDir;

    use super::*;

    fn leaf_names(paths: &DevPaths) -> Vec<String> {
        let bytes = fs::read(&paths.certificate).unwrap();
        let pem = pem(&bytes, &paths.certificate).unwrap();
        subject_names(&pem.parse_x509().unwrap())
    }

    #[test]
    fn the_ca_is_kept_and_the_leaf_follows_the_names() {
        let directory = TempDir::new().unwrap();
        let certs = directory.path().join("certs");
        let first = ensure(&certs, "desk.example.org").unwrap();
        assert!(first.created);
        assert_eq!(
            leaf_names(&first.paths),
            ["desk.example.org", "*.desk.example.org", "localhost", "*.localhost", "127.0.0.1", "::1"]
        );
        let ca = fs::read(&first.paths.ca).unwrap();
        assert!(!ensure(&certs, "desk.example.org").unwrap().created);
        assert!(ensure(&certs, "localhost").unwrap().created);
        assert_eq!(leaf_names(&first.paths).len(), 4);
        assert_eq!(fs::read(&first.paths.ca).unwrap(), ca);
        for key in [&first.paths.key, &first.paths.ca_key] {
            assert_eq!(fs::metadata(key).unwrap().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn an_operators_certificate_is_left_alone() {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("fullchain.pem"), "theirs").unwrap();
        assert!(!ensure(directory.path(), "localhost").unwrap().created);

        let (ours, theirs) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let ours = ensure(ours.path(), "localhost").map(|made| (made, ours)).unwrap();
        let theirs = ensure(theirs.path(), "other.example").map(|made| (made, theirs)).unwrap();
        fs::copy(&theirs.0.paths.certificate, &ours.0.paths.certificate).unwrap();
        assert!(!ensure(ours.1.path(), "localhost").unwrap().created);
    }

    #[test]
    fn a_lost_key_or_leaf_is_made_again() {
        let directory = TempDir::new().unwrap();
        let made = ensure(directory.path(), "localhost").unwrap();
        fs::remove_file(&made.paths.key).unwrap();
        assert!(ensure(directory.path(), "localhost").unwrap().created);
        fs::remove_file(&made.paths.certificate).unwrap();
        assert!(ensure(directory.path(), "localhost").unwrap().created);
    }
}
