//! Log lines: JSON under the Functions host, text on stderr for a person.
//!
//! What the host does with the two streams was seen by running it: a line on stdout becomes Information, a line on stderr
//! Error, or Warning where it contains "warn" in any case. So JSON lines of warnings and errors go to stderr.

mod filter;
mod invocation;
mod json_line;
mod output;

use log::{Level, Log, Metadata, Record};

use self::filter::{default_filter, filter_of};
pub use self::invocation::{in_invocation, spawn_in_invocation, spawn_in_invocation_on};
use self::json_line::json_line;
pub use self::output::{bar_is_shown, reader_is_gone};
use self::output::{write_stderr, write_stdout};
use crate::config::LogFormat;
use crate::time::{Clock, SystemClock};

const BAD_FILTER: &str =
    "RUST_LOG: must be error, warn, info, debug, trace or off, or such as handler=debug; info is used";

/// Starts logging. `rust_log` is the value of RUST_LOG; the default is `info` for this program, and nothing of the
/// libraries.
pub fn start(format: LogFormat, rust_log: Option<&str>) {
    let given = rust_log.filter(|text| !text.trim().is_empty());
    let chosen = given.map(filter_of);
    let is_bad = matches!(chosen, Some(None));
    let filter = chosen.flatten().unwrap_or_else(default_filter);
    let most = filter.filter();
    // A second start (only tests do that) keeps the first.
    if log::set_boxed_logger(Box::new(Logger { filter, format })).is_ok() {
        log::set_max_level(most);
    }
    // A panic is a defect that ends its own task only; under the host its text must be a log line as well.
    std::panic::set_hook(Box::new(|panic| {
        log::error!("internal error: {}", panic.to_string().replace('\n', " "))
    }));
    if is_bad {
        log::warn!(setting = "RUST_LOG"; "{BAD_FILTER}");
    }
}

struct Logger {
    filter: env_filter::Filter,
    format: LogFormat,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.filter.matches(record) {
            return;
        }
        match (self.format, record.level()) {
            (LogFormat::Json, Level::Error | Level::Warn) => write_stderr(&json_line(record, SystemClock.now())),
            (LogFormat::Json, _) => write_stdout(&json_line(record, SystemClock.now())),
            (LogFormat::Text, level) => write_stderr(&format!("{level:<5} {}", record.args())),
        }
    }

    fn flush(&self) {}
}
