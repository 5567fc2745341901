//! The executable. Everything stands in the library.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    handler::cli::run()
}
