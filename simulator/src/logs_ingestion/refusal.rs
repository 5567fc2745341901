//! Error answers: `{"error":{"code","message"}}`.

use serde_json::json;

use crate::service::Reply;

pub(super) fn refusal(status: u16, code: &str, message: impl Into<String>) -> Reply {
    let body = json!({"error": {"code": code, "message": message.into()}});
    Reply::json(status, body.to_string())
}

pub(super) fn refused_token() -> Reply {
    refusal(
        401,
        "InvalidToken",
        "The token is missing, unknown or for another audience.",
    )
}

/// A missing role: the service's code and its markers, in a sentence of our own.
pub(super) fn no_access(rule_id: &str) -> Reply {
    refusal(
        403,
        "OperationFailed",
        format!(
            "This identity may not send rows to the rule with immutable Id '{rule_id}'. \
             PipelineAccessResult: AccessGranted: False, IsRbacPresent: False."
        ),
    )
}

pub(super) fn unknown_rule(rule_id: &str) -> Reply {
    refusal(
        404,
        "NotFound",
        format!("There is no rule with immutable Id '{rule_id}' here."),
    )
}

/// A body over the limit: the service's code, and both numbers as it gives them.
pub(super) fn too_large(limit: usize, bytes: usize) -> Reply {
    refusal(
        413,
        "ContentLengthLimitExceeded",
        format!("The body has {bytes} bytes; {limit} bytes (1 MB) are allowed."),
    )
}
