//! `berth doctor` on the way of a browser: the gateway's own address, and what stands in front of it.

use std::net::TcpListener;
use std::process::Command;

use crate::doctor::{ConfigFile, app, broken, examine, says, verdict};
use crate::front::{Front, Manner};
use crate::gateway::{Gateway, free_port};

const BAD_GATEWAY: &str =
    "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<h1>502</h1>";
const WELCOME: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<h1>Welcome to another server</h1>";
const UNHEALTHY: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{\"status\":\"unhealthy\"}";
const REFUSED: &str = "HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\n\r\n";

/// Browsers are sent there.
fn behind(config: &ConfigFile<'_>, front: &Front) {
    config.change("[server]\n", &format!("[server]\npublic_port = {}\n", front.port));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_front_and_breaks_the_way_is_named() {
    let gateway = Gateway::builder().template(&app()).start().await;
    let config = ConfigFile::of(&gateway);

    let proxy = Front::start(&gateway, Manner::Passes).await;
    behind(&config, &proxy);
    let report = examine(&gateway);
    assert_eq!(report["healthy"], true, "{report:#}");
    for hop in ["port", "tls", "health", "web_socket"] {
        assert_eq!(verdict(&report, hop), "ok", "{hop}: {report:#}");
    }

    let in_vain = "let the proxy in front reach one of server.listen";
    let other = "look at what stands in front of Berth";
    for (answer, said) in [
        (BAD_GATEWAY, ["HTTP/1.1 502 Bad Gateway", in_vain]),
        (WELCOME, ["<h1>Welcome to another server</h1>", other]),
        (UNHEALTHY, ["unhealthy", other]),
        ("", ["closed without an answer", other]),
    ] {
        let front = Front::start(&gateway, Manner::Answers(answer)).await;
        behind(&config, &front);
        let text = broken(&gateway, "health");
        says(&text, &said);
        says(&text, &["GET /health is not answered as Berth does"]);
    }

    for (manner, said) in
        [(Manner::PassesNoUpgrade, "HTTP/1.1 200 OK"), (Manner::Refuses(REFUSED), "426 Upgrade Required")]
    {
        let front = Front::start(&gateway, manner).await;
        behind(&config, &front);
        says(&broken(&gateway, "web_socket"), &["desktops cannot be opened", said, "pass `Upgrade`"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_address_that_does_not_answer_is_named() {
    let gateway = Gateway::builder().template(&app()).start().await;
    let config = ConfigFile::of(&gateway);
    let listen = |port: u16| {
        let (from, own) = (format!("listen = [\"127.0.0.1:{}\"]", gateway.port), gateway.port);
        config.change(&from, &format!("listen = [\"127.0.0.1:{port}\"]\npublic_port = {own}"));
        format!("the gateway runs, but 127.0.0.1:{port} does not answer as it should")
    };

    let why = listen(free_port());
    says(&broken(&gateway, "listener"), &[&why, "refused", "look at its log"]);

    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let why = listen(silent.local_addr().expect("an address").port());
    says(&broken(&gateway, "listener"), &[&why, "TLS: no answer within", "look at its log"]);

    let other = Front::start(&gateway, Manner::Answers(WELCOME)).await;
    let why = listen(other.port);
    says(&broken(&gateway, "listener"), &[&why, "Welcome to another server", "look at its log"]);
    config.restore();

    let stopped = Command::new("kill").args(["-STOP", &gateway.pid().to_string()]).status();
    assert!(stopped.is_ok_and(|status| status.success()), "it can be stopped");
    says(&broken(&gateway, "gateway"), &["var/control.sock", "does not answer", "restart it"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_gateway_rests_its_address_must_be_free_and_nobody_else_is_blamed() {
    let gateway = Gateway::builder().template(&app()).prepare();
    let config = ConfigFile::of(&gateway);

    let proxy = Front::start(&gateway, Manner::Answers(BAD_GATEWAY)).await;
    behind(&config, &proxy);
    let report = examine(&gateway);
    assert_eq!(report["healthy"], true, "{report:#}");
    for hop in ["listener", "health", "web_socket"] {
        assert_eq!(verdict(&report, hop), "skipped", "{hop}: {report:#}");
    }
    config.restore();

    let _taken = TcpListener::bind(gateway.address()).expect("the port is free");
    let text = broken(&gateway, "listener");
    says(&text, &[&gateway.address().to_string(), "is taken", "stop what listens there"]);
}
