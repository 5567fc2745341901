//! Error answers: `{"error":{"code","message"}}`.

use serde_json::json;

use crate::service::Reply;

/// Why a call is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct CallRefusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) retry_after: Option<u64>,
}

impl CallRefusal {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        CallRefusal {
            status,
            code: code.to_owned(),
            message: message.into(),
            retry_after: None,
        }
    }

    pub(super) fn token() -> Self {
        Self::new(
            401,
            "InvalidToken",
            "The token is missing, unknown or for another audience.",
        )
    }

    /// A missing role: the service's code and its markers, in a sentence of our own.
    pub(super) fn no_access(rule_id: &str) -> Self {
        Self::new(
            403,
            "OperationFailed",
            format!(
                "This identity may not send rows to the rule with immutable Id '{rule_id}'. \
                 PipelineAccessResult: AccessGranted: False, IsRbacPresent: False."
            ),
        )
    }

    pub(super) fn unknown_rule(rule_id: &str) -> Self {
        Self::new(
            404,
            "NotFound",
            format!("There is no rule with immutable Id '{rule_id}' here."),
        )
    }

    /// A body over the limit: the service's code, and both numbers as it gives them.
    pub(super) fn too_large(limit: usize, bytes: usize) -> Self {
        Self::new(
            413,
            "ContentLengthLimitExceeded",
            format!("The body has {bytes} bytes; {limit} bytes (1 MB) are allowed."),
        )
    }

    pub(super) fn reply(self) -> Reply {
        let body = json!({"error": {"code": self.code, "message": self.message}});
        Reply::json(self.status, body.to_string()).with_retry_after(self.retry_after)
    }
}
