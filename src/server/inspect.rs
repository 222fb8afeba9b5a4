//! Looking at certificates and at whoever answers, for `berth doctor`: nothing is trusted for it and no
//! secret is sent.

use std::io;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::tls::provider;

/// What a certificate says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Facts {
    /// The host names it is for.
    pub names: Vec<String>,
    /// From when on it holds.
    pub begins_at: Timestamp,
    /// Until when it holds.
    pub expires_at: Timestamp,
    /// Who issued it.
    pub issuer: String,
    der: Vec<u8>,
}

impl Facts {
    /// Of the first certificate of a PEM file.
    ///
    /// # Errors
    /// The file cannot be read, or holds no certificate.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read(path)?;
        let first = CertificateDer::pem_slice_iter(&text).next();
        let first = first.ok_or_else(|| io::Error::other("no certificate is in it"))?;
        Self::of(&first.map_err(io::Error::other)?)
    }

    fn of(der: &CertificateDer<'_>) -> io::Result<Self> {
        let (_, parsed) = X509Certificate::from_der(der).map_err(io::Error::other)?;
        let alternatives = parsed.subject_alternative_name().map_err(io::Error::other)?;
        let name = |name: &GeneralName<'_>| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            // A foreign enum: other kinds name no host of ours.
            _ => None,
        };
        let time = |seconds: i64| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        Ok(Self {
            names: alternatives
                .iter()
                .flat_map(|names| names.value.general_names.iter().filter_map(name))
                .collect(),
            begins_at: time(parsed.validity().not_before.timestamp()),
            expires_at: time(parsed.validity().not_after.timestamp()),
            issuer: parsed.issuer().to_string(),
            der: der.to_vec(),
        })
    }

    /// Whether it is for this host; a wildcard stands for one label (RFC 6125 §6.4.3).
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
            None => name.eq_ignore_ascii_case(host),
        })
    }

    /// Whether it is the very same certificate.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

/// A TLS connection to `domain` over `stream`, and the certificate that was presented, whoever's it is.
///
/// # Errors
/// No TLS is spoken there, or none that we speak.
pub async fn connect<S>(stream: S, domain: &str) -> io::Result<(TlsStream<S>, Facts)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let provider = provider();
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(DangerAnyone(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from(domain.to_owned()).map_err(io::Error::other)?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let presented = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let facts = Facts::of(presented.ok_or_else(|| io::Error::other("no certificate was presented"))?)?;
    Ok((stream, facts))
}

/// Takes any certificate, because whose it is, is what is to be found out; only what is public is asked.
#[derive(Debug)]
struct DangerAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for DangerAnyone {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::dev_ca;

    #[test]
    fn a_certificate_says_whom_it_is_for() {
        let folder = tempfile::tempdir().unwrap();
        let made = dev_ca::ensure(folder.path(), "desk.example.org").unwrap();
        let facts = Facts::read(&made.paths.certificate).unwrap();
        for (host, covered) in [
            ("desk.example.org", true),
            ("Desk.Example.ORG", true),
            ("abc.desk.example.org", true),
            ("a.b.desk.example.org", false),
            ("example.org", false),
        ] {
            assert_eq!(facts.covers(host), covered, "{host} in {:?}", facts.names);
        }
        assert!(facts.begins_at < facts.expires_at && facts.is(&facts.clone()));
        assert!(Facts::read(&made.paths.key).is_err());
    }
}
