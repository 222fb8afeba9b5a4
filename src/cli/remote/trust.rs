//! What a command brings to a gateway elsewhere: the right to ask, and whom it trusts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::cli::failure::{Exit, Failure};
use crate::secret::Secret;
use crate::server::tls;

/// Where systems keep the certificates that they trust.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The token from a file, or from `BERTH_TOKEN`. Never from the command line, which everybody on the
/// machine can read.
pub(super) fn token(file: Option<&Path>) -> Result<Secret<String>, Failure> {
    let missing = |why: &dyn std::fmt::Display| {
        let todo = "put a token into a file that only you can read and name it with --token-file, or set BERTH_TOKEN";
        Failure::new(Exit::Refused, "there is no token to ask the gateway with", why, todo)
    };
    let text = match file {
        Some(path) => {
            std::fs::read_to_string(path).map_err(|error| missing(&format!("{}: {error}", path.display())))?
        }
        None => std::env::var("BERTH_TOKEN").map_err(|_| missing(&"neither is given"))?,
    };
    match text.trim() {
        "" => Err(missing(&"it is empty")),
        token => Ok(Secret::new(token.to_owned())),
    }
}

/// Trusts the given certificates alone, or those that the system trusts.
pub(super) fn connector(ca: Option<&Path>) -> Result<TlsConnector, Failure> {
    let given = ca.map(Path::to_owned).or_else(|| std::env::var_os("SSL_CERT_FILE").map(PathBuf::from));
    let system = || SYSTEM.into_iter().map(PathBuf::from).find(|path| path.exists());
    let failed = |why: &dyn std::fmt::Display| {
        let todo = "install the package ca-certificates, or name the certificate's issuer with --ca-file";
        Failure::new(Exit::Missing, "no gateway could be trusted", why, todo)
    };
    let path =
        given.or_else(system).ok_or_else(|| failed(&"this system has no list of issuers it trusts"))?;
    let read = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| failed(&format!("{}: {error}", path.display())))?;
    let mut roots = RootCertStore::empty();
    if roots.add_parsable_certificates(certificates).0 == 0 {
        return Err(failed(&format!("there is no certificate in {}", path.display())));
    }
    tls::provider();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
