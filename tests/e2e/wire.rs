//! Bytes on the wire: requests that no well-behaved client would send.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::gateway::Gateway;

/// A TLS connection to the gateway that speaks HTTP/1.1.
pub async fn connect(gateway: &Gateway) -> TlsStream<TcpStream> {
    dial(&gateway.ca(), gateway.address()).await
}

/// The same to the gateway at an address, whose certificate is of this CA.
pub async fn dial(ca: &[u8], address: SocketAddr) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(ca).expect("a CA certificate");
    roots.add(ca).expect("a CA certificate");
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let tcp = TcpStream::connect(address).await.expect("the gateway listens");
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await.expect("a handshake")
}

/// Sends these bytes and returns the first answer.
pub async fn exchange(gateway: &Gateway, bytes: &[u8]) -> String {
    converse(gateway, bytes, true).await
}

/// Sends these bytes and returns everything until the gateway closes or is silent for a while.
pub async fn exchange_all(gateway: &Gateway, bytes: &[u8]) -> String {
    converse(gateway, bytes, false).await
}

async fn converse(gateway: &Gateway, bytes: &[u8], one: bool) -> String {
    let mut stream = connect(gateway).await;
    // The gateway may refuse and close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(Ok(count)) = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await {
        if count == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..count]);
        if one && answer.windows(4).any(|window| window == b"\r\n\r\n") && complete(&answer) {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Whether an answer with a Content-Length has arrived whole.
fn complete(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let body = answer.len() - head.len() - 4;
    length.and_then(|length| length.trim().parse::<usize>().ok()).is_some_and(|length| body >= length)
}

/// The status of an answer; 0 when the connection was closed without one.
pub fn status(answer: &str) -> u16 {
    answer
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .and_then(|code| code.parse().ok())
        .unwrap_or(0)
}
