//! The peers, when the machine has them: one worker, TLS 1.3 with the same certificate, kept-alive
//! connections to the same upstream, an access line per request in a file. They authorise nobody.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::door::Door;
use super::process::Process;
use super::{Subject, gateway};

/// Where Debian puts servers, beside the path.
const SBIN: &str = "/usr/sbin";

/// Starts nginx in front of `app`.
///
/// # Errors
/// Says that it is not installed, or what it said instead of serving.
pub async fn nginx(folder: &Path, app: SocketAddr, pinned: bool) -> Result<Subject, String> {
    let program = installed("nginx")?;
    let port = gateway::free_port();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path nginx-{kind};"))
        .join(" ");
    let config = format!(
        "daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log nginx-error.log;\n\
         events {{ worker_connections 8192; }}\n\
         http {{\n\
           access_log nginx-access.log combined; {temporary}\n\
           map $http_upgrade $switch {{ default upgrade; '' ''; }}\n\
           upstream app {{ server {app}; keepalive 64; keepalive_requests 100000000; }}\n\
           server {{\n\
             listen 127.0.0.1:{port} ssl backlog=1024; ssl_protocols TLSv1.3;\n\
             ssl_certificate certs/fullchain.pem; ssl_certificate_key certs/key.pem;\n\
             keepalive_requests 100000000; tcp_nodelay on;\n\
             location / {{\n\
               proxy_pass http://app; proxy_http_version 1.1; proxy_read_timeout 300s;\n\
               proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;\n\
               proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $switch;\n\
             }}\n\
           }}\n\
         }}\n"
    );
    fs::write(folder.join("nginx.conf"), config).map_err(|error| error.to_string())?;
    let prefix = folder.display().to_string();
    // The first `-e` keeps it from its compiled-in log, which only root may open.
    let arguments = ["-p", &prefix, "-e", "nginx-error.log", "-c", "nginx.conf"];
    serving("nginx", Process::start("nginx", &program, &arguments, folder, pinned), folder, port).await
}

/// Starts HAProxy in front of `app`.
///
/// # Errors
/// As for [`nginx`].
pub async fn haproxy(folder: &Path, app: SocketAddr, pinned: bool) -> Result<Subject, String> {
    let program = installed("haproxy")?;
    let port = gateway::free_port();
    let read = |name: &str| fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
    let pair = format!("{}{}", read("certs/fullchain.pem")?, read("certs/key.pem")?);
    fs::write(folder.join("haproxy.pem"), pair).map_err(|error| error.to_string())?;
    let config = format!(
        "global\n  maxconn 8192\n  nbthread 1\n  log stdout format raw local0\n  ssl-default-bind-options ssl-min-ver TLSv1.3\n\
         defaults\n  mode http\n  log global\n  option httplog\n  timeout connect 5s\n  timeout client 300s\n  \
         timeout server 300s\n  timeout tunnel 300s\n\
         frontend tls\n  bind 127.0.0.1:{port} ssl crt haproxy.pem alpn http/1.1\n  option forwardfor\n  default_backend app\n\
         backend app\n  http-reuse always\n  server app {app}\n"
    );
    fs::write(folder.join("haproxy.cfg"), config).map_err(|error| error.to_string())?;
    let arguments = ["-db", "-f", "haproxy.cfg"];
    serving("haproxy", Process::start("haproxy", &program, &arguments, folder, pinned), folder, port).await
}

/// Waits until a peer answers.
async fn serving(
    name: &'static str,
    mut process: Process,
    folder: &Path,
    port: u16,
) -> Result<Subject, String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let app = Door::tls(address, gateway::DOMAIN, &folder.join("certs/ca.pem"));
    for _ in 0..100 {
        if app.connect().await.is_ok() {
            return Ok(Subject { name, process: Some(process), app, desktop: None });
        }
        if !process.is_alive() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let said = fs::read_to_string(folder.join(format!("{name}.log"))).unwrap_or_default();
    Err(format!("peer {name}: it is installed but does not serve: {}", said.trim()))
}

fn installed(name: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from(SBIN)])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| format!("peer {name}: missing; install Debian's package {name} to compare with it"))
}
