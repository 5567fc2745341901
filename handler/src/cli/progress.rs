//! How far a long command has come: a bar on a terminal, else a line now and then.

use std::io::IsTerminal;
use std::time::Duration;

use chrono::TimeDelta;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;

use crate::event::StreamName;
use crate::jobs::BackfillWatcher;
use crate::logging;

/// Without a terminal there is a line for every step of so many hundredths.
const STEP: i64 = 10;

/// See the module. The default has no bar, only lines.
#[derive(Default)]
pub struct Progress {
    /// None where nobody looks.
    bar: Option<ProgressBar>,
    /// The stream and the hundredth that the last line told.
    told: Mutex<Option<(String, i64)>>,
}

impl Progress {
    /// On the error output, where the log is too.
    pub fn start() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{prefix:.34} [{bar:16}] {percent:>3}% {wide_msg}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_secs(1));
            logging::bar_is_shown(true);
            bar
        });
        Self { bar, ..Self::default() }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            logging::bar_is_shown(false);
        }
    }
}

impl BackfillWatcher for Progress {
    fn says(&self, sentence: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| log::info!("{sentence}")),
            None => log::info!("{sentence}"),
        }
    }

    fn stands_at(&self, stream: &StreamName, missing: TimeDelta, left: TimeDelta) {
        let hundredths = hundredths(missing, left);
        let what = match missing.is_zero() {
            true => "nothing is missing in this window".to_owned(),
            false => format!("{} of {} to go", in_words(left), in_words(missing)),
        };
        if let Some(bar) = &self.bar {
            // The bar goes when all is done, and this is worth keeping.
            if missing.is_zero() {
                bar.suspend(|| log::info!("{stream}: nothing is missing in this window"));
            }
            bar.set_prefix(stream.to_string());
            bar.set_position(hundredths.unsigned_abs());
            bar.set_message(what);
            return;
        }
        let mut told = self.told.lock();
        let stream = stream.to_string();
        let is_news = match &*told {
            Some((last_stream, last)) => *last_stream != stream || hundredths - last >= STEP || hundredths == 100,
            None => true,
        };
        if is_news {
            log::info!(stream = stream.as_str(), percent = hundredths; "{stream}: {hundredths}% filled, {what}");
            *told = Some((stream, hundredths));
        }
    }
}

fn hundredths(missing: TimeDelta, left: TimeDelta) -> i64 {
    match missing.num_milliseconds() {
        0 => 100,
        missing => (missing - left.num_milliseconds()).saturating_mul(100) / missing,
    }
}

fn in_words(time: TimeDelta) -> String {
    match time.num_minutes() {
        0 => format!("{} s", time.num_seconds()),
        minutes @ 1..120 => format!("{minutes} min"),
        minutes @ 120..2880 => format!("{} h", minutes / 60),
        minutes => format!("{} d", minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_without_holes_is_whole_and_no_step_is_beyond_the_end() {
        let hours = TimeDelta::hours;
        assert_eq!(hundredths(TimeDelta::zero(), TimeDelta::zero()), 100);
        assert_eq!(hundredths(hours(8), hours(8)), 0);
        assert_eq!(hundredths(hours(8), hours(2)), 75);
        assert_eq!(hundredths(hours(8), TimeDelta::zero()), 100);
        assert_eq!(in_words(hours(335)), "13 d");
        assert_eq!(in_words(hours(47)), "47 h");
        assert_eq!(in_words(TimeDelta::seconds(90)), "1 min");
    }
}
