//! The metrics recorder, and the plain HTTP listener that shows it. Never public: it has no
//! password.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tracing::debug;

use super::names;
use crate::body::Body;
use crate::tasks::Tasks;

/// How often the recorder's histograms are folded.
const UPKEEP: Duration = Duration::from_secs(5);
/// A scraper that sends no complete head for this long is cut.
const HEADER: Duration = Duration::from_secs(5);

/// Why metrics cannot be recorded or shown.
#[derive(Debug, Error)]
pub enum MetricsError {
    /// The address cannot be listened on.
    #[error("metrics cannot listen on {address}; choose another server.metrics, or \"\" for none")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The operating system's words.
        #[source]
        source: io::Error,
    },
    /// The recorder cannot be installed, because the process has one.
    #[error("the metrics recorder cannot be installed")]
    Recorder(#[source] BuildError),
}

/// Installs the recorder of the process and describes every metric of [`names`]. Call it once,
/// before the first metric is counted.
///
/// # Errors
/// [`MetricsError::Recorder`] on a second call.
pub fn install_metrics() -> Result<PrometheusHandle, MetricsError> {
    let handle = builder().and_then(PrometheusBuilder::install_recorder).map_err(MetricsError::Recorder)?;
    names::describe();
    names::begin();
    Ok(handle)
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(names::REQUEST_SECONDS.to_owned()), &names::REQUEST_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(names::START_SECONDS.to_owned()), &names::START_BUCKETS)?
        .set_buckets_for_metric(
            Matcher::Full(names::HOME_MEASURE_SECONDS.to_owned()),
            &names::MEASURE_BUCKETS,
        )?
        .set_buckets_for_metric(Matcher::Full(names::SAMPLE_SECONDS.to_owned()), &names::SAMPLE_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(names::PING_RTT_SECONDS.to_owned()), &names::PING_BUCKETS)
}

/// Serves `GET /metrics` and `GET /health` on `address` in plain HTTP until the tasks stop.
/// Returns the bound address.
///
/// # Errors
/// [`MetricsError::Bind`].
pub async fn serve_metrics(
    address: SocketAddr,
    handle: PrometheusHandle,
    tasks: &Tasks,
) -> Result<SocketAddr, MetricsError> {
    let bind = |source| MetricsError::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(bind)?;
    let bound = listener.local_addr().map_err(bind)?;
    let upkeep = handle.clone();
    let stopping = tasks.stopping();
    tasks.spawn("metrics upkeep", async move {
        let mut tick = tokio::time::interval(UPKEEP);
        while stopping.run_until_cancelled(tick.tick()).await.is_some() {
            upkeep.run_upkeep();
        }
    });
    tasks.spawn("metrics", accept(listener, handle, tasks.clone()));
    Ok(bound)
}

async fn accept(listener: TcpListener, handle: PrometheusHandle, tasks: Tasks) {
    let stopping = tasks.stopping();
    while let Some(accepted) = stopping.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => {
                let serve = serve_one(stream, handle.clone());
                let stopping = tasks.stopping();
                tasks.spawn("metrics scrape", async move {
                    let _ = stopping.run_until_cancelled(serve).await;
                });
            }
            Err(error) => {
                debug!(%error, "accepting a metrics connection failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve_one(stream: TcpStream, handle: PrometheusHandle) {
    let service = service_fn(|request| std::future::ready(Ok::<_, Infallible>(answer(&request, &handle))));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        debug!(%error, "a metrics connection broke off");
    }
}

fn answer(request: &Request<Incoming>, handle: &PrometheusHandle) -> Response<Body> {
    let (status, content_type, text) = match (request.method(), request.uri().path()) {
        (&http::Method::GET, "/metrics") => {
            (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", handle.render())
        }
        (&http::Method::GET, "/health") => (StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned()),
        (_, "/metrics" | "/health") => {
            (StatusCode::METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", "only GET\n".to_owned())
        }
        (_, _) => {
            (StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "try /metrics or /health\n".to_owned())
        }
    };
    let mut response = Response::new(Body::full(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn metrics_and_health_are_shown_in_plain_http() {
        let recorder = builder().unwrap().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            names::describe();
            metrics::gauge!(names::ORPHANS).set(0.0);
            metrics::histogram!(names::REQUEST_SECONDS, "edge" => "control").record(0.02);
        });
        let tasks = Tasks::new();
        let address = serve_metrics((Ipv4Addr::LOCALHOST, 0).into(), handle, &tasks).await.unwrap();
        let page = get(address, "/metrics").await;
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert!(page.contains("berth_orphans 0"), "{page}");
        assert!(
            page.contains("berth_request_duration_seconds_bucket{edge=\"control\",le=\"0.025\"} 1"),
            "{page}"
        );
        assert!(get(address, "/health").await.ends_with("\r\n\r\nok\n"));
        assert!(get(address, "/x").await.starts_with("HTTP/1.1 404"));
        tasks.drain().await;
    }
}
