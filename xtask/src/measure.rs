//! `cargo xtask measure`

use std::path::PathBuf;

use architecture::Crate;
use clap::Args;

use crate::cargo::root;

/// What follows `measure`.
#[derive(Args)]
pub struct MeasureArguments {
    /// Another checkout than this one.
    #[arg(value_name = "FOLDER")]
    checkout: Option<PathBuf>,
}

/// Prints the figures of every crate of a checkout that is there.
pub fn run(arguments: &MeasureArguments) -> Result<(), String> {
    let checkout = arguments.checkout.clone().unwrap_or_else(root);
    for name in ["handler", "simulator", "xtask", "architecture"] {
        let folder = checkout.join(name);
        if folder.is_dir() {
            let read = Crate::read(&folder).map_err(|error| error.to_string())?;
            print!("{}", architecture::report(&read));
        }
    }
    Ok(())
}
