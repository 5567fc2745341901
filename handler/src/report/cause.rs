//! Errors of every layer -> the problem that a report shows.

use std::fmt::Display;

use super::problem::{ErrorCode, Problem};
use crate::delivery::TableWriteError;
use crate::destination::DeliveryError;
use crate::sources::{SourceError, StreamError, TOKEN_ENDPOINT, TimeEnd};
use crate::state::{SpoolError, StoreError};

/// An error that can say its code.
pub trait Cause: Display {
    /// The word for it, and what to do, where the error holds that by itself.
    fn code_and_remedy(&self) -> (ErrorCode, Option<&str>);

    /// The word alone.
    fn code(&self) -> ErrorCode {
        self.code_and_remedy().0
    }

    /// The part of its text that is the same for all streams that fail for this reason.
    fn shared_text(&self) -> Option<String> {
        None
    }

    /// The HTTP status number, where an answer is the cause.
    fn status(&self) -> Option<u16> {
        None
    }

    /// The setting of the credential to renew, if that is what to do.
    fn credential_setting(&self) -> Option<&str> {
        None
    }

    /// As a problem that says what the error says.
    fn problem(&self) -> Problem {
        self.problem_saying(self.to_string()).sharing(self.shared_text())
    }

    /// As a problem that says more.
    fn problem_saying(&self, message: String) -> Problem {
        let (code, remedy) = self.code_and_remedy();
        Problem::new(code, message)
            .with_remedy(remedy)
            .with_status(self.status())
            .with_credential_setting(self.credential_setting())
    }
}

impl Cause for StreamError<'_> {
    fn code_and_remedy(&self) -> (ErrorCode, Option<&str>) {
        code_and_remedy_of(self.error)
    }

    fn shared_text(&self) -> Option<String> {
        Some(self.error.without_endpoint())
    }

    fn status(&self) -> Option<u16> {
        status_of(self.error)
    }

    fn credential_setting(&self) -> Option<&str> {
        credential_setting_of(self.error)
    }
}

fn code_and_remedy_of(error: &SourceError) -> (ErrorCode, Option<&str>) {
    let code = match error {
        SourceError::Refused { status: 401, .. } => ErrorCode::CredentialsRejected,
        // A 400 from there is about the credential (RFC 6749, 5.2).
        SourceError::Refused { status: 400, asked, .. } if *asked == TOKEN_ENDPOINT => ErrorCode::CredentialsRejected,
        SourceError::Refused { status: 403, .. } => ErrorCode::PermissionDenied,
        SourceError::Refused { .. } => ErrorCode::VendorRefused,
        SourceError::OutOfTime {
            end: TimeEnd::After(failure),
            kept_failing: true,
        } => return code_and_remedy_of(failure),
        SourceError::Unavailable { .. }
        | SourceError::Throttled { .. }
        | SourceError::OutOfTime { kept_failing: true, .. } => ErrorCode::VendorUnavailable,
        SourceError::NoWholeReply { .. } => ErrorCode::PossibleLoss,
        SourceError::OutOfTime { .. } | SourceError::ShareUsed | SourceError::Stopped => ErrorCode::BudgetEnded,
        SourceError::BadPage { .. } | SourceError::WebPage { .. } => ErrorCode::VendorBadPage,
        SourceError::ForeignLink { .. } => ErrorCode::ForeignLink,
    };
    match error {
        SourceError::Refused { remedy, .. } => (code, Some(remedy.text())),
        SourceError::Throttled { remedy, .. } | SourceError::WebPage { remedy, .. } => (code, Some(remedy)),
        _ => (code, None),
    }
}

fn status_of(error: &SourceError) -> Option<u16> {
    match error {
        SourceError::Refused { status, .. } | SourceError::BadPage { status, .. } => Some(*status),
        SourceError::OutOfTime {
            end: TimeEnd::After(failure),
            ..
        } => status_of(failure),
        _ => None,
    }
}

fn credential_setting_of(error: &SourceError) -> Option<&str> {
    match error {
        SourceError::Refused { remedy, .. } => remedy.credential_setting(),
        SourceError::OutOfTime {
            end: TimeEnd::After(failure),
            ..
        } => credential_setting_of(failure),
        _ => None,
    }
}

impl Cause for DeliveryError {
    fn code_and_remedy(&self) -> (ErrorCode, Option<&str>) {
        let unavailable = ErrorCode::DestinationUnavailable;
        match self {
            Self::Refused(refusal) | Self::NothingTaken(refusal) => {
                (ErrorCode::DestinationRefused, Some(&refusal.remedy))
            }
            Self::Identity { .. } => (ErrorCode::IdentityUnavailable, None),
            Self::Unavailable { .. } | Self::OutOfTime { .. } => (unavailable, None),
            Self::Directory { .. } => (unavailable, Some("check DESTINATION_DIR and the space on its disk")),
        }
    }

    /// Without the rows, the table and the request.
    fn shared_text(&self) -> Option<String> {
        match self {
            Self::Refused(refusal) | Self::NothingTaken(refusal) => {
                let code = refusal.code.as_ref().map(|code| format!(" ({code})"));
                Some(format!(
                    "the Logs Ingestion API answered {}{}: {}",
                    refusal.status,
                    code.unwrap_or_default(),
                    refusal.remedy
                ))
            }
            Self::Identity { reason, .. } => Some(format!("no rows were sent: {reason}")),
            Self::Unavailable { .. } | Self::OutOfTime { .. } | Self::Directory { .. } => None,
        }
    }

    fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) | Self::NothingTaken(refusal) => Some(refusal.status),
            _ => None,
        }
    }
}

impl Cause for StoreError {
    fn code_and_remedy(&self) -> (ErrorCode, Option<&str>) {
        let code = match self {
            // Written by somebody else in the meantime: the lease was not ours any more.
            Self::LeaseLost { .. } | Self::Conflict { .. } => ErrorCode::LeaseLost,
            Self::OutOfTime { .. } => ErrorCode::BudgetEnded,
            Self::Backend { .. } | Self::UnknownVersion { .. } | Self::Damaged { .. } => ErrorCode::StateUnavailable,
        };
        (code, self.remedy())
    }

    fn shared_text(&self) -> Option<String> {
        match self {
            Self::Backend { reason, place, .. } => Some(format!(
                "the state store cannot be used ({reason}): check that STATE_URL ({place}) can be reached and written"
            )),
            _ => None,
        }
    }
}

impl Cause for SpoolError {
    fn code_and_remedy(&self) -> (ErrorCode, Option<&str>) {
        match self {
            Self::Store(error) => error.code_and_remedy(),
            Self::Full { .. } => (ErrorCode::SpoolFull, None),
        }
    }

    fn shared_text(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.shared_text(),
            Self::Full { .. } => None,
        }
    }
}

impl Cause for TableWriteError {
    fn code_and_remedy(&self) -> (ErrorCode, Option<&str>) {
        match self {
            Self::Delivery(error) => error.code_and_remedy(),
            Self::Store(error) => error.code_and_remedy(),
            Self::TooManyEvents => (ErrorCode::Internal, Some("make POLL_OVERLAP shorter")),
        }
    }

    fn shared_text(&self) -> Option<String> {
        match self {
            Self::Delivery(error) => error.shared_text(),
            Self::Store(error) => error.shared_text(),
            Self::TooManyEvents => None,
        }
    }

    fn status(&self) -> Option<u16> {
        match self {
            Self::Delivery(error) => error.status(),
            Self::Store(_) | Self::TooManyEvents => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::StreamName;

    #[test]
    fn a_refusal_says_whether_the_credential_or_the_permission_is_at_fault() {
        for (status, asked, expected) in [
            (401, "the activities", ErrorCode::CredentialsRejected),
            (400, TOKEN_ENDPOINT, ErrorCode::CredentialsRejected),
            (401, TOKEN_ENDPOINT, ErrorCode::CredentialsRejected),
            (403, TOKEN_ENDPOINT, ErrorCode::PermissionDenied),
            (400, "the activities", ErrorCode::VendorRefused),
            (403, "the activities", ErrorCode::PermissionDenied),
            (404, TOKEN_ENDPOINT, ErrorCode::VendorRefused),
        ] {
            let stream = StreamName {
                source: "pingone",
                instance: "default".to_owned(),
                stream: "activities",
            };
            let error = SourceError::Refused {
                asked,
                status,
                code: None,
                remedy: "renew it".into(),
            };
            let problem = error.of(&stream).problem();
            assert_eq!((problem.code, problem.remedy()), (expected, "renew it"), "{asked}");
            let is_rejected = expected != ErrorCode::VendorRefused;
            assert_eq!(problem.code.is_about_credential(), is_rejected, "{status} {asked}");
        }
    }
}
