//! Errors in the vendor's form.

use serde_json::json;

use crate::service::Reply;

/// Everything about an error stands under `status`.
pub(super) fn error(status: u16, message: &str) -> Reply {
    let kind = match status {
        400 => "bad request",
        401 => "Unauthorized",
        404 => "not found",
        429 => "too many requests",
        _ => "error",
    };
    let status_part = json!({"error": true, "code": status, "type": kind, "message": message});
    Reply::json(status, json!({ "status": status_part }).to_string())
}
