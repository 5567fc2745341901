//! The project's own commands: `cargo xtask test`, `azurite`, `build`, `package`, `infra`, `release`,
//! `measure`, and `cargo demo`.

#![forbid(unsafe_code)]

mod azurite;
mod build;
mod cargo;
mod demo;
mod files;
mod infra;
mod kql;
mod measure;
mod package;
mod release;
mod test;
mod vendors;

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
    /// Installs the emulator of Azure Blob Storage that the tests run against, where it is not there yet. `test` does
    /// it first.
    Azurite,
    /// Builds the handler and puts it where host.json looks for it: bin/handler.
    Build(build::BuildArguments),
    /// The release package for Azure: dist/released-package.zip.
    Package(package::PackageArguments),
    /// Writes the deployment template, and button and settings in the README, or checks them, every KQL text among it.
    Infra(infra::InfraArguments),
    /// Whether a tag may be released, and the templates of the release beside its package in dist/.
    Release(release::ReleaseArguments),
    /// How large and how tangled the sources are: lines, long functions, import circles, ambiguous names.
    Measure(measure::MeasureArguments),
    /// The whole system on this machine: simulated vendors, the Functions host, rows in data/tables.
    Demo,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Test(arguments) => test::run(&arguments),
        Command::Azurite => azurite::run(),
        Command::Build(arguments) => build::run(&arguments),
        Command::Package(arguments) => package::run(&arguments),
        Command::Infra(arguments) => infra::run(&arguments),
        Command::Release(arguments) => release::run(&arguments),
        Command::Measure(arguments) => measure::run(&arguments),
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
