//! What stands in front of a gateway and has its certificate: a proxy, or something else altogether.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::gateway::Gateway;
use crate::wire;

/// What it does with a request.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// Passes it on.
    Passes,
    /// Passes it on without the headers that ask for an upgrade, as nginx does unless it is told otherwise.
    PassesNoUpgrade,
    /// Passes on what asks for no upgrade, and answers the rest itself.
    Refuses(&'static str),
    /// Answers it itself, with these bytes.
    Answers(&'static str),
}

/// A server of the test's own; gone when dropped.
#[derive(Debug)]
pub struct Front {
    pub port: u16,
    accepting: JoinHandle<()>,
}

impl Front {
    pub async fn start(gateway: &Gateway, manner: Manner) -> Self {
        let chain =
            CertificateDer::pem_file_iter(gateway.path("certs/fullchain.pem")).expect("setup made it");
        let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
        let key = PrivateKeyDer::from_pem_file(gateway.path("certs/key.pem")).expect("setup made it");
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("they belong together")));
        let behind = (gateway.ca(), gateway.address());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move { serve(stream, &acceptor, manner, &behind).await });
            }
        });
        Self { port, accepting }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    manner: Manner,
    (ca, gateway): &(Vec<u8>, SocketAddr),
) -> io::Result<()> {
    let mut browser = acceptor.accept(stream).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(browser.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let passed_on = match manner {
        Manner::Passes => head,
        Manner::Refuses(_) if !head.lines().any(asks_upgrade) => head,
        Manner::PassesNoUpgrade => without_upgrade(&head),
        Manner::Refuses(answer) | Manner::Answers(answer) => {
            browser.write_all(answer.as_bytes()).await?;
            return browser.shutdown().await;
        }
    };
    let mut behind = wire::dial(ca, *gateway).await;
    behind.write_all(passed_on.as_bytes()).await?;
    copy_bidirectional(&mut browser, &mut behind).await?;
    Ok(())
}

fn without_upgrade(head: &str) -> String {
    let kept: Vec<&str> = head.trim_end().lines().filter(|line| !asks_upgrade(line)).collect();
    format!("{}\r\nconnection: close\r\n\r\n", kept.join("\r\n"))
}

fn asks_upgrade(line: &str) -> bool {
    ["upgrade:", "connection: upgrade"].iter().any(|asks| line.to_ascii_lowercase().starts_with(asks))
}
