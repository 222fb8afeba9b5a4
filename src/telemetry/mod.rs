//! What operators see: logs and metrics.

mod logging;
mod metrics_page;
pub mod names;

use std::net::{Ipv4Addr, SocketAddr};

pub use self::logging::{LoggingError, check_filter, init_logging};
pub use self::metrics_page::{MetricsError, install_metrics, serve_metrics};

/// How log lines are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// One JSON object a line.
    Json,
}

/// Logs and metrics: `[log]` and `server.metrics`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Default is text.
    pub format: Format,
    /// Which lines are written, in the syntax of `tracing`'s filters. The environment variable
    /// `BERTH_LOG` wins over it. Default is `info`.
    pub filter: String,
    /// Where `/metrics` and `/health` are served in plain HTTP; `None` for nowhere. Default is
    /// `127.0.0.1:9464`.
    pub metrics: Option<SocketAddr>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            format: Format::Text,
            filter: "info".to_owned(),
            metrics: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9464))),
        }
    }
}
