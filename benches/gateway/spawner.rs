//! A spawner without an engine: every "container" of a template is a server in this process.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use berth::engine::docker::Boundaries;
use berth::engine::home::{HomeReply, HomeRequest};
use berth::engine::{Container, ContainerStatus, EngineError, EngineVersion, StartOrder, Started};
use berth::session::{NodeName, SessionId, Upstream};
use berth::spawner::protocol::{self, Reply, Request};
use berth::tasks::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// Template name to the server that stands for its containers.
pub type Servers = HashMap<String, SocketAddr>;

/// What "runs", by session; never locked over an await.
type Running = Mutex<HashMap<SessionId, (Container, SocketAddr)>>;

/// Answers the gateway on `socket` until the process ends.
pub fn serve(socket: &Path, servers: Servers, tasks: &Tasks) {
    let listener = UnixListener::bind(socket).expect("the bench's own directory");
    let shared = Arc::new((servers, Running::default()));
    let tasks_of_requests = tasks.clone();
    tasks.spawn("spawner", async move {
        while let Ok((stream, _)) = listener.accept().await {
            let shared = shared.clone();
            tasks_of_requests.spawn("spawner request", async move {
                // The gateway hangs up when it has what it wants.
                let _ = answer(stream, &shared.0, &shared.1).await;
            });
        }
    });
}

async fn answer(mut stream: UnixStream, servers: &Servers, running: &Running) -> io::Result<()> {
    let (reading, mut writing) = stream.split();
    let mut reading = BufReader::new(reading);
    let Some(request) = protocol::read::<Request>(&mut reading).await? else { return Ok(()) };
    match request {
        Request::List => {
            let all: Vec<Container> =
                lock(running).values().map(|(container, _)| container.clone()).collect();
            for container in all {
                protocol::write(&mut writing, &Reply::Container(container)).await?;
            }
            protocol::write(&mut writing, &Reply::Done).await?;
        }
        Request::Events => {
            protocol::write(&mut writing, &Reply::Done).await?;
            // Nothing ever ends here, until the gateway does.
            reading.read_to_end(&mut Vec::new()).await?;
        }
        other => protocol::write(&mut writing, &one(other, servers, running)).await?,
    }
    writing.shutdown().await
}

fn one(request: Request, servers: &Servers, running: &Running) -> Reply {
    match request {
        Request::Start(order) => match servers.get(order.template.as_str()) {
            Some(server) => Reply::Started(start(&order, *server, running)),
            None => Reply::Failed(EngineError::TemplateGone { template: order.template }),
        },
        Request::Address { container } => {
            let found =
                lock(running).values().find(|(known, _)| known.id == container).map(|(_, at)| at.ip());
            found.map_or(Reply::Failed(EngineError::Gone), Reply::Address)
        }
        Request::Stop { session, .. } | Request::Remove { session } => {
            lock(running).remove(&session);
            Reply::Done
        }
        Request::Ping => {
            Reply::Version(EngineVersion { version: "none, for benches".to_owned(), api: "0".to_owned() })
        }
        Request::Boundaries => Reply::Boundaries(Boundaries::default()),
        Request::Stats { .. } | Request::Sample => Reply::Failed(EngineError::Gone),
        Request::Output { .. } => Reply::Output(String::new()),
        Request::Home(HomeRequest::Sessions { .. }) => Reply::Home(HomeReply::Sessions(Vec::new())),
        Request::Home(_) => Reply::Home(HomeReply::Done),
        Request::Pause { .. }
        | Request::Resume { .. }
        | Request::List
        | Request::Images
        | Request::Pull { .. }
        | Request::Events => Reply::Done,
    }
}

fn start(order: &StartOrder, server: SocketAddr, running: &Running) -> Started {
    let container = Container {
        installation: order.installation.clone(),
        session: order.session,
        id: format!("{:0>64}", order.session.to_string()),
        name: format!("berth-{}", order.session),
        epoch: order.epoch,
        spec: String::new(),
        image: String::new(),
        status: ContainerStatus::Running,
    };
    let upstream = Upstream {
        node: NodeName("here".to_owned()),
        container: container.id.clone(),
        port: server.port(),
        epoch: order.epoch,
    };
    lock(running).insert(order.session, (container, server));
    Started { upstream, image: String::new() }
}

fn lock(running: &Running) -> std::sync::MutexGuard<'_, HashMap<SessionId, (Container, SocketAddr)>> {
    running.lock().expect("nothing panics while it holds this lock")
}
