//! `cargo xtask test`

use clap::Args;

use crate::{azurite, cargo};

/// What follows `test`.
#[derive(Args)]
pub struct TestArguments {
    /// How many seeded lives the model of the poller is taken through.
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    seeds: u32,
    /// How many seeded schedules of faults and kills the handler is taken through.
    #[arg(long, value_name = "COUNT", default_value_t = 2000)]
    schedules: u32,
    /// How often the running handler is killed in the whole-program test of that.
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    kills: u32,
    /// Builds the project's own code optimised, for the long proofs; the dependencies stay as they are.
    #[arg(long)]
    optimised: bool,
}

/// Every test of the workspace. The whole-program tests start the real executable against the simulators and Azurite.
pub fn run(arguments: &TestArguments) -> Result<(), String> {
    azurite::run()?;
    let mut command = cargo::cargo(&["test", "--workspace"]);
    command.env("CONNECTOR_SEEDS", arguments.seeds.to_string());
    command.env("CONNECTOR_SCHEDULES", arguments.schedules.to_string());
    command.env("CONNECTOR_KILLS", arguments.kills.to_string());
    if arguments.optimised {
        command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "2");
    }
    cargo::run(command)
}
