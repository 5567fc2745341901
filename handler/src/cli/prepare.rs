//! What every command but `serve` begins with: settings that are right, and the runtime that is built from them.

use std::process::ExitCode;
use std::sync::Arc;

use super::EXIT_USAGE;
use super::exit_code::{failed, misused};
use crate::app::{Runtime, RuntimeProvider, Settings, nothing_configured};

/// Resolves what lies in a Key Vault, and gives the exit code where the whole program cannot work: everything that is
/// wrong is named then. What is wrong with single instances is a part of the runtime.
pub async fn prepare(provider: &RuntimeProvider) -> Result<(Arc<Settings>, Arc<Runtime>), ExitCode> {
    let settings = usable_settings(provider).await?;
    Ok((settings, provider.runtime().map_err(failed)?))
}

/// The settings alone, see [`prepare`].
pub async fn usable_settings(provider: &RuntimeProvider) -> Result<Arc<Settings>, ExitCode> {
    provider.look_up().await;
    // What is wrong with them is logged already.
    let settings = provider.settings().map_err(|_| ExitCode::from(EXIT_USAGE))?;
    match settings.nothing_configured() {
        true => Err(misused(nothing_configured())),
        false => Ok(settings),
    }
}
