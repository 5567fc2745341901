//! An instance that is configured and cannot run.

use std::fmt;

use crate::config::DisabledPart;
use crate::report::{ErrorCode, Outcome, Problem, ReportSubject, StreamReport};

#[derive(Clone, Debug)]
pub struct DisabledInstance {
    pub subject: ReportSubject,
    pub reasons: Vec<DisabledReason>,
}

/// Why something of an instance is disabled. Its text says what is, and why, and does not name the instance.
#[derive(Clone, Debug)]
pub struct DisabledReason {
    pub part: DisabledPart,
    /// For rules.
    pub code: ErrorCode,
    /// What failed and what to do about it.
    pub text: String,
}

impl fmt::Display for DisabledReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            DisabledPart::Poll => "polling",
            DisabledPart::Push => "push",
            DisabledPart::Whole => "everything",
        };
        write!(formatter, "{part} is switched off: {}", self.text)
    }
}

impl DisabledInstance {
    /// As a run reports it: it must not look as if all were well.
    pub fn report(&self) -> StreamReport {
        let reasons = self.reasons.iter();
        let problems = reasons.map(|reason| Problem::new(reason.code, format!("{}: {reason}", self.subject)));
        StreamReport {
            outcome: Outcome::Off,
            problems: problems.collect(),
            ..StreamReport::new(self.subject.clone())
        }
    }

    /// All reasons in one line. That everything is disabled is said once.
    pub fn summary(&self) -> String {
        let reasons = self.reasons.iter().enumerate();
        let texts = reasons.map(|(number, reason)| match reason.part {
            DisabledPart::Whole if number > 0 => reason.text.clone(),
            _ => format!("{}: {reason}", self.subject),
        });
        texts.collect::<Vec<String>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_once_that_everything_is_disabled() {
        let reason = |part, text: &str| DisabledReason {
            part,
            code: ErrorCode::BadSetting,
            text: text.to_owned(),
        };
        let instance = |reasons| DisabledInstance {
            subject: ReportSubject::Instance {
                source: "pingone",
                instance: "acme".to_owned(),
            },
            reasons,
        };
        let whole = instance(vec![
            reason(DisabledPart::Whole, "A is bad"),
            reason(DisabledPart::Whole, "B is bad"),
        ]);
        assert_eq!(
            whole.summary(),
            "pingone/acme: everything is switched off: A is bad; B is bad"
        );
        let parts = instance(vec![
            reason(DisabledPart::Poll, "A is bad"),
            reason(DisabledPart::Push, "B is bad"),
        ]);
        assert_eq!(
            parts.summary(),
            "pingone/acme: polling is switched off: A is bad; pingone/acme: push is switched off: B is bad"
        );
        let messages: Vec<String> = whole.report().problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            [
                "pingone/acme: everything is switched off: A is bad",
                "pingone/acme: everything is switched off: B is bad"
            ]
        );
    }
}
