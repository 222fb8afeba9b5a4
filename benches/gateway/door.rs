//! A way in: an address, what to say there, and TLS as browsers speak it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, version};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A connection, with or without TLS.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Which key exchange a browser offers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Groups {
    /// X25519 alone, which every peer knows.
    Classical,
    /// X25519MLKEM768, which today's browsers prefer, and X25519 for whom does not know it.
    Hybrid,
}

/// A way to an upstream.
#[derive(Clone)]
pub struct Door {
    pub address: SocketAddr,
    /// The `Host`, port included.
    pub host: String,
    /// What stands before every path.
    pub prefix: String,
    /// The login's cookie, where one is needed.
    pub cookie: Option<String>,
    tls: Option<Tls>,
}

#[derive(Clone)]
struct Tls {
    name: ServerName<'static>,
    classical: TlsConnector,
    hybrid: TlsConnector,
}

impl Door {
    /// Straight to an upstream.
    pub fn direct(address: SocketAddr) -> Self {
        Self { address, host: address.to_string(), prefix: String::new(), cookie: None, tls: None }
    }

    /// By TLS 1.3 to `name`, trusting the certificate authority in `ca`.
    pub fn tls(address: SocketAddr, name: &str, ca: &Path) -> Self {
        let tls = Tls {
            name: ServerName::try_from(name.to_owned()).expect("a host name"),
            classical: connector(ca, Groups::Classical),
            hybrid: connector(ca, Groups::Hybrid),
        };
        let host = format!("{name}:{}", address.port());
        Self { address, host, prefix: String::new(), cookie: None, tls: Some(tls) }
    }

    /// The same with another cookie, or none.
    pub fn with_cookie(self, cookie: Option<String>) -> Self {
        Self { cookie, ..self }
    }

    /// The same for paths under `prefix`.
    pub fn below(self, prefix: String) -> Self {
        Self { prefix, ..self }
    }

    /// The same address under another name.
    pub fn named(&self, name: &str) -> Self {
        let mut door = self.clone();
        door.host = format!("{name}:{}", self.address.port());
        if let Some(tls) = &mut door.tls {
            tls.name = ServerName::try_from(name.to_owned()).expect("a host name");
        }
        door
    }

    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Opens a connection as a browser would; no TLS session is ever resumed.
    pub async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        self.connect_with(Groups::Classical).await
    }

    pub async fn connect_with(&self, groups: Groups) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let connector = match groups {
            Groups::Classical => &tls.classical,
            Groups::Hybrid => &tls.hybrid,
        };
        Ok(Box::new(connector.connect(tls.name.clone(), stream).await?))
    }
}

fn connector(ca: &Path, groups: Groups) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).expect("the development CA") {
        roots.add(certificate.expect("a certificate")).expect("a CA certificate");
    }
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = match groups {
        Groups::Classical => vec![kx_group::X25519],
        Groups::Hybrid => vec![kx_group::X25519MLKEM768, kx_group::X25519],
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&version::TLS13])
        .expect("TLS 1.3 fits these groups")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    TlsConnector::from(Arc::new(config))
}
