//! Why a run failed, in one line: all that the Functions host shows of a failed invocation.

use super::problem::{ErrorCode, Problem, shortened};
use super::run::StreamReport;

/// The longest line, in bytes.
const LONGEST: usize = 200;

/// The first problem, and how many more streams failed; `None` if none did:
/// `<subject>: <code> (<status>): <what to do>, and 3 more`
pub fn failure_reason(streams: &[StreamReport]) -> Option<String> {
    let mut failed = streams.iter().filter(|stream| stream.has_failed());
    let first = failed.next()?;
    let more = match failed.count() {
        0 => String::new(),
        count => format!(", and {count} more"),
    };
    Some(format!("{}{more}", shortened(&reason_of(first), LONGEST - more.len())))
}

fn reason_of(report: &StreamReport) -> String {
    let subject = &report.stream;
    let Some(problem) = report.problems.first() else {
        return format!("{subject}: failed");
    };
    let status = problem.status().map(|status| format!(" ({status})"));
    let action = action(problem, &subject.to_string());
    format!(
        "{subject}: {}{}: {action}",
        problem.code.word(),
        status.unwrap_or_default()
    )
}

fn action(problem: &Problem, subject: &str) -> String {
    match problem.code {
        ErrorCode::CredentialsRejected => match problem.credential_setting() {
            Some(setting) => format!("renew {setting}"),
            None => problem.remedy().to_owned(),
        },
        // Their messages say which setting, and what is wrong with it.
        ErrorCode::BadSetting | ErrorCode::SecretUnresolved => {
            let text = problem.message.strip_prefix(subject).unwrap_or(&problem.message);
            text.trim_start_matches([':', ' ']).to_owned()
        }
        _ => problem.remedy().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::StreamName;
    use crate::report::{Cause, ReportSubject};
    use crate::sources::{Remedy, SourceError};

    fn stream(name: &'static str) -> StreamName {
        StreamName {
            source: "sentinelone",
            instance: "default".to_owned(),
            stream: name,
        }
    }

    fn refused(name: &'static str, status: u16, remedy: impl Into<Remedy>) -> StreamReport {
        let error = SourceError::Refused {
            asked: "the threats endpoint",
            status,
            code: None,
            remedy: remedy.into(),
        };
        let name = stream(name);
        StreamReport::failed(&name, error.of(&name).problem())
    }

    #[test]
    fn the_first_failed_stream_is_named_with_the_setting_to_renew_and_the_others_are_counted() {
        let remedy = Remedy::renew("SENTINELONE__API_TOKEN".to_owned(), |setting| {
            format!("not the one in ANOTHER__TOKEN has expired, but {setting}")
        });
        let well = || StreamReport::new(stream("groups"));
        assert_eq!(failure_reason(&[well()]), None);
        let one = vec![well(), refused("threats", 401, remedy)];
        let expected = "sentinelone/default/threats: credentials_rejected (401): renew SENTINELONE__API_TOKEN";
        assert_eq!(failure_reason(&one).unwrap(), expected);
        let three = [one.clone(), vec![refused("users", 500, ""), refused("alerts", 403, "")]].concat();
        assert_eq!(failure_reason(&three).unwrap(), format!("{expected}, and 2 more"));
    }

    #[test]
    fn a_setting_that_the_text_of_a_remedy_names_is_not_taken_for_the_credential() {
        let one = refused(
            "threats",
            401,
            "check SENTINELONE__URL; SENTINELONE__API_TOKEN was just accepted",
        );
        assert_eq!(
            failure_reason(&[one]).unwrap(),
            "sentinelone/default/threats: credentials_rejected (401): check SENTINELONE__URL; SENTINELONE__API_TOKEN was \
             just accepted"
        );
    }

    #[test]
    fn a_long_remedy_is_cut_and_the_count_stays() {
        let streams = vec![
            refused("threats", 403, "give it a role ".repeat(30)),
            refused("users", 403, ""),
        ];
        let reason = failure_reason(&streams).unwrap();
        assert!(reason.len() <= LONGEST, "{reason}");
        assert!(reason.starts_with("sentinelone/default/threats: permission_denied (403): give it a role"));
        assert!(reason.ends_with(" ..., and 1 more"), "{reason}");
    }

    #[test]
    fn a_bad_setting_is_named() {
        let subject = ReportSubject::Instance {
            source: "pingone",
            instance: "acme".to_owned(),
        };
        let message = format!("{subject}: PINGONE__ACME__REGION must be one of com, eu");
        let off = StreamReport::failed(subject, Problem::new(ErrorCode::BadSetting, message));
        assert_eq!(
            failure_reason(&[off]).unwrap(),
            "pingone/acme: bad_setting: PINGONE__ACME__REGION must be one of com, eu"
        );
    }
}
