//! What is configured and does not run.

use std::collections::{HashMap, HashSet};

use super::settings::Settings;
use crate::config::{Disabled, DisabledCause, DisabledPart};
use crate::event::StreamName;
use crate::report::{ErrorCode, Problem, ReportSubject, StreamReport};
use crate::vendors::VENDORS;

/// What is configured and does not run, one report for each instance with all its reasons: it must not look as if all
/// were well.
pub fn disabled_reports(settings: &Settings) -> Vec<StreamReport> {
    let mut reports: Vec<StreamReport> = Vec::new();
    let mut places = HashMap::new();
    for disabled in &settings.disabled {
        let name = disabled.name();
        let problem = problem_of(&name, disabled);
        match places.get(&name) {
            Some(place) => {
                let report: &mut StreamReport = &mut reports[*place];
                report.problems.push(problem);
            }
            None => {
                places.insert(name, reports.len());
                reports.push(StreamReport::disabled(subject_of(disabled), problem));
            }
        }
    }
    reports
}

/// The names of the instances that are disabled, each once.
pub fn disabled_names(settings: &Settings) -> Vec<String> {
    let mut known = HashSet::new();
    let names = settings.disabled.iter().map(Disabled::name);
    names.filter(|name| known.insert(name.clone())).collect()
}

fn subject_of(disabled: &Disabled) -> ReportSubject {
    ReportSubject::Instance {
        source: disabled.source,
        instance: disabled.instance.as_str().to_owned(),
    }
}

fn problem_of(name: &str, disabled: &Disabled) -> Problem {
    let part = match disabled.part {
        DisabledPart::Poll => "polling",
        DisabledPart::Push => "push",
        DisabledPart::Whole => "everything",
    };
    let code = match disabled.cause {
        DisabledCause::UnresolvedReference => ErrorCode::SecretUnresolved,
        DisabledCause::BadSetting => ErrorCode::BadSetting,
    };
    let message = format!("{name}: {part} is switched off: {}", disabled.reason());
    Problem::new(code, message)
}

/// The streams of what does not run for which something may wait in the spool.
pub fn disabled_streams(settings: &Settings) -> Vec<StreamName> {
    let mut streams = Vec::new();
    for disabled in &settings.disabled {
        let vendor = VENDORS.iter().find(|vendor| vendor.name == disabled.source);
        let names = vendor.map_or(&[][..], |vendor| vendor.spooled_streams);
        streams.extend(names.iter().map(|stream| StreamName {
            source: disabled.source,
            instance: disabled.instance.as_str().to_owned(),
            stream,
        }));
    }
    streams
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MapEnvironment;

    #[test]
    fn an_instance_with_several_bad_settings_is_off_once_with_every_reason() {
        let settings = Settings::load(&MapEnvironment::from([
            ("PINGONE__ACME__REGION", "mars"),
            ("PINGONE__ACME__TABLES", "none"),
            ("ONELOGIN__BEARER_TOKEN", "a-token-of-twenty-letters"),
        ]))
        .unwrap();

        let reports = disabled_reports(&settings);

        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].stream.to_string(), "pingone/acme");
        let words: Vec<&str> = reports[0].problems.iter().map(|problem| problem.code.word()).collect();
        assert_eq!(words, ["bad_setting"; 2]);
        assert_eq!(disabled_names(&settings), ["pingone/acme"]);
    }
}
