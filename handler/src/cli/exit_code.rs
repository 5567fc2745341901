//! How commands end.

use std::fmt::Display;
use std::process::ExitCode;

/// A stream failed, or an instance is off.
pub const EXIT_FAILED: u8 = 1;
/// The process was told to end before its work was done, as shells say it of Ctrl-C.
pub const EXIT_INTERRUPTED: u8 = 130;
/// Bad settings of the whole program, no source left or configured, or a bad command line (`EX_USAGE`).
pub const EXIT_USAGE: u8 = 64;

/// The exit code of a command; the error is that of one that ended before its work.
pub type CommandEnd = Result<ExitCode, ExitCode>;

/// Of work that came to its end.
pub fn code_of(is_well: bool) -> ExitCode {
    ExitCode::from(if is_well { 0 } else { EXIT_FAILED })
}

/// Logs why something could not be done.
pub fn failed(reason: impl Display) -> ExitCode {
    log::error!("{reason}");
    ExitCode::from(EXIT_FAILED)
}

/// Logs what is wrong with the settings or the command line.
pub fn misused(reason: impl Display) -> ExitCode {
    log::error!("{reason}");
    ExitCode::from(EXIT_USAGE)
}

/// No stream has the name that `--source` gives.
pub fn no_such_stream(known: &[String]) -> ExitCode {
    let known = match known.is_empty() {
        true => "none".to_owned(),
        false => known.join(", "),
    };
    misused(format!(
        "--source: no configured stream has that name; configured are: {known}"
    ))
}
