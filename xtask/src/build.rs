//! `cargo xtask build`

use std::fs;

use clap::Args;

use crate::cargo::{build_handler, root};

/// What follows `build`.
#[derive(Args)]
pub struct BuildArguments {
    /// The faster build for development instead of the release build.
    #[arg(long)]
    dev: bool,
}

/// Fills `bin/`, where host.json looks for the executable.
pub fn run(arguments: &BuildArguments) -> Result<(), String> {
    let profile: &[&str] = if arguments.dev { &[] } else { &["--release"] };
    let executable = build_handler(profile)?;
    let folder = root().join("bin");
    let target = folder.join("handler");
    let copied = fs::create_dir_all(&folder)
        // A running handler's file cannot be written over, but it can be replaced.
        .and_then(|()| {
            if target.exists() {
                fs::remove_file(&target)
            } else {
                Ok(())
            }
        })
        .and_then(|()| fs::copy(&executable, &target));
    let size = copied.map_err(|error| format!("{} cannot be written: {error}", target.display()))?;
    println!("bin/handler: {size} bytes; next: func start");
    Ok(())
}
