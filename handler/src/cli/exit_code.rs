//! The exit codes of the commands, besides 0.

/// A stream failed, or an instance is off.
pub const EXIT_FAILED: u8 = 1;
/// The process was told to end before its work was done, as shells say it of Ctrl-C.
pub const EXIT_INTERRUPTED: u8 = 130;
/// Bad settings of the whole program, no source left or configured, or a bad command line (`EX_USAGE`).
pub const EXIT_USAGE: u8 = 64;
