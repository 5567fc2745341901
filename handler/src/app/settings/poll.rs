//! How polling is done.

use std::time::Duration;

use crate::config::{Environment, Reader, Schedule, SettingProblem, duration, values};

const SCHEDULE: &str = "POLL_SCHEDULE";

/// How every source is polled.
#[derive(Debug, Clone, PartialEq)]
pub struct PollSettings {
    /// When `poll --watch` polls, and the timer in Azure: `POLL_SCHEDULE`.
    pub schedule: Schedule,
    /// How far back a new stream starts: `POLL_LOOKBACK`.
    pub lookback: Duration,
    /// How far before its watermark a stream is read again: `POLL_OVERLAP`; may be zero.
    pub overlap: Duration,
    /// How far before now a window ends: `POLL_SETTLE`; may be zero.
    pub settle: Duration,
    /// How long a run may take: `POLL_BUDGET`.
    pub budget: Duration,
    /// How many streams are polled at once: `POLL_CONCURRENCY`.
    pub concurrency: usize,
}

impl PollSettings {
    /// Reads `POLL_*`.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        Some(Self {
            schedule: reader.program(SCHEDULE, Schedule::parse)?,
            lookback: reader.program("POLL_LOOKBACK", duration::above_zero)?,
            overlap: reader.program("POLL_OVERLAP", duration::zero_or_more)?,
            settle: reader.program("POLL_SETTLE", duration::zero_or_more)?,
            budget: reader.program("POLL_BUDGET", duration::above_zero)?,
            concurrency: reader.program("POLL_CONCURRENCY", values::concurrency)?,
        })
    }
}

/// What is wrong where the Functions host has no schedule: it disables the timer function whose schedule does not
/// resolve, says so only in its own log, and runs everything else (seen on the host, 4.1037).
pub fn missing_schedule(environment: &Environment) -> Option<SettingProblem> {
    let is_missing = environment.is_of_functions_host() && !environment.is_filled(SCHEDULE);
    is_missing.then(|| SettingProblem {
        setting: SCHEDULE.to_owned(),
        message:
            "is missing: the Functions host then switches function-timer off, and nothing is polled; set it in the \
                  app settings, for example to 0 * * * * *"
                .to_owned(),
    })
}

/// Whether an app setting switches the timer function off. The host takes both names and both values (WebJobs SDK,
/// `HostListenerFactory.IsDisabled`), the second name because of systems that know no dots in names.
pub fn timer_is_disabled(environment: &Environment) -> bool {
    let names = [
        "AzureWebJobs.function-timer.Disabled",
        "AzureWebJobs_function-timer_Disabled",
    ];
    let mut values = names.into_iter().filter_map(|name| environment.get(name));
    values.any(|value| value.trim_ascii() == "1" || value.trim_ascii().eq_ignore_ascii_case("true"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::settings::Settings;

    #[test]
    fn the_timer_is_disabled_as_for_the_host() {
        for (name, value, expected) in [
            ("AzureWebJobs.function-timer.Disabled", "true", true),
            ("AzureWebJobs.function-timer.Disabled", "True", true),
            ("AzureWebJobs_function-timer_Disabled", "1", true),
            ("AzureWebJobs.function-timer.Disabled", "false", false),
            ("AzureWebJobs.function-http.Disabled", "true", false),
        ] {
            let environment = Environment::from(vec![(name, value)]);
            assert_eq!(timer_is_disabled(&environment), expected, "{name}={value}");
        }
    }

    #[test]
    fn a_schedule_is_missed_under_the_host_where_something_is_polled() {
        let console = [
            ("SENTINELONE__URL", "https://example.sentinelone.net"),
            ("SENTINELONE__API_TOKEN", "a-token-of-twenty-letters"),
        ];
        let webhook = [("ONELOGIN__BEARER_TOKEN", "a-token-of-twenty-letters")];
        let host = ("FUNCTIONS_CUSTOMHANDLER_PORT", "7071");
        let is_missed = |source: &[(&'static str, &'static str)], others: &[(&'static str, &'static str)]| {
            let environment = Environment::from([source, others].concat());
            Settings::load(&environment).unwrap().schedule_problem.is_some()
        };
        assert!(is_missed(&console, &[host]));
        assert!(is_missed(&console, &[host, ("POLL_SCHEDULE", " ")]));
        assert!(!is_missed(&console, &[host, ("POLL_SCHEDULE", "0 */5 * * * *")]));
        assert!(!is_missed(&console, &[]));
        assert!(!is_missed(&webhook, &[host]));
    }
}
