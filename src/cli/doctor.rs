//! `berth doctor`: prints what was found, and ends with a code that says whether something is broken.

use std::path::Path;

use super::args::OutputArgs;
use super::failure::{Exit, Failure};
use super::out::put;
use super::show::print_json;
use crate::config::Config;
use crate::doctor::{self, Finding, Report};

pub(super) async fn doctor(config: &Config, output: OutputArgs) -> Result<(), Failure> {
    let report = doctor::examine(config, &mut |finding| tell(finding, output)).await;
    conclude(&report, output)
}

/// The configuration cannot be read: that is what the doctor says of it.
pub(super) fn unconfigured(path: &Path, output: OutputArgs) -> Result<(), Failure> {
    match Config::load(path, std::env::vars()) {
        Ok(_) => Ok(()),
        Err(errors) => {
            let report = Report::unconfigured(&errors);
            report.findings.iter().for_each(|finding| tell(finding, output));
            conclude(&report, output)
        }
    }
}

/// People read along; JSON is one document at the end.
fn tell(finding: &Finding, output: OutputArgs) {
    if !output.json {
        put(finding);
    }
}

fn conclude(report: &Report, output: OutputArgs) -> Result<(), Failure> {
    if output.json {
        print_json(report);
    } else {
        put(format_args!("\n{}", report.conclusion()));
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
