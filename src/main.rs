//! The `berth` process: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    berth::cli::main()
}
