use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::*;
use crate::engine::contract::{self, Plan, order};
use crate::rfb::security;

fn name(text: &str) -> TemplateName {
    text.parse().unwrap()
}

fn engine() -> FakeEngine {
    let rfb = ["desktop", "broken", "unpacked"].map(|text| template(name(text), Protocol::Rfb));
    let engine = FakeEngine::new(rfb.into_iter().chain([template(name("web"), Protocol::Http)]));
    engine.infect_template(&name("broken"), Illness::Exits);
    engine.infect_template(&name("unpacked"), Illness::ImageMissing);
    engine
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    let plan = Plan {
        healthy: name("web"),
        exits: name("broken"),
        image_missing: name("unpacked"),
        unknown: name("never-heard-of"),
    };
    contract::all(Arc::new(engine()), &plan).await;
}

#[tokio::test]
async fn a_desktop_asks_for_the_orders_password() {
    let engine = engine();
    let order = order(&name("desktop"), 1);
    let started = engine.start(&order).await.unwrap();
    for (password, result) in [(order.secret.expose().as_str(), 0), ("wrong", 1)] {
        let mut viewer = engine.connect(&started.upstream).await.unwrap();
        let mut greeting = [0; 12];
        viewer.read_exact(&mut greeting).await.unwrap();
        viewer.write_all(&greeting).await.unwrap();
        let mut offer = [0; 2];
        viewer.read_exact(&mut offer).await.unwrap();
        viewer.write_u8(offer[1]).await.unwrap();
        let mut challenge = [0; 16];
        viewer.read_exact(&mut challenge).await.unwrap();
        viewer.write_all(&security::answer(&challenge, password)).await.unwrap();
        assert_eq!(viewer.read_u32().await.unwrap(), result);
    }
}

#[tokio::test]
async fn a_web_app_answers() {
    let engine = engine();
    let started = engine.start(&order(&name("web"), 1)).await.unwrap();
    let mut viewer = engine.connect(&started.upstream).await.unwrap();
    for _ in 0..2 {
        viewer.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 69];
        viewer.read_exact(&mut answer).await.unwrap();
        assert!(answer.ends_with(b"hello"), "{}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test(start_paused = true)]
async fn each_illness_shows_as_it_should() {
    let engine = engine();
    let desktop = name("desktop");
    let start = async |illness| {
        let order = order(&desktop, 1);
        engine.infect(order.session, illness);
        (order.session, timeout(Duration::from_secs(100), engine.start(&order)).await)
    };
    let began = Instant::now();
    let slow = start(Illness::SlowStart(Duration::from_secs(30))).await.1;
    assert!(slow.is_ok_and(|started| started.is_ok()) && began.elapsed() == Duration::from_secs(30));
    assert!(start(Illness::Hangs).await.1.is_err());
    assert!(matches!(start(Illness::Conflict).await.1, Ok(Err(EngineError::Conflict { .. }))));
    assert!(matches!(start(Illness::Down).await.1, Ok(Err(EngineError::Down { .. }))));

    let never = start(Illness::NeverReady).await.1.unwrap().unwrap();
    assert!(matches!(engine.connect(&never.upstream).await, Err(EngineError::Unreachable { .. })));

    let closes = start(Illness::ClosesAtOnce).await.1.unwrap().unwrap();
    let mut viewer = engine.connect(&closes.upstream).await.unwrap();
    assert_eq!(viewer.read(&mut [0; 1]).await.unwrap(), 0);

    let mut events = engine.events().await.unwrap();
    let (session, dies) = start(Illness::DiesAfterReady).await;
    let mut viewer = engine.connect(&dies.unwrap().unwrap().upstream).await.unwrap();
    let mut greeting = [0; 12];
    viewer.read_exact(&mut greeting).await.unwrap();
    viewer.write_all(&greeting).await.unwrap();
    assert_eq!(events.next().await.map(|event| event.session), Some(session));
}

#[tokio::test]
async fn open_connections_outlive_an_engine_that_is_down_and_end_with_the_container() {
    let engine = engine();
    let order = order(&name("desktop"), 1);
    let started = engine.start(&order).await.unwrap();
    let mut viewer = engine.connect(&started.upstream).await.unwrap();
    engine.set_down(true);
    assert!(matches!(engine.list().await, Err(EngineError::Down { .. })));
    viewer.read_exact(&mut [0; 12]).await.unwrap();
    engine.crash(order.session);
    assert_eq!(viewer.read(&mut [0; 1]).await.unwrap(), 0);
    assert_eq!(engine.calls().list, 1);
}
