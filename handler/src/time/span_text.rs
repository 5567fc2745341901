//! Spans of time as people read them.

use chrono::TimeDelta;

/// `3 d 4 h`, `12 min`, `9 s`
pub fn span_text(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_are_said_in_two_words_at_most() {
        for (seconds, expected) in [
            (-5, "0 s"),
            (59, "59 s"),
            (3599, "59 min"),
            (3661, "1 h 1 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(span_text(TimeDelta::seconds(seconds)), expected);
        }
    }
}
