//! What is configured and does not run.

use crate::config::{OffCause, OffPart, Settings, SwitchedOff};
use crate::event::StreamName;
use crate::report::{ErrorCode, Problem, ReportSubject, StreamReport};

/// What is configured and does not run, one report for each instance with all its reasons: it must not look as if all
/// were well.
pub fn off_reports(settings: &Settings) -> Vec<StreamReport> {
    let mut off: Vec<StreamReport> = Vec::new();
    for switched_off in &settings.switched_off {
        let instance = instance_of(switched_off);
        let problem = problem_of(&instance, switched_off);
        match off.iter_mut().find(|report| report.stream == instance) {
            Some(report) => report.problems.push(problem),
            None => off.push(StreamReport::disabled(instance, problem)),
        }
    }
    off
}

/// The names of the instances that are off, each once.
pub fn off_names(settings: &Settings) -> Vec<String> {
    let mut names: Vec<String> = settings
        .switched_off
        .iter()
        .map(|switched_off| instance_of(switched_off).to_string())
        .collect();
    names.dedup();
    names
}

fn instance_of(switched_off: &SwitchedOff) -> ReportSubject {
    ReportSubject::Instance {
        source: switched_off.source,
        instance: switched_off.instance.as_str().to_owned(),
    }
}

fn problem_of(instance: &ReportSubject, switched_off: &SwitchedOff) -> Problem {
    let part = match switched_off.part {
        OffPart::Poll => "polling",
        OffPart::Push => "push",
        OffPart::Whole => "everything",
    };
    let code = match switched_off.cause {
        OffCause::UnresolvedReference => ErrorCode::SecretUnresolved,
        OffCause::BadSetting => ErrorCode::BadSetting,
    };
    let message = format!("{instance}: {part} is switched off: {}", switched_off.reason);
    Problem::new(code, message)
}

/// The streams of what does not run for which something may wait in the spool.
pub fn off_streams(settings: &Settings) -> Vec<StreamName> {
    let mut streams = Vec::new();
    for switched_off in &settings.switched_off {
        let names: &[&'static str] = match switched_off.source {
            "pingone" => &["activities", "push"],
            "onelogin" => &["events", "push"],
            "pingone-enterprise" => &["events"],
            _ => &[],
        };
        streams.extend(names.iter().map(|stream| StreamName {
            source: switched_off.source,
            instance: switched_off.instance.as_str().to_owned(),
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

        let reports = off_reports(&settings);

        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].stream.to_string(), "pingone/acme");
        let words: Vec<&str> = reports[0].problems.iter().map(|problem| problem.code.word()).collect();
        assert_eq!(words, ["bad_setting"; 2]);
        assert_eq!(off_names(&settings), ["pingone/acme"]);
    }
}
