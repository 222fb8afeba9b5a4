//! What a template changes about confinement: a read-only root, NET_RAW, the environment.

use berth::language::Language;
use berth::session::Capability;

use super::*;

/// A template whose containers may make packets.
pub(super) fn raw(text: &str) -> Template {
    Template { capabilities: vec![Capability::NetRaw], ..commanded(text) }
}

/// `/proc/<pid>/status` as the host sees it, of every process in the container.
fn statuses(session: SessionId) -> Vec<String> {
    let processes = docker(&["top", &format!("berth-{session}"), "-eo", "pid"]).unwrap();
    let numbers = processes.lines().skip(1).map(|pid| format!("/proc/{}/status", pid.trim()));
    // One that ended since it was listed has none.
    numbers.filter_map(|path| std::fs::read_to_string(path).ok()).collect()
}

#[tokio::test]
async fn net_raw_is_all_that_a_session_with_it_has() {
    let Some(lab) = Lab::open_with(&only([raw("raw")])).await else { return };
    let order = order(&name("raw"), 1);
    let upstream = lab.engine.start(&order).await.unwrap().upstream;
    let printed = inside(&*lab.engine, &upstream, "id; echo $HOME; cat /proc/self/status").await;
    assert!(printed.contains("uid=1000(user) gid=1000(user) groups=1000(user)\n/home/user\n"), "{printed}");
    let mut all = statuses(order.session);
    assert!(all.len() >= 2, "the first process and the program");
    all.push(printed);
    let lent =
        ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map(|set| format!("{set}:\t0000000000002000"));
    for status in all {
        for line in lent.iter().map(String::as_str).chain(["NoNewPrivs:\t1", "Seccomp:\t2"]) {
            assert!(status.contains(line), "{line} in {status}");
        }
        assert!(status.contains("Uid:\t1000\t1000\t1000\t1000\n"), "{status}");
    }
    let rooted = "perl -MPOSIX -e 'print setuid(0) ? qq(root) : qq(not root)'";
    assert_eq!(inside(&*lab.engine, &upstream, rooted).await, "not root");
    let socket = "perl -MSocket -e 'print socket(S, PF_INET, SOCK_RAW, 1) ? qq(raw) : qq(no: $!)'";
    assert_eq!(inside(&*lab.engine, &upstream, socket).await, "raw");

    let host = inspect(order.session)["HostConfig"].take();
    assert_eq!(host["CapAdd"], json!(["NET_RAW", "SETGID", "SETPCAP", "SETUID"]));
    assert_eq!((&host["CapDrop"], &host["Init"]), (&json!(["ALL"]), &json!(false)));
    assert_eq!(host["SecurityOpt"], json!(["no-new-privileges"]));
    assert_eq!(host["Privileged"], json!(false));
}

/// The engine's own first process would stay root, so ours takes its place and its duties.
#[tokio::test]
async fn the_first_process_reaps_orphans_and_passes_the_end_on() {
    let Some(lab) = Lab::open_with(&only([raw("raw")])).await else { return };
    let order = order(&name("raw"), 1);
    let upstream = lab.engine.start(&order).await.unwrap().upstream;
    inside(&*lab.engine, &upstream, "for i in 1 2 3; do (true & exec true) & done; wait").await;
    eventually("no zombie is left", || async {
        let left = statuses(order.session).iter().any(|status| status.contains("State:\tZ"));
        (!left).then_some(())
    })
    .await;
    let began = Instant::now();
    lab.engine.stop(order.session, Duration::from_secs(20)).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "SIGTERM reached the program");
    assert_eq!(inspect(order.session)["State"]["ExitCode"], json!(0));
}

#[tokio::test]
async fn an_image_that_cannot_drop_root_is_refused_with_what_to_install() {
    let mut lame = raw("lame");
    let nothing = format!("{}/tests/engine_docker/main.rs", env!("CARGO_MANIFEST_DIR"));
    lame.volumes.push(Volume { source: nothing, target: "/usr/bin/setpriv".into() });
    let Some(lab) = Lab::open_with(&only([lame])).await else { return };
    let order = order(&name("lame"), 1);
    let told = lab.engine.start(&order).await.unwrap_err().to_string();
    assert!(told.contains("no /usr/bin/setpriv") && told.contains("install util-linux"), "{told}");
    assert!(lab.engine.list().await.unwrap().is_empty());
    let label = format!("label=berth.session={}", order.session);
    assert_eq!(docker(&["network", "ls", "-q", "--filter", &label]).as_deref(), Some(""));
}

#[tokio::test]
async fn a_read_only_root_leaves_what_a_desktop_needs() {
    let closed = Template { read_only: true, ..commanded("closed") };
    let desktop = Template { name: name("screen"), protocol: Protocol::Rfb, port: 8080, ..closed.clone() };
    let Some(lab) = Lab::open_with(&only([closed, desktop])).await else { return };
    let order = order(&name("screen"), 1);
    let upstream = lab.engine.start(&order).await.unwrap().upstream;
    let seen = inspect(order.session);
    assert_eq!(seen["HostConfig"]["ReadonlyRootfs"], json!(true));
    let script = "for at in / /etc /usr/bin /var /dev /etc/hosts /etc/berth /tmp /var/tmp /run/user/1000 /dev/shm $HOME; do
            [ -w $at ] && echo $at; done
        stat -c '%a %u:%g %n' /tmp /run /var/tmp /run/user/1000 /etc/berth /etc/berth/vncpasswd $HOME
        df --output=target,size -k /tmp /run /var/tmp /run/user/1000
        cp /bin/true /tmp/ && /tmp/true && echo runs; cat /home/user/.profile | grep -c .";
    let printed = inside(&*lab.engine, &upstream, script).await;
    for line in [
        "1777 0:0 /tmp\n",
        "755 0:0 /run\n",
        "1777 0:0 /var/tmp\n",
        "700 1000:1000 /run/user/1000\n",
        "755 0:0 /etc/berth\n",
        "400 1000:1000 /etc/berth/vncpasswd\n",
        "1000:1000 /home/user\n",
        "runs\n",
    ] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
    let writable = "/tmp\n/var/tmp\n/run/user/1000\n/dev/shm\n/home/user\n1777";
    assert!(printed.starts_with(writable), "{printed}");
    let sizes: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
    for (at, kib) in [("/tmp", "32768"), ("/var/tmp", "16384"), ("/run", "8192"), ("/run/user/1000", "8192")]
    {
        assert!(sizes.iter().any(|line| line[..] == [at, kib]), "{at} in {printed}");
    }
    assert!(!seen.to_string().contains(order.secret.expose().as_str()));
}

/// The desktop as schools run it, held to everything at once.
#[tokio::test]
async fn the_desktop_runs_on_a_read_only_root_and_with_net_raw() {
    let desktop = |text: &str| {
        let screen = template(name(text), Protocol::Rfb);
        Template { image: "berth/desktop".into(), memory_mib: 1024, pids: 512, ..screen }
    };
    let closed = Template { read_only: true, ..desktop("closed") };
    let both = Template { read_only: true, capabilities: vec![Capability::NetRaw], ..desktop("both") };
    let Some(lab) = Lab::open_with(&only([desktop("plain"), closed, both])).await else { return };
    if docker(&["image", "inspect", "berth/desktop"]).is_none() {
        eprintln!("skipped: no image berth/desktop");
        return;
    }
    for template in ["plain", "closed", "both"] {
        let order = order(&name(template), 1);
        let began = Instant::now();
        let upstream = lab.engine.start(&order).await.unwrap().upstream;
        let made = began.elapsed();
        let mut screen = reach(&*lab.engine, &upstream).await;
        let mut greeting = [0; 12];
        screen.read_exact(&mut greeting).await.unwrap();
        assert_eq!(&greeting, b"RFB 003.008\n");
        eprintln!("{template}: made and started in {made:?}, greeted after {:?}", began.elapsed());
        eventually("the panel runs", || async {
            let running = docker(&["top", &upstream.container, "-eo", "pid,comm"]).unwrap();
            running.contains("xfce4-panel").then_some(())
        })
        .await;
        let began = Instant::now();
        lab.engine.stop(order.session, Duration::from_secs(20)).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(10), "it ends when asked: {:?}", began.elapsed());
        assert_eq!(inspect(order.session)["State"]["ExitCode"], json!(0));
        lab.engine.start(&StartOrder { epoch: 2, ..order.clone() }).await.unwrap();
        reach(&*lab.engine, &upstream).await;
        lab.engine.remove(order.session).await.unwrap();
    }
}

/// The user owns the password's file. What they make of it lasts until the next start.
#[tokio::test]
async fn the_password_is_written_anew_at_every_start_of_a_read_only_container() {
    let closed = Template { read_only: true, protocol: Protocol::Rfb, port: 8080, ..commanded("closed") };
    let Some(lab) = Lab::open_with(&only([closed])).await else { return };
    let order = order(&name("closed"), 1);
    let first = lab.engine.start(&order).await.unwrap().upstream;
    let sum = "cksum < /etc/berth/vncpasswd";
    let right = inside(&*lab.engine, &first, sum).await;
    let tampered =
        format!("cd /etc/berth; chmod 600 vncpasswd; echo forgotten > vncpasswd; {sum}; echo mine > ~/file");
    assert_ne!(inside(&*lab.engine, &first, &tampered).await, right);
    lab.engine.stop(order.session, NOTHING).await.unwrap();
    let again = StartOrder { epoch: 2, ..order };
    let second = lab.engine.start(&again).await.unwrap().upstream;
    assert_eq!(second.container, first.container);
    assert_eq!(inside(&*lab.engine, &second, sum).await, right);
    assert_eq!(inside(&*lab.engine, &second, "cat ~/file").await, "mine\n", "a stop keeps an ephemeral home");

    let label = format!("label=berth.scratch={}", again.session);
    let volumes = || docker(&["volume", "ls", "-q", "--filter", &label]).unwrap().lines().count();
    assert_eq!(volumes(), 2, "the password's and the home");
    lab.engine.remove(again.session).await.unwrap();
    assert_eq!(volumes(), 0);
}

#[tokio::test]
async fn volumes_that_a_crash_left_behind_are_swept_and_those_in_use_are_not() {
    let closed = Template { read_only: true, ..commanded("closed") };
    let Some(lab) = Lab::open_with(&only([closed])).await else { return };
    let (lost, kept) = (order(&name("closed"), 1), order(&name("closed"), 1));
    for order in [&lost, &kept] {
        lab.engine.start(order).await.unwrap();
    }
    // Behind the engine's back, without its volumes.
    docker(&["rm", "-f", &format!("berth-{}", lost.session)]).unwrap();
    lab.engine.stop(kept.session, NOTHING).await.unwrap();
    assert_eq!(lab.engine.sweep().await.unwrap(), 1);
    assert_eq!(lab.engine.sweep().await.unwrap(), 0);
    lab.engine.start(&StartOrder { epoch: 2, ..kept }).await.unwrap();
}

#[tokio::test]
async fn a_session_knows_its_name_its_time_zone_and_its_owners_language() {
    let own = Template { env: BTreeMap::from([("LANG".into(), "C".into())]), ..commanded("own") };
    let Some(lab) = Lab::open().await else { return };
    let settings = Settings { time_zone: Some("Europe/Paris".into()), ..lab.settings.clone() };
    let engine = DockerEngine::connect(settings, only([commanded("plain"), own])).await.unwrap();
    for (template, lang) in [("plain", "fr_FR.UTF-8"), ("own", "C")] {
        let title = "Réseaux $(id) \"TP\" LANG=x".parse().unwrap();
        let order = StartOrder { title, language: Some(Language::French), ..order(&name(template), 1) };
        let upstream = engine.start(&order).await.unwrap().upstream;
        let printed = inside(&engine, &upstream, "printf '%s|' \"$TITLE\" \"$TZ\" \"$LANG\"").await;
        assert_eq!(printed, format!("Réseaux $(id) \"TP\" LANG=x|Europe/Paris|{lang}|"));
    }
}
