//! The two streams that lines go to.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static BAR_IS_SHOWN: AtomicBool = AtomicBool::new(false);
static READER_IS_GONE: AtomicBool = AtomicBool::new(false);

/// Says that a progress bar stands on the error output from now on, or that it is gone.
pub fn bar_is_shown(is_shown: bool) {
    BAR_IS_SHOWN.store(is_shown, Ordering::Relaxed);
}

/// Whether a line could not be written because nobody reads the stream any more.
pub fn reader_is_gone() -> bool {
    READER_IS_GONE.load(Ordering::Relaxed)
}

/// Writes a line to the standard output.
pub fn write_stdout(line: &str) {
    note(writeln!(io::stdout().lock(), "{line}"));
}

/// Writes a line to the standard error output. It takes the place of the bar, which draws itself anew below it.
pub fn write_stderr(line: &str) {
    let clear = match BAR_IS_SHOWN.load(Ordering::Relaxed) {
        true => "\r\x1b[2K",
        false => "",
    };
    // In one piece: the error output has no buffer, and lines of other processes may come between pieces.
    note(io::stderr().lock().write_all(format!("{clear}{line}\n").as_bytes()));
}

/// A line that cannot be written is nowhere to be reported.
fn note(written: io::Result<()>) {
    if written.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        READER_IS_GONE.store(true, Ordering::Relaxed);
    }
}
