//! The manual: pages for `man`, and the reference in `docs/cli.md`, both from the command line itself.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::args::Cli;
use super::failure::{Exit, Failure};
use super::out::say;

/// What every page says at its end.
const EXIT: [(&str, &str); 6] = [
    ("0", "Done."),
    ("1", "Tried and failed."),
    ("2", "The command line makes no sense."),
    ("3", "The configuration has errors."),
    ("4", "Something that has to be there is not: port, certificate, database, engine, gateway."),
    ("5", "Understood and refused: no such user, name taken, not confirmed."),
];

const ENVIRONMENT: [(&str, &str); 6] = [
    ("BERTH_CONFIG", "The configuration file, as --config."),
    ("BERTH__SECTION__KEY", "Overrides a key of the configuration, for example BERTH__LIMITS__AWAY_S=7200."),
    ("BERTH_LOG", "What is logged, in place of log.filter."),
    ("BERTH_URL", "The gateway elsewhere that commands with --url ask."),
    ("BERTH_TOKEN", "The API token for it, where --token-file names none."),
    ("SSL_CERT_FILE", "The certificates to trust for it, where --ca-file names none."),
];

const FILES: [(&str, &str); 7] = [
    ("config/berth.toml", "The configuration."),
    ("config/templates.d/*.toml", "Further templates."),
    ("var/berth.db", "The store; .lock, .sessions.lock, -wal and -shm beside it belong to it."),
    ("var/berth.db.before-N", "The store before its schema was brought up to N by an upgrade."),
    ("var/berth.db.replaced-TIME", "The store that a restoration took the place of."),
    ("var/control.sock", "How commands reach the gateway that runs."),
    ("certs/", "Certificate, key, and the development CA."),
];

/// What to type, by the words of the command; a page without any says none.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("berth", &["berth setup", "berth serve", "berth session list", "berth backup school.backup --homes"]),
    (
        "berth backup",
        &[
            "berth backup /mnt/backup/$(date +%F).backup --homes",
            "berth backup --check /mnt/backup/2026-01-31.backup",
            "berth backup --list /mnt/backup/2026-01-31.backup --json",
        ],
    ),
    (
        "berth restore",
        &[
            "berth restore school.backup",
            "berth restore school.backup --replace --existing-homes set-aside",
            "berth restore school.backup --only images",
        ],
    ),
    (
        "berth session",
        &[
            "berth session list --state ready,paused --of ann",
            "berth session stop --all --template desktop",
            "berth session list --url https://portal.example.org --token-file ~/berth.token --json",
        ],
    ),
    ("berth user", &["berth user add ann", "echo \"$PASSWORD\" | berth user passwd ann --password-stdin"]),
    ("berth grant", &["berth grant create kbtfqzxm bob --role helper --expires 2h"]),
    ("berth invitation", &["berth invitation create kbtfqzxm --expires 1h --people 20"]),
    ("berth home", &["berth home list", "berth home restore ann 20260131-081500"]),
    ("berth template", &["berth template list", "berth template pull --all"]),
    (
        "berth audit",
        &[
            "berth audit tail -n 50 --follow",
            "berth audit verify",
            "berth audit export march.csv --since 31d",
        ],
    ),
    ("berth completions", &["berth completions bash > /etc/bash_completion.d/berth"]),
    ("berth man", &["berth man /usr/local/share/man/man1", "berth man | man -l -"]),
];

/// `berth man [DIR]`.
pub(super) fn man(directory: Option<&Path>) -> Result<(), Failure> {
    let written = match directory {
        None => io::stdout().write_all(&page(&whole(), "berth")),
        Some(directory) => write_all(directory),
    };
    written.map_err(|error| {
        let todo = "check the directory's permissions and space";
        Failure::new(Exit::Failed, "the manual could not be written", error, todo)
    })
}

fn write_all(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let pages = pages();
    for (name, text) in &pages {
        fs::write(directory.join(format!("{name}.1")), text)?;
    }
    say!("{} pages are in {}", pages.len(), directory.display());
    Ok(())
}

/// The whole command line, with every option where it may stand.
fn whole() -> Command {
    let mut whole = Cli::command().disable_help_subcommand(true);
    whole.build();
    whole
}

/// Every command with the words that call it: the main one first, then as they are listed.
fn commands() -> Vec<(String, Command)> {
    fn add(words: &str, command: &Command, found: &mut Vec<(String, Command)>) {
        found.push((words.to_owned(), command.clone()));
        for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
            add(&format!("{words} {}", below.get_name()), below, found);
        }
    }
    let mut found = Vec::new();
    add("berth", &whole(), &mut found);
    found
}

/// Every page with its name.
fn pages() -> Vec<(String, Vec<u8>)> {
    commands().into_iter().map(|(words, command)| (words.replace(' ', "-"), page(&command, &words))).collect()
}

/// One page.
fn page(command: &Command, words: &str) -> Vec<u8> {
    let mut page = Vec::new();
    let name = words.replace(' ', "-");
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .source(concat!("Berth ", env!("CARGO_PKG_VERSION")));
    let written = (|| -> io::Result<()> {
        man.render_title(&mut page)?;
        man.render_name_section(&mut page)?;
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
        if command.has_subcommands() {
            man.render_subcommands_section(&mut page)?;
        }
        rest(words).to_writer(&mut page)
    })();
    written.expect("writing into memory does not fail");
    page
}

/// What the command line itself does not say.
fn rest(words: &str) -> Roff {
    let mut rest = Roff::new();
    if let Some((_, examples)) = EXAMPLES.iter().find(|(of, _)| *of == words) {
        rest.control("SH", ["EXAMPLES"]);
        for example in *examples {
            rest.control("PP", []);
            rest.text([roman(*example)]);
        }
    }
    for (heading, entries) in
        [("EXIT STATUS", &EXIT[..]), ("ENVIRONMENT", &ENVIRONMENT[..]), ("FILES", &FILES[..])]
    {
        rest.control("SH", [heading]);
        for (what, text) in entries {
            rest.control("TP", []);
            rest.text([bold(*what)]);
            rest.text([roman(*text)]);
        }
    }
    if words != "berth" {
        rest.control("SH", ["SEE ALSO"]);
        let above = words.rsplit_once(' ').map_or("berth", |(above, _)| above).replace(' ', "-");
        rest.text([bold(above), roman("(1)")]);
    }
    rest
}

/// The reference in `docs/cli.md`.
#[cfg(test)]
fn reference() -> String {
    let mut text = "# Command line\n\nThis file is written by the test `the_reference_is_what_the_command_line_says`; \
                    `BERTH_WRITE_REFERENCE=1` in its environment writes it anew.\n\nEvery command takes `--config FILE`. \
                    Where it is listed, `--json` prints what came of it with stable names and exact times. Errors go to standard \
                    error as what happened, why, and what to do.\n"
        .to_owned();
    for (heading, entries) in
        [("Exit codes", &EXIT[..]), ("Environment", &ENVIRONMENT[..]), ("Files", &FILES[..])]
    {
        text.push_str(&format!("\n## {heading}\n\n| | |\n|---|---|\n"));
        for (what, says) in entries {
            text.push_str(&format!("| `{what}` | {says} |\n"));
        }
    }
    for (words, command) in commands() {
        let level = 2 + words.matches(' ').count().saturating_sub(1);
        text.push_str(&format!("\n{} {words}\n\n```text\n", "#".repeat(level)));
        let help = command.term_width(110).render_help().to_string();
        for line in help.trim_end().lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text.push_str("```\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_option_says_what_it_does() {
        let mut silent = Vec::new();
        for (words, command) in commands() {
            if command.get_about().is_none() {
                silent.push(words.clone());
            }
            for argument in command.get_arguments() {
                if argument.get_help().is_none() {
                    silent.push(format!("{words} {}", argument.get_id()));
                }
            }
        }
        assert!(silent.is_empty(), "{silent:#?}");
    }

    #[test]
    fn every_page_has_its_sections_and_says_something() {
        let pages = pages();
        assert!(pages.len() > 20 && pages.iter().any(|(name, _)| name == "berth-session-stop"));
        for (name, page) in &pages {
            let text = String::from_utf8(page.clone()).unwrap();
            for section in
                ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES"]
            {
                let plain = [format!(".SH {section}\n"), format!(".SH \"{section}\"\n")];
                assert!(
                    plain.iter().any(|heading| text.contains(heading)),
                    "{name} has no {section}:\n{text}"
                );
            }
            assert!(text.len() > 1000, "{name}");
        }
    }

    #[test]
    fn examples_are_of_commands_there_are() {
        let known: Vec<_> = commands().into_iter().map(|(words, _)| words).collect();
        for (words, examples) in EXAMPLES {
            assert!(known.contains(&(*words).to_owned()), "{words}");
            assert!(examples.iter().all(|example| example.contains("berth")), "{words}");
        }
    }

    #[test]
    fn the_pages_are_what_man_understands() {
        let folder = tempfile::tempdir().unwrap();
        write_all(folder.path()).unwrap();
        for (name, _) in pages() {
            let page = folder.path().join(format!("{name}.1"));
            let command = ["--warnings=w", "-E", "UTF-8", "-l", "-Tutf8", "-Z"];
            let shown = std::process::Command::new("man").args(command).arg(&page).output();
            let Ok(shown) = shown else {
                say!("skipped: man is not installed");
                return;
            };
            let said = String::from_utf8_lossy(&shown.stderr).into_owned();
            assert!(shown.status.success() && said.is_empty(), "{name}: {said}");
        }
    }

    #[test]
    fn the_reference_is_what_the_command_line_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
        if std::env::var_os("BERTH_WRITE_REFERENCE").is_some() {
            fs::write(&path, reference()).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == reference(),
            "docs/cli.md is not what the command line says; write it anew as it says itself"
        );
    }

    #[test]
    fn shells_complete_values() {
        let mut script = Vec::new();
        clap_complete::generate(clap_complete::Shell::Bash, &mut Cli::command(), "berth", &mut script);
        let script = String::from_utf8(script).unwrap();
        for value in ["set-aside", "check-config", "paused", "--existing-homes", "homes"] {
            assert!(script.contains(value), "{value}");
        }
    }
}
