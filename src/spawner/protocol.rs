//! What gateway and spawner say to each other: one JSON value per line over a Unix socket.
//!
//! A connection carries one request. Most get one reply; [`Request::List`] gets one line per
//! container and then [`Reply::Done`], [`Request::Images`] one per template, [`Request::Sample`] one for
//! the machine and one per container; [`Request::Pull`] gets
//! a line per step until it is done, fails, or either side hangs up; [`Request::Events`] gets [`Reply::Done`] once it listens
//! and then a line per event until either side hangs up. Lines are bounded, unknown fields and
//! variants are errors.

use std::io;
use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::engine::docker::Boundaries;
use crate::engine::home::{HomeReply, HomeRequest};
use crate::engine::{
    Container, ContainerUse, EngineError, EngineEvent, EngineVersion, Machine, PullStep, StartOrder, Started,
    Stats, TemplateImage,
};
use crate::session::{SessionId, TemplateName};

/// The longest line, in bytes with its end.
pub const LONGEST_LINE: usize = 64 * 1024;

/// Everything the spawner can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Start a session's container.
    Start(StartOrder),
    /// Stop it.
    Stop {
        /// The session.
        session: SessionId,
        /// Between SIGTERM and SIGKILL, in milliseconds.
        grace_ms: u64,
    },
    /// Freeze it.
    Pause {
        /// The session.
        session: SessionId,
    },
    /// Thaw it.
    Resume {
        /// The session.
        session: SessionId,
    },
    /// Remove it.
    Remove {
        /// The session.
        session: SessionId,
    },
    /// Every container of this installation.
    List,
    /// Ends of containers from now on.
    Events,
    /// Whether the engine answers.
    Ping,
    /// What a session's container uses.
    Stats {
        /// The session.
        session: SessionId,
    },
    /// The last lines of a session's container.
    Output {
        /// The session.
        session: SessionId,
    },
    /// What the machine and every running container use.
    Sample,
    /// What of the templates' images is on the machine.
    Images,
    /// Fetch the image of a template from its registry.
    Pull {
        /// The template.
        template: TemplateName,
    },
    /// Where a running container is.
    Address {
        /// Its full id.
        container: String,
    },
    /// Something about homes.
    Home(HomeRequest),
    /// Whether packet filter and networks are in place now.
    Boundaries,
}

/// Everything the spawner can answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// It is done, or the list is complete, or the events follow.
    Done,
    /// The container runs.
    Started(Started),
    /// One container of the list.
    Container(Container),
    /// One event.
    Event(EngineEvent),
    /// What the engine is.
    Version(EngineVersion),
    /// What a container uses.
    Stats(Stats),
    /// The machine, first line of a sample.
    Machine(Machine),
    /// What one container of a sample uses.
    Use(ContainerUse),
    /// The last lines of a container.
    Output(String),
    /// One template's image.
    Image(TemplateImage),
    /// How a pull goes.
    Pull(PullStep),
    /// Where a container is.
    Address(IpAddr),
    /// What became of homes.
    Home(HomeReply),
    /// How packet filter and networks are.
    Boundaries(Boundaries),
    /// It did not work.
    Failed(EngineError),
}

/// Reads one line; `None` when the other side hung up.
///
/// # Errors
/// `InvalidData` for a line that is too long, unfinished or not a `T`; otherwise the socket's.
pub async fn read<T: DeserializeOwned>(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    let bound = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
    reader.take(bound).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        let what = if line.len() == LONGEST_LINE { "a line is too long" } else { "a line has no end" };
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    serde_json::from_slice(&line).map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Writes one line.
///
/// # Errors
/// `InvalidData` for a value longer than a line may be; otherwise the socket's.
pub async fn write(writer: &mut (impl AsyncWrite + Unpin), message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    if line.len() > LONGEST_LINE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
    }
    writer.write_all(&line).await?;
    writer.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parse(line: &str) -> io::Result<Option<Request>> {
        read(&mut line.as_bytes()).await
    }

    #[tokio::test]
    async fn only_the_closed_set_is_understood() {
        assert!(matches!(parse("\"ping\"\n").await, Ok(Some(Request::Ping))));
        assert!(matches!(parse("\"boundaries\"\n").await, Ok(Some(Request::Boundaries))));
        assert!(matches!(parse("").await, Ok(None)));
        let id = SessionId::random();
        let template = "desktop";
        let order = |more: &str| {
            format!(
                "{{\"start\":{{\"session\":\"{0}\",\"owner\":\"{0}\",\"owner_name\":\"ann\",\"template\":\"{template}\",\"epoch\":1,\
                 \"installation\":\"i\",\"title\":\"Ann's\",\"language\":\"fr\",\
                 \"secret\":\"s\"{more}}}}}\n",
                id.0
            )
        };
        assert!(matches!(parse(&order("")).await, Ok(Some(Request::Start(_)))));
        let refused = [
            order(",\"image\":\"evil\""),
            order(",\"mounts\":[\"/:/host\"]"),
            order("").replace("Ann's", "a\\nLD_PRELOAD=x"),
            order("").replace("\"fr\"", "\"fr\\nX=1\""),
            "{\"home\":{\"measure\":{\"homes\":[\"/etc\"]}}}\n".to_owned(),
            "{\"home\":{\"remove\":{\"installation\":\"i\",\"session\":\"../x\"}}}\n".to_owned(),
            "{\"exec\":{\"command\":\"sh\"}}\n".to_owned(),
            "{\"pull\":{\"image\":\"evil\"}}\n".to_owned(),
            "{\"pull\":{\"template\":\"registry.example/evil\"}}\n".to_owned(),
            "{\"pull\":{\"template\":\"desktop\",\"image\":\"evil\"}}\n".to_owned(),
            format!("{{\"pause\":{{\"session\":\"{}\",\"all\":true}}}}\n", id.0),
            "{\"pause\":{\"session\":\"../x\"}}\n".to_owned(),
            "\"ping\"".to_owned(),
            "\n".to_owned(),
            "x".repeat(LONGEST_LINE + 1),
        ];
        for line in refused {
            let error = parse(&line).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{line:.60}");
        }
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        let mut wire = Vec::new();
        write(&mut wire, &Reply::Failed(EngineError::Exited { code: Some(3), output: "a\nb".into() }))
            .await
            .unwrap();
        let read = read::<Reply>(&mut wire.as_slice()).await.unwrap().unwrap();
        assert!(matches!(read, Reply::Failed(EngineError::Exited { code: Some(3), .. })));
        assert!(write(&mut wire, &Reply::Output("x".repeat(LONGEST_LINE))).await.is_err());
    }
}
