//! Settings of the server.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::session::Routing;

/// Where and how downstream connections are served: `[server]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Addresses to listen on with TLS; never empty. Default is `0.0.0.0:8443`.
    pub listen: Vec<SocketAddr>,
    /// The port in the portal's address as browsers know it, where something in front of the
    /// gateway changes it; `None` is the one of the first listen address. Default is `None`.
    pub public_port: Option<NonZeroU16>,
    /// The portal's host name in lower case; sessions live under it in subdomain mode. Default is
    /// `localhost`.
    pub domain: String,
    /// Where sessions live unless their template says otherwise. Default is by path.
    pub routing: Routing,
    /// Networks whose `X-Forwarded-For` is believed. Default is none.
    pub trusted_proxies: Vec<IpNet>,
    /// Connections open at once; more wait in the kernel's backlog. Default is 10 000.
    pub max_connections: usize,
    /// Bound of the whole TLS handshake. Default is 10 s.
    pub handshake: Duration,
    /// Bound of one request's head. Default is 15 s.
    pub header: Duration,
    /// A connection without a request is closed after this long. Default is 2 minutes.
    pub idle: Duration,
    /// From the signal to stop until open requests and sockets are cut. Default is 30 s.
    pub drain: Duration,
    /// Unix socket on which the command line reaches the running gateway; mode 0600. Default is
    /// `var/control.sock`.
    pub control: PathBuf,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8443))],
            public_port: None,
            domain: "localhost".to_owned(),
            routing: Routing::Path,
            trusted_proxies: Vec::new(),
            max_connections: 10_000,
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(15),
            idle: Duration::from_mins(2),
            drain: Duration::from_secs(30),
            control: PathBuf::from("var/control.sock"),
        }
    }
}

/// Where the certificate comes from: `[tls]`. Paths are relative to the working directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsSettings {
    /// PEM file with the certificate and its chain. Default is `certs/fullchain.pem`.
    pub certificate: PathBuf,
    /// PEM file with its private key. Default is `certs/key.pem`.
    pub key: PathBuf,
    /// Issue a certificate from a development CA of our own if there is none. Default is `true`.
    pub dev_ca: bool,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            certificate: PathBuf::from("certs/fullchain.pem"),
            key: PathBuf::from("certs/key.pem"),
            dev_ca: true,
        }
    }
}
