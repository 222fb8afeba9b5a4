//! The security lab: what is open here is found, what is a neighbour's is not.

use crate::desktop::type_line;
use crate::gateway::{Gateway, docker, eventually};
use crate::images::{at_a_session, run, shipped};
use crate::viewer_page::{at_a_terminal, read};

/// A container's address in the sessions' network.
fn address(container: &str) -> String {
    docker(&["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container])
}

/// The scan a student typed, once it is whole.
async fn scanned(container: &str, file: &str) -> String {
    eventually(&format!("the scan in {file} ends"), || async {
        read(container, file).filter(|report| report.contains("Nmap done"))
    })
    .await
}

#[tokio::test]
async fn a_scan_finds_what_is_open_here_and_nothing_of_a_neighbour() {
    let gateway = Gateway::builder().template(&shipped("security")).start().await;
    let bob = gateway.login("bob").await;
    let neighbour = bob.create("security", "Neighbour").await;
    bob.until(&neighbour, "ready").await;
    let neighbour = gateway.container(&neighbour);
    let (browser, container) = at_a_session(&gateway, "security").await;
    for each in [&neighbour, &container] {
        docker(&["exec", "-d", "-u", "1000:1000", each, "ncat", "--listen", "--keep-open", "4444"]);
        eventually("the port is open", || async { run(each, "ncat -z 127.0.0.1 4444") }).await;
    }

    at_a_terminal(&browser, &container).await;
    type_line(&browser.driver, "nmap -p 4440-4450,5900 localhost | tee own").await;
    let own = scanned(&container, "own").await;
    assert!(
        own.contains("4444/tcp open") && own.contains("5900/tcp open") && own.contains("4445/tcp closed"),
        "{own}"
    );
    let scan = format!(
        "nmap -Pn -T5 --max-retries 1 --host-timeout 60 -p 4444,5900 {} | tee other",
        address(&neighbour)
    );
    type_line(&browser.driver, &scan).await;
    let other = scanned(&container, "other").await;
    assert!(!other.contains("/tcp open"), "a neighbour is reached: {other}");
    browser.screenshot("image-security").await;

    // Every tool starts for somebody who is nobody special.
    let tools = [
        "tshark --version",
        "tcpdump --version",
        "john | head -1",
        "hydra -h | head -1",
        "sqlmap --version",
        "nc -h 2>&1 | head -1",
        "socat -V",
        "binwalk --help",
        "gdb --version",
        "dig -v",
        "which whois dirb gobuster wireshark",
        "python3 -c 'import scapy.all, requests'",
        "cd /tmp && PWNLIB_NOTERM=1 python3 -c 'import pwn'",
    ];
    for tool in tools {
        assert!(run(&container, tool).is_some(), "{tool}");
    }
    let raised = run(&container, "find / -xdev -perm /6000 -type f; getcap -r / 2>/dev/null").expect("find");
    assert_eq!(raised, "", "nothing here gives anybody more rights");
}
