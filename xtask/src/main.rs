//! The project's own commands: `cargo xtask test`, `build`, `package`, `infra`, and `cargo demo`.

#![forbid(unsafe_code)]

mod build;
mod cargo;
mod demo;
mod infra;
mod package;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a developer needs besides cargo itself.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// All tests, the whole-program tests among them.
    Test(test::TestArguments),
    /// Builds the handler and puts it where host.json looks for it: bin/handler.
    Build(build::BuildArguments),
    /// The release package for Azure: dist/released-package.zip.
    Package(package::PackageArguments),
    /// Writes and checks the deployment template, and the button in the README.
    Infra(infra::InfraArguments),
    /// The whole system on this machine: simulated vendors, the Functions host, rows in data/tables.
    Demo,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Test(arguments) => test::run(&arguments),
        Command::Build(arguments) => build::run(&arguments),
        Command::Package(arguments) => package::run(&arguments),
        Command::Infra(arguments) => infra::run(&arguments),
        Command::Demo => demo::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}
