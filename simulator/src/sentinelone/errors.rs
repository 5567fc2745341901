//! Errors in the vendor's form.

use serde_json::json;

use crate::service::Reply;

/// An error in the vendor's form (swagger; 5000010 seen live).
pub(super) fn error(status: u16, detail: &str) -> Reply {
    let title = match status {
        400 => "Validation Error",
        401 => "Authentication Failed",
        403 => "Insufficient permissions",
        404 => "Not found",
        429 => "Too many requests",
        500.. => "Internal server error",
        _ => "Refused",
    };
    let code = u32::from(status) * 10_000 + 10;
    let body = json!({"errors": [{"code": code, "detail": detail, "title": title}]});
    Reply::json(status, body.to_string())
}
