//! What every command but `serve` begins with: settings that are right, and the work that they make.

use std::process::ExitCode;

use super::{EXIT_FAILED, EXIT_USAGE};
use crate::app::build;
use crate::functions::Work;
use crate::settings::{Environment, Settings};
use crate::time::Stop;

/// Names everything that is wrong, and gives the exit code for it.
pub fn prepare(environment: &dyn Environment, command: &str, stop: &Stop) -> Result<(Settings, Work), ExitCode> {
    let settings = Settings::load(environment).map_err(|problems| {
        for problem in problems.iter() {
            log::error!(setting = problem.setting.as_str(); "{problem}");
        }
        ExitCode::from(EXIT_USAGE)
    })?;
    if settings.nothing_configured() {
        log::error!(
            "nothing is configured: set PINGONE__ENVIRONMENT_ID, PINGONE__CLIENT_ID and PINGONE__CLIENT_SECRET to poll PingOne, for example"
        );
        return Err(ExitCode::from(EXIT_USAGE));
    }
    let work = build(&settings, environment, command, stop).map_err(|error| {
        log::error!("{error}");
        ExitCode::from(EXIT_FAILED)
    })?;
    Ok((settings, work))
}
