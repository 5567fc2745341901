//! What every command but `serve` begins with: settings that are right, and the work that they make.

use std::process::ExitCode;
use std::sync::Arc;

use super::{EXIT_FAILED, EXIT_USAGE};
use crate::app::{ConnectorWorkplace, Settings, nothing_configured};
use crate::functions::Work;

/// Resolves what lies in a Key Vault, and gives the exit code where the whole program cannot work: everything that is
/// wrong is named then. What is wrong with single instances is a part of the work.
pub async fn prepare(workplace: &ConnectorWorkplace) -> Result<(Arc<Settings>, Arc<Work>), ExitCode> {
    workplace.look_up().await;
    // What is wrong with them is logged already.
    let settings = workplace.settings().map_err(|_| ExitCode::from(EXIT_USAGE))?;
    if settings.nothing_configured() {
        log::error!("{}", nothing_configured());
        return Err(ExitCode::from(EXIT_USAGE));
    }
    let work = workplace.work().map_err(|error| {
        log::error!("{error}");
        ExitCode::from(EXIT_FAILED)
    })?;
    Ok((settings, work))
}
