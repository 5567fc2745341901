//! `cargo xtask test`

use clap::Args;

use crate::{azurite, cargo};

/// What follows `test`.
#[derive(Args)]
pub struct TestArguments {
    /// How many seeded lives the model of the poller is taken through.
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    seeds: u32,
}

/// Every test of the workspace. The whole-program tests start the real executable against the simulators and Azurite.
pub fn run(arguments: &TestArguments) -> Result<(), String> {
    azurite::run()?;
    let mut command = cargo::cargo(&["test", "--workspace"]);
    command.env("CONNECTOR_SEEDS", arguments.seeds.to_string());
    cargo::run(command)
}
