//! `berth doctor`: prints what was found, and ends with a code that says whether something is broken.

use std::path::Path;

use super::args::OutputArgs;
use super::failure::{Exit, Failure};
use super::show::print_json;
use crate::config::Config;
use crate::doctor::{self, Report};

pub(super) async fn doctor(config: &Config, output: OutputArgs) -> Result<(), Failure> {
    tell(&doctor::examine(config).await, output)
}

/// The configuration cannot be read: that is what the doctor says of it.
pub(super) fn unconfigured(path: &Path, output: OutputArgs) -> Result<(), Failure> {
    match Config::load(path, std::env::vars()) {
        Ok(_) => Ok(()),
        Err(errors) => tell(&Report::unconfigured(&errors), output),
    }
}

fn tell(report: &Report, output: OutputArgs) -> Result<(), Failure> {
    if output.json {
        print_json(report);
    } else {
        println!("{report}");
    }
    match report.broken {
        None => Ok(()),
        Some(hop) => Err(Failure::new(
            Exit::Failed,
            format!("broken: {}", hop.title()),
            "see above; what comes after it may only follow from it",
            "mend it first, then run `berth doctor` again",
        )),
    }
}
