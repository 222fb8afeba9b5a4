//! Sessions that may make packets, each on a network of its own.

use berth::session::Capability;

use super::confinement::raw;
use super::*;

/// Networks of this session, by what the engine lists.
fn networks(session: SessionId) -> Vec<String> {
    let label = format!("label=berth.session={session}");
    let listed = docker(&["network", "ls", "-q", "--filter", &label]).unwrap();
    listed.lines().map(ToOwned::to_owned).collect()
}

fn network(session: SessionId) -> Value {
    let [id] = &networks(session)[..] else { panic!("one network") };
    serde_json::from_str::<Value>(&docker(&["network", "inspect", id]).unwrap()).unwrap()[0].take()
}

/// Addresses of a session's container and of its gateway.
fn addresses(session: SessionId) -> (String, String) {
    let seen = inspect(session);
    let networks = seen["NetworkSettings"]["Networks"].as_object().unwrap();
    let [network] = &networks.values().collect::<Vec<_>>()[..] else { panic!("one network") };
    let text = |key: &str| network[key].as_str().unwrap().to_owned();
    (text("IPAddress"), text("Gateway"))
}

/// What the counters of the lab's packet filter with this comment add up to.
fn counted(lab: &Lab, comment: &str) -> u64 {
    let table = format!("berth_{}", lab.settings.network.replace('-', "_"));
    let output = Command::new("nft").args(["list", "table", "inet", &table]).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let comment = format!("comment \"{comment}\"");
    let lines = listed.lines().filter(|line| line.contains(&comment));
    lines
        .map(|line| {
            let counter = line.split("packets ").nth(1).unwrap();
            counter.split(' ').next().unwrap().parse::<u64>().unwrap()
        })
        .sum()
}

async fn filtered(lab: &Lab) -> bool {
    match lab.engine.firewall().unwrap().apply().await {
        Ok(()) => true,
        Err(error) => {
            eprintln!("skipped: {error}");
            false
        }
    }
}

#[tokio::test]
async fn it_lives_and_ends_with_its_session() {
    let Some(lab) = Lab::open_with(&only([raw("raw")])).await else { return };
    let (a, b) = (order(&name("raw"), 1), order(&name("raw"), 1));
    let (first, second) = tokio::join!(lab.engine.start(&a), lab.engine.start(&b));
    let (first, second) = (first.unwrap().upstream, second.unwrap().upstream);
    reach(&*lab.engine, &first).await;
    reach(&lab.another_engine().await, &second).await;
    let made = network(a.session);
    let subnet = |network: &Value| network["IPAM"]["Config"][0]["Subnet"].as_str().unwrap().to_owned();
    assert_ne!(subnet(&made), subnet(&network(b.session)));
    assert!(subnet(&made).ends_with("/30") && made["Internal"] == json!(true), "{made}");
    assert_eq!(made["Containers"].as_object().unwrap().len(), 1);

    lab.engine.stop(a.session, NOTHING).await.unwrap();
    let again = lab.engine.start(&StartOrder { epoch: 2, ..a.clone() }).await.unwrap().upstream;
    assert_eq!(again.container, first.container);
    reach(&*lab.engine, &again).await;
    assert_eq!(network(a.session)["Id"], made["Id"]);
    lab.engine.remove(a.session).await.unwrap();
    assert_eq!((networks(a.session).len(), networks(b.session).len()), (0, 1));
}

#[tokio::test]
async fn what_a_crash_leaves_is_swept_and_what_is_used_is_not() {
    let Some(lab) = Lab::open_with(&only([raw("raw")])).await else { return };
    let (lost, kept) = (order(&name("raw"), 1), order(&name("raw"), 1));
    for order in [&lost, &kept] {
        lab.engine.start(order).await.unwrap();
    }
    docker(&["rm", "-f", "-v", &format!("berth-{}", lost.session)]).unwrap();
    lab.engine.stop(kept.session, NOTHING).await.unwrap();
    assert_eq!(lab.another_engine().await.sweep().await.unwrap(), 1);
    assert_eq!((networks(lost.session).len(), networks(kept.session).len()), (0, 1));
    // A sweep beside a start takes nothing from under it.
    for _ in 0..3 {
        let (swept, started) = tokio::join!(lab.engine.sweep(), lab.engine.start(&lost));
        assert_eq!(swept.unwrap(), 0);
        started.unwrap();
        lab.engine.remove(lost.session).await.unwrap();
    }
}

#[tokio::test]
async fn a_full_pool_is_a_refusal_that_leaves_nothing_and_passes() {
    let Some(mut lab) = Lab::open_with(&only([raw("raw")])).await else { return };
    lab.engine.remove_network().await.unwrap();
    // The last quarter of a /28 has room for one.
    let subnet = format!("{}/28", lab.settings.subnet.network()).parse().unwrap();
    lab.settings = Settings { subnet, ..lab.settings.clone() };
    let engine = DockerEngine::connect(lab.settings.clone(), only([raw("raw")])).await.unwrap();
    let (a, b) = (order(&name("raw"), 1), order(&name("raw"), 1));
    engine.start(&a).await.unwrap();
    let told = engine.start(&b).await.unwrap_err().to_string();
    assert!(told.contains("room for (1)") && told.contains("engine.subnet"), "{told}");
    assert!(
        networks(b.session).is_empty() && docker(&["inspect", &format!("berth-{}", b.session)]).is_none()
    );
    engine.remove(a.session).await.unwrap();
    engine.start(&b).await.unwrap();
}

/// An earlier version gave the network with egress half of the pool.
#[tokio::test]
async fn a_network_of_an_earlier_version_makes_room_once_it_is_empty() {
    let out = Template { network: NetworkPolicy::Egress, ..commanded("out") };
    let templates = only([out, raw("raw")]);
    let Some(lab) = Lab::open_with(&only([])).await else { return };
    let egress = format!("{}-egress", lab.settings.network);
    let own = lab.engine.clone();
    let half = lab.settings.subnet.subnets(25).unwrap().nth(1).unwrap().to_string();
    let label = format!("berth.network={}", lab.settings.network);
    let interface = {
        let engine = DockerEngine::connect(lab.settings.clone(), templates.clone()).await.unwrap();
        engine.ensure_network().await.unwrap();
        let made = serde_json::from_str::<Value>(&docker(&["network", "inspect", &egress]).unwrap()).unwrap();
        made[0]["Options"]["com.docker.network.bridge.name"].as_str().unwrap().to_owned()
    };
    own.remove_network().await.unwrap();
    let (bridge, icc) =
        (format!("com.docker.network.bridge.name={interface}"), "com.docker.network.bridge.enable_icc=false");
    docker(&["network", "create", "--label", &label, "--subnet", &half, "-o", &bridge, "-o", icc, &egress])
        .unwrap();

    let engine = DockerEngine::connect(lab.settings.clone(), templates).await.unwrap();
    let (outward, raw) = (order(&name("out"), 1), order(&name("raw"), 1));
    let upstream = engine.start(&outward).await.unwrap().upstream;
    // The session that uses it keeps it ...
    engine.ensure_network().await.unwrap();
    reach(&engine, &upstream).await;
    let told = engine.start(&raw).await.unwrap_err().to_string();
    assert!(told.contains(&half) && told.contains("restart the spawner"), "{told}");
    // ... also while it rests, because it would not start on another ...
    engine.stop(outward.session, NOTHING).await.unwrap();
    engine.ensure_network().await.unwrap();
    let upstream = engine.start(&StartOrder { epoch: 2, ..outward.clone() }).await.unwrap().upstream;
    reach(&engine, &upstream).await;
    // ... and once nobody does, it is made anew.
    engine.remove(outward.session).await.unwrap();
    engine.ensure_network().await.unwrap();
    for order in [raw, outward] {
        let upstream = engine.start(&StartOrder { epoch: 3, ..order }).await.unwrap().upstream;
        reach(&engine, &upstream).await;
    }
}

#[tokio::test]
async fn with_any_packet_it_reaches_neither_the_host_nor_another_session_nor_a_name_server() {
    let Some(lab) = Lab::open_with(&only([raw("raw"), commanded("plain")])).await else { return };
    if !filtered(&lab).await {
        return;
    }
    let (evil, other, plain) = (order(&name("raw"), 1), order(&name("raw"), 1), order(&name("plain"), 1));
    let upstream = lab.engine.start(&evil).await.unwrap().upstream;
    let victims = [lab.engine.start(&other).await.unwrap(), lab.engine.start(&plain).await.unwrap()];
    for victim in &victims {
        reach(&*lab.engine, &victim.upstream).await;
    }
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let gateway = addresses(evil.session).1;
    let mut targets = vec![
        (gateway.clone(), port),
        (addresses(other.session).1, port),
        (addresses(plain.session).1, port),
        ("172.17.0.1".into(), port),
        (addresses(other.session).0, 8080),
        (addresses(plain.session).0, 8080),
        ("169.254.169.254".into(), 80),
    ];
    targets.push(("127.0.0.1".into(), 8080));
    let mut script = String::new();
    for (address, port) in &targets {
        script +=
            &format!("timeout 1 bash -c '</dev/tcp/{address}/{port}' 2>/dev/null && echo {address}:{port}\n");
    }
    script += "timeout 5 getent hosts example.com";
    assert_eq!(
        inside(&*lab.engine, &upstream, &script).await,
        "127.0.0.1:8080\n",
        "only the control: itself"
    );

    // With sources that are not its own, and without IPv4.
    let socket = tokio::net::UdpSocket::bind("0.0.0.0:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let before = counted(&lab, "forged");
    let mut script = String::new();
    for from in [&addresses(other.session).0, &addresses(plain.session).0, &gateway, "8.8.8.8", "0.0.0.0"] {
        script += &format!("/opt/forge.pl udp {gateway} {from} {gateway} {port} forged\n");
    }
    script += &format!("/opt/forge.pl six {gateway}\n");
    assert_eq!(inside(&*lab.engine, &upstream, &script).await, "done\n".repeat(6));
    assert_eq!(counted(&lab, "forged") - before, 5);
    assert!(counted(&lab, "no IPv6") >= 1);
    assert!(socket.try_recv(&mut [0; 64]).is_err(), "nothing of it arrived");
}

/// On the shared bridge it could answer for its neighbours and read what is meant for them.
#[tokio::test]
async fn it_can_neither_stand_in_for_a_neighbour_nor_listen_to_one() {
    let Some(lab) = Lab::open_with(&only([raw("raw"), commanded("plain")])).await else { return };
    if !filtered(&lab).await {
        return;
    }
    let (evil, other, plain) = (order(&name("raw"), 1), order(&name("raw"), 1), order(&name("plain"), 1));
    let upstream = lab.engine.start(&evil).await.unwrap().upstream;
    let victims = [
        (lab.engine.start(&other).await.unwrap().upstream, addresses(other.session).0),
        (lab.engine.start(&plain).await.unwrap().upstream, addresses(plain.session).0),
    ];
    let (own, gateway) = addresses(evil.session);
    let sniffing = inside_of(&lab, &upstream, format!("/opt/forge.pl sniff {gateway} 3"));
    let attack = async {
        for (victim, address) in &victims {
            let answer = inside(&*lab.engine, victim, "cat /proc/sys/kernel/hostname").await;
            let claim = format!("/opt/forge.pl arp {gateway} {address}");
            assert_eq!(inside(&*lab.engine, &upstream, &claim).await, "done\n");
            let now = inside(&*lab.engine, victim, "cat /proc/sys/kernel/hostname; hostname -I").await;
            assert!(now.starts_with(&answer) && now.contains(address.as_str()), "{now}");
        }
    };
    let (heard, ()) = tokio::join!(sniffing, attack);
    let heard: Vec<_> = heard.lines().filter_map(|line| line.strip_prefix("saw ")).collect();
    assert!(heard.contains(&own.as_str()), "the control: it hears itself: {heard:?}");
    assert!(heard.iter().all(|address| [&own, &gateway].contains(&&(*address).to_owned())), "{heard:?}");
}

/// Invented senders filled the host's memory (a bridge remembers each for minutes) and its table
/// of neighbours, which every session shares.
#[tokio::test]
async fn invented_senders_are_not_remembered() {
    let Some(lab) = Lab::open_with(&only([raw("raw")])).await else { return };
    if !filtered(&lab).await {
        return;
    }
    let order = order(&name("raw"), 1);
    for epoch in [1, 2] {
        let upstream = lab.engine.start(&StartOrder { epoch, ..order.clone() }).await.unwrap().upstream;
        let gateway = addresses(order.session).1;
        let bridge = network(order.session)["Options"]["com.docker.network.bridge.name"].take();
        let bridge = bridge.as_str().unwrap();
        let flood = format!("/opt/forge.pl flood {gateway} 20000");
        assert_eq!(inside(&*lab.engine, &upstream, &flood).await, "done\n");
        // Sixteen bytes for each sender (linux/if_bridge.h: struct __fdb_entry).
        let remembered = std::fs::read(format!("/sys/class/net/{bridge}/brforward")).unwrap().len() / 16;
        assert!(remembered < 10, "{remembered} senders");
        let neighbours = std::fs::read_to_string("/proc/net/arp").unwrap();
        let invented = neighbours.lines().filter(|line| line.ends_with(bridge)).count();
        assert!(invented < 500, "{invented} neighbours");
        reach(&*lab.engine, &upstream).await;
        lab.engine.stop(order.session, NOTHING).await.unwrap();
    }
}

async fn inside_of(lab: &Lab, upstream: &Upstream, script: String) -> String {
    inside(&*lab.engine, upstream, &script).await
}

/// A machine behind the host, in a network namespace that lives as long as this.
struct Outside(String);

impl Outside {
    const HOST: &str = "5.45.96.1";
    const ADDRESS: &str = "5.45.96.2";

    fn open() -> Option<Self> {
        let [a, b] = random_bytes::<2>();
        let name = format!("bt-out-{a:02x}{b:02x}");
        let outside = Self(name.clone());
        let peer = format!("bo{a:02x}{b:02x}");
        let script = format!(
            "set -e; ip netns add {name}; ip link add {peer} type veth peer name eth0 netns {name}
             ip addr add {}/30 dev {peer}; ip link set {peer} up
             ip -n {name} addr add {}/30 dev eth0; ip -n {name} link set eth0 up",
            Self::HOST,
            Self::ADDRESS
        );
        let made = Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status();
        made.is_ok_and(|status| status.success()).then_some(outside)
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).stderr(Stdio::null()).status();
    }
}

#[tokio::test]
async fn a_forged_source_does_not_leave_the_machine() {
    let out =
        Template { network: NetworkPolicy::Egress, capabilities: vec![Capability::NetRaw], ..raw("out") };
    let Some(lab) = Lab::open_with(&only([out])).await else { return };
    let Some(outside) = Outside::open() else {
        eprintln!("skipped: no network namespace can be made");
        return;
    };
    if !filtered(&lab).await {
        return;
    }
    let order = order(&name("out"), 1);
    let upstream = lab.engine.start(&order).await.unwrap().upstream;
    let (own, gateway) = addresses(order.session);
    let listen =
        "$| = 1; my $s = IO::Socket::INET->new(Proto => 'udp', LocalPort => 4000) or die; print qq(ready\\n);
        while ($s->recv(my $text, 64)) { print $s->peerhost, qq( $text\\n); exit if $text eq 'end' }";
    let mut listener = tokio::process::Command::new("ip")
        .args(["netns", "exec", &outside.0, "perl", "-MIO::Socket::INET", "-e", listen])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = tokio::io::BufReader::new(listener.stdout.take().unwrap());
    let mut line = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut said, &mut line).await.unwrap();
    let to = Outside::ADDRESS;
    let mut script = String::new();
    for (from, text) in [("8.8.8.8", "forged"), (Outside::HOST, "forged"), (own.as_str(), "end")] {
        script += &format!("/opt/forge.pl udp {gateway} {from} {to} 4000 {text}\n");
    }
    assert_eq!(inside(&*lab.engine, &upstream, &script).await, "done\n".repeat(3));
    let mut heard = String::new();
    tokio::time::timeout(Duration::from_secs(10), said.read_to_string(&mut heard)).await.unwrap().unwrap();
    assert_eq!(heard, format!("{} end\n", Outside::HOST), "its own, as the host's, and nothing else");
    assert_eq!(counted(&lab, "forged"), 2);
}
