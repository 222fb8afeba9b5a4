//! TLS towards the browser: the certificate and its reloads, one policy for all hosts, one
//! deadline for a handshake. The only file that names `rustls`.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{error, info, warn};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::dev_ca::{self, DevCertificateError};
use super::peer::Protocol;
pub use super::settings::TlsSettings as Settings;
use crate::clock;
use crate::inventory::Inventory;
use crate::language::Sentence;
use crate::tasks::Tasks;
use crate::telemetry::names;

/// How often the certificate's files are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// Days before expiry at which operators are warned.
const WARN_DAYS: [i64; 4] = [0, 1, 7, 14];

/// Why there is no certificate to serve with.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// The development certificate cannot be made.
    #[error("the development certificate cannot be made")]
    Development(#[source] DevCertificateError),
    /// The key belongs to another certificate.
    #[error("the key {key} does not belong to the certificate {certificate}; put the matching pair in place")]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The file has no section of the kind that is needed.
    #[error("{path} has no {what}; expected a PEM file with a section for it")]
    Missing {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        what: &'static str,
    },
    /// The file is no PEM.
    #[error("{path} is not a PEM file")]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: pem::Error,
    },
    /// The file cannot be read.
    #[error("{path} cannot be read; check that it exists and that this user may read it")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        #[source]
        source: io::Error,
    },
    /// It is PEM, but no certificate or key that can be used.
    #[error("{path} cannot be used: {detail}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

/// The certificate in use. Every listener's configuration holds it as its resolver; the watcher
/// replaces what is inside, so that configurations, and the tickets they issued, stay.
#[derive(Debug)]
pub struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    current: ArcSwap<Loaded>,
    /// What the files looked like when they were last read; held for an assignment only.
    seen: Mutex<Option<[Stamp; 2]>>,
    /// The lowest of [`WARN_DAYS`] that was warned of for the current certificate.
    warned: AtomicI64,
}

#[derive(Debug)]
struct Loaded {
    key: Arc<CertifiedKey>,
    expires_at: Timestamp,
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// Marks a certificate of our own development CA among what weakens security: browsers that trust it
/// trust whoever holds that CA's key.
pub fn mark_development(settings: &Settings, inventory: &mut Inventory) {
    let directory = settings.certificate.parent().unwrap_or(Path::new(""));
    if dev_ca::paths(directory).certificate == settings.certificate && dev_ca::in_use(directory) {
        inventory.mark("tls", "dev_ca", Sentence::of("danger-development"));
    }
}

impl Certificates {
    /// Loads what `settings` name; with `dev_ca` first makes sure that a development certificate
    /// for `domain` is there if the operator has put none in place.
    ///
    /// # Errors
    /// [`CertificateError`] names the file and what to do. An expired certificate is only warned of.
    pub fn open(settings: &Settings, domain: &str) -> Result<Arc<Self>, CertificateError> {
        let directory = settings.certificate.parent().unwrap_or(Path::new(""));
        let usual = dev_ca::paths(directory);
        if settings.dev_ca && usual.certificate == settings.certificate && usual.key == settings.key {
            let made = dev_ca::ensure(directory, domain).map_err(CertificateError::Development)?;
            if made.created {
                info!(ca = %made.paths.ca.display(), "issued a development certificate; browsers trust it once they trust its CA");
            }
        }
        Self::load(&settings.certificate, &settings.key)
    }

    /// Loads a certificate with its chain, and its key.
    ///
    /// # Errors
    /// [`CertificateError`] names the file and what to do. An expired certificate is only warned of.
    pub fn load(certificate: &Path, key: &Path) -> Result<Arc<Self>, CertificateError> {
        let seen = stamps(certificate, key).ok();
        let loaded = read(certificate, key)?;
        let certificates = Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current: ArcSwap::from_pointee(loaded),
            seen: Mutex::new(seen),
            warned: AtomicI64::new(i64::MAX),
        };
        certificates.tell_expiry();
        Ok(Arc::new(certificates))
    }

    /// Reads the files again. Handshakes that begin from now on get the new certificate; open
    /// connections are not touched.
    ///
    /// # Errors
    /// As for [`Certificates::load`]; the certificate in use then stays in use.
    pub fn reload(&self) -> Result<(), CertificateError> {
        // Stamped before the reading: a file that changes meanwhile is read once more.
        let seen = stamps(&self.certificate, &self.key).ok();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        let loaded = read(&self.certificate, &self.key)?;
        self.current.store(Arc::new(loaded));
        self.warned.store(i64::MAX, Ordering::Relaxed);
        self.tell_expiry();
        Ok(())
    }

    /// When the certificate in use expires.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.current.load().expires_at
    }

    /// Reloads when the files change or the process gets SIGHUP, and warns before expiry, until
    /// the tasks stop.
    pub fn watch(self: &Arc<Self>, tasks: &Tasks) {
        let (certificates, stopping) = (self.clone(), tasks.stopping());
        tasks.spawn("certificate watcher", async move {
            let mut hangup = signal(SignalKind::hangup()).ok();
            let mut look = tokio::time::interval(LOOK);
            loop {
                let asked = tokio::select! {
                    () = stopping.cancelled() => return,
                    () = next_signal(&mut hangup) => true,
                    _ = look.tick() => false,
                };
                if asked || certificates.changed() {
                    certificates.reload_and_tell();
                }
                certificates.tell_expiry();
            }
        });
    }

    fn changed(&self) -> bool {
        // A missing file is one in the middle of being replaced: what is in use stays.
        let Ok(now) = stamps(&self.certificate, &self.key) else { return false };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) != Some(now)
    }

    fn reload_and_tell(&self) {
        match self.reload() {
            Ok(()) => {
                metrics::counter!(names::CERTIFICATE_RELOADS, "outcome" => "ok").increment(1);
                info!(expires_at = %self.expires_at(), "the certificate was reloaded");
            }
            Err(error) => {
                metrics::counter!(names::CERTIFICATE_RELOADS, "outcome" => "failed").increment(1);
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                error!(%error, cause, "the new certificate cannot be used; the old one stays in use");
            }
        }
    }

    /// Sets the metric, and warns once for each of [`WARN_DAYS`].
    #[allow(clippy::cast_precision_loss)] // a number of days
    fn tell_expiry(&self) {
        let expires_at = self.expires_at();
        let days = expires_at.duration_since(clock::now()).as_secs().div_euclid(86_400);
        metrics::gauge!(names::CERTIFICATE_DAYS).set(days as f64);
        let Some(step) = WARN_DAYS.into_iter().find(|step| days < *step) else { return };
        if self.warned.fetch_min(step, Ordering::Relaxed) <= step {
            return;
        }
        if days < 0 {
            error!(%expires_at, "the certificate has expired: browsers refuse to connect; renew it now");
        } else {
            warn!(%expires_at, days, "the certificate expires soon; renew it");
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load().key.clone())
    }
}

async fn next_signal(hangup: &mut Option<tokio::signal::unix::Signal>) {
    match hangup {
        Some(hangup) => {
            hangup.recv().await;
        }
        None => std::future::pending().await,
    }
}

fn stamps(certificate: &Path, key: &Path) -> io::Result<[Stamp; 2]> {
    let stamp = |path: &Path| {
        let meta = fs::metadata(path)?;
        Ok::<_, io::Error>(Stamp {
            inode: meta.ino(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
        })
    };
    Ok([stamp(certificate)?, stamp(key)?])
}

fn read(certificate: &Path, key: &Path) -> Result<Loaded, CertificateError> {
    let text = |path: &Path| {
        fs::read(path).map_err(|source| CertificateError::Unreadable { path: path.to_owned(), source })
    };
    let not_pem = |path: &Path| {
        let path = path.to_owned();
        move |source| CertificateError::NotPem { path, source }
    };
    let missing = |path: &Path, what| CertificateError::Missing { path: path.to_owned(), what };
    let unusable = |path: &Path, detail: String| CertificateError::Unusable { path: path.to_owned(), detail };

    let chain = CertificateDer::pem_slice_iter(&text(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(not_pem(certificate))?;
    let first = chain.first().ok_or_else(|| missing(certificate, "certificate"))?;
    let (_, parsed) =
        X509Certificate::from_der(first).map_err(|error| unusable(certificate, error.to_string()))?;
    let expires_at =
        Timestamp::from_second(parsed.validity().not_after.timestamp()).unwrap_or(Timestamp::MAX);
    let private = PrivateKeyDer::from_pem_slice(&text(key)?).map_err(|error| match error {
        pem::Error::NoItemsFound => missing(key, "private key"),
        other => not_pem(key)(other),
    })?;
    let private = provider().key_provider.load_private_key(private);
    let private = private.map_err(|error| unusable(key, error.to_string()))?;
    let pair = CertifiedKey::new(chain, private);
    match pair.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            return Err(CertificateError::Mismatch {
                certificate: certificate.to_owned(),
                key: key.to_owned(),
            });
        }
        Err(error) => return Err(unusable(certificate, error.to_string())),
    }
    Ok(Loaded { key: Arc::new(pair), expires_at })
}

/// The cryptography of the process, installed on first use; `main` calls this first.
pub fn provider() -> Arc<CryptoProvider> {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have been faster: then its choice, the same one, stands.
        let _ = aws_lc_rs::default_provider().install_default();
    }
    CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()))
}

/// Why a handshake did not end in a connection.
#[derive(Debug, Error)]
pub enum HandshakeError {
    /// It took too long.
    #[error("the handshake took longer than {} s", .0.as_secs())]
    Deadline(Duration),
    /// The other side went away or speaks no TLS that we do.
    #[error("the handshake failed")]
    Failed(#[source] io::Error),
}

impl HandshakeError {
    /// The stable name used in metrics.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Deadline(_) => "deadline",
            Self::Failed(error) if error.kind() == io::ErrorKind::InvalidData => "refused",
            Self::Failed(_) => "closed",
        }
    }
}

/// Our side of TLS: versions 1.2 and 1.3, `h2` and `http/1.1`, stateless tickets. Clones share
/// one configuration, which lives as long as the process: rebuilding it would void every ticket.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Builds the configuration around `certificates`.
    ///
    /// # Errors
    /// When the operating system has no randomness for ticket keys.
    pub fn new(certificates: Arc<Certificates>) -> io::Result<Self> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(certificates);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(io::Error::other)?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// The whole handshake, bounded by `deadline`.
    ///
    /// # Errors
    /// [`HandshakeError`]; the stream is closed then.
    pub async fn handshake<S>(&self, stream: S, deadline: Duration) -> Result<Secured<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = timeout(deadline, self.acceptor.accept(stream))
            .await
            .map_err(|_| HandshakeError::Deadline(deadline))?
            .map_err(HandshakeError::Failed)?;
        let (_, session) = stream.get_ref();
        let protocol = match session.alpn_protocol() {
            Some(b"h2") => Protocol::Http2,
            Some(_) | None => Protocol::Http1,
        };
        let server_name = session.server_name().map(str::to_owned);
        Ok(Secured { stream, protocol, server_name })
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// A stream after its handshake.
#[derive(Debug)]
pub struct Secured<S> {
    /// The plain text's stream.
    pub stream: TlsStream<S>,
    /// What ALPN chose (RFC 7301); HTTP/1.1 if the browser offered nothing.
    pub protocol: Protocol,
    /// The name the browser asked for (RFC 6066 §3), in lower case.
    pub server_name: Option<String>,
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
