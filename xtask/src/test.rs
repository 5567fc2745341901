//! `cargo xtask test`

use clap::Args;

use crate::cargo;

/// What follows `test`.
#[derive(Args)]
pub struct TestArguments {
    /// How many seeded lives the model of the poller is taken through.
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    seeds: u32,
}

/// Every test of the workspace. The whole-program tests start the real executable against the simulators.
pub fn run(arguments: &TestArguments) -> Result<(), String> {
    let mut command = cargo::cargo(&["test", "--workspace"]);
    command.env("CONNECTOR_SEEDS", arguments.seeds.to_string());
    cargo::run(command)
}
