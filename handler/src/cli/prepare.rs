//! What every command but `serve` begins with: settings that are right, and the runtime that is built from them.

use std::process::ExitCode;
use std::sync::Arc;

use super::{EXIT_FAILED, EXIT_USAGE};
use crate::app::{Runtime, RuntimeProvider, Settings, nothing_configured};

/// Resolves what lies in a Key Vault, and gives the exit code where the whole program cannot work: everything that is
/// wrong is named then. What is wrong with single instances is a part of the runtime.
pub async fn prepare(provider: &RuntimeProvider) -> Result<(Arc<Settings>, Arc<Runtime>), ExitCode> {
    provider.look_up().await;
    // What is wrong with them is logged already.
    let settings = provider.settings().map_err(|_| ExitCode::from(EXIT_USAGE))?;
    if settings.nothing_configured() {
        log::error!("{}", nothing_configured());
        return Err(ExitCode::from(EXIT_USAGE));
    }
    let runtime = provider.runtime().map_err(|error| {
        log::error!("{error}");
        ExitCode::from(EXIT_FAILED)
    })?;
    Ok((settings, runtime))
}
