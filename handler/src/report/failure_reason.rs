//! Why a run failed, in one line: all that the Functions host shows of a failed invocation.

use super::problem::{ErrorCode, Problem, shortened};
use super::run::StreamReport;

/// The longest line, in bytes.
const LONGEST: usize = 200;
/// What settings that hold a credential end with.
const CREDENTIALS: [&str; 3] = ["TOKEN", "SECRET", "PASSWORD"];

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
        ErrorCode::CredentialsRejected => match credential_setting(problem.remedy()) {
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

/// The setting of the credential that a remedy names.
fn credential_setting(remedy: &str) -> Option<&str> {
    let is_of_a_name =
        |character: char| character.is_ascii_uppercase() || character.is_ascii_digit() || character == '_';
    let mut words = remedy.split(|character| !is_of_a_name(character));
    words.find(|word| word.contains("__") && CREDENTIALS.iter().any(|end| word.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::StreamName;
    use crate::report::{Cause, ReportSubject};
    use crate::sources::SourceError;

    fn stream(name: &'static str) -> StreamName {
        StreamName {
            source: "sentinelone",
            instance: "default".to_owned(),
            stream: name,
        }
    }

    fn refused(name: &'static str, status: u16, remedy: &str) -> StreamReport {
        let error = SourceError::Refused {
            asked: "the threats endpoint",
            status,
            code: None,
            remedy: remedy.to_owned(),
        };
        let name = stream(name);
        StreamReport::failed(&name, error.of(&name).problem())
    }

    #[test]
    fn the_first_failed_stream_is_named_with_the_setting_to_renew_and_the_others_are_counted() {
        let remedy = "it may have expired: create a new one (Settings > Users) and put it into SENTINELONE__API_TOKEN, \
                      and check SENTINELONE__URL";
        let well = || StreamReport::new(stream("groups"));
        assert_eq!(failure_reason(&[well()]), None);
        let one = vec![well(), refused("threats", 401, remedy)];
        let expected = "sentinelone/default/threats: credentials_rejected (401): renew SENTINELONE__API_TOKEN";
        assert_eq!(failure_reason(&one).unwrap(), expected);
        let three = [one.clone(), vec![refused("users", 500, ""), refused("alerts", 403, "")]].concat();
        assert_eq!(failure_reason(&three).unwrap(), format!("{expected}, and 2 more"));
    }

    #[test]
    fn a_long_remedy_is_cut_and_the_count_stays() {
        let streams = vec![
            refused("threats", 403, &"give it a role ".repeat(30)),
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
