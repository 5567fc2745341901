//! `cargo xtask test`

use clap::Args;

use crate::cargo;

/// What follows `test`.
#[derive(Args)]
pub struct TestArguments {
    /// How many seeded lives the model of the poller is taken through (default 40).
    #[arg(long, value_name = "COUNT")]
    seeds: Option<u32>,
}

/// Every test of the workspace. The whole-program tests start the real executable against the simulators.
pub fn run(arguments: &TestArguments) -> Result<(), String> {
    let mut command = cargo::cargo(&["test", "--workspace"]);
    if let Some(seeds) = arguments.seeds {
        command.env("CONNECTOR_SEEDS", seeds.to_string());
    }
    cargo::run(command)
}
