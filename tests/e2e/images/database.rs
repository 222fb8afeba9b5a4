//! Databases: a student asks both servers the same question, and the data outlives a stop.

use crate::desktop::type_line;
use crate::gateway::{Gateway, eventually};
use crate::images::{at_a_session, put, run, shipped};
use crate::viewer_page::{arrives, at_a_terminal};

#[tokio::test]
async fn a_student_queries_both_servers_and_they_keep_what_was_written() {
    let gateway = Gateway::builder().template(&shipped("database")).start().await;
    let (browser, container) = at_a_session(&gateway, "database").await;
    let ready = "mariadb -e 'SELECT 1' && psql -c 'SELECT 1'";
    eventually("both servers answer", || async { run(&container, ready) }).await;

    at_a_terminal(&browser, &container).await;
    let question = "SELECT COUNT(*) FROM books WHERE published < 1800";
    for (client, file) in [
        ("mariadb -N -e", "mariadb.txt"),
        ("psql -t -A -c", "psql.txt"),
        ("sqlite3 library.sqlite", "sqlite.txt"),
    ] {
        type_line(&browser.driver, &format!("{client} '{question};' > {file}")).await;
        arrives(&container, file, "2").await;
    }
    for client in ["mariadb -e", "psql -c"] {
        type_line(&browser.driver, &format!("{client} \"UPDATE students SET class = '7C' WHERE id = 3\""))
            .await;
    }
    type_line(&browser.driver, "psql -c 'SELECT title, first_name, due_on FROM books_out'").await;
    let written = [
        ("MariaDB", "mariadb -N -e \"SELECT first_name FROM students WHERE class = '7C'\""),
        ("PostgreSQL", "psql -t -A -c \"SELECT first_name FROM students WHERE class = '7C'\""),
    ];
    for (server, query) in written {
        eventually(&format!("{server} has the new row"), || async {
            run(&container, query).filter(|rows| rows.trim() == "Emma")
        })
        .await;
    }
    browser.screenshot("image-database").await;

    // The client with windows: one click and no password.
    put(&container, "/tmp/adminer.php", include_str!("adminer.php"));
    for (driver, host) in [("server", "localhost"), ("pgsql", "/tmp")] {
        let page = run(&container, &format!("php /tmp/adminer.php {driver} {host}")).expect("Adminer opens");
        assert!(page.contains("books_out"), "{driver}: {page}");
    }

    // A stop ends both cleanly, within the grace, and the data is there again.
    let ann = gateway.login("ann").await;
    let label = crate::desktop::label_of(&browser, false).await;
    ann.post(&format!("/sessions/{label}/stop"), &[]).await;
    ann.until(&label, "stopped").await;
    ann.post(&format!("/sessions/{label}/start"), &[]).await;
    ann.until(&label, "ready").await;
    let container = gateway.container(&label);
    for (server, query) in written {
        eventually(&format!("{server} kept the row"), || async {
            run(&container, query).filter(|rows| rows.trim() == "Emma")
        })
        .await;
    }
    let log = "cat ~/.local/share/mariadb/error.log ~/.local/share/postgresql-17/server.log";
    let log = run(&container, log).expect("logs");
    for word in ["crash recovery", "was not properly shut down", "was interrupted"] {
        assert!(!log.contains(word), "{word}: {log}");
    }
}
