//! Error replies in the vendor's forms.

use serde_json::{Value, json};

use crate::access_tokens::TokenRefusal;
use crate::service::Reply;

/// An error of the management API: `{id, code, message, details?}` (vendor: error codes).
pub(super) fn api_error(id: &str, status: u16, message: &str, target: Option<&str>) -> Reply {
    let code = code_of(status);
    let mut body = json!({"id": id, "code": code, "message": message});
    if let Some(target) = target {
        let detail = json!({"code": "INVALID_VALUE", "target": target, "message": message});
        body["details"] = Value::from(vec![detail]);
    }
    with_challenge(Reply::json(status, body.to_string()))
}

/// An error of the token endpoint (RFC 6749, 5.2).
pub(super) fn token_error(refusal: TokenRefusal) -> Reply {
    let body = json!({"error": refusal.error, "error_description": refusal.description});
    with_challenge(Reply::json(refusal.status, body.to_string()))
}

fn with_challenge(reply: Reply) -> Reply {
    match reply.status {
        401 => reply.with_header("WWW-Authenticate", "Bearer"),
        _ => reply,
    }
}

/// The vendor's code for a status.
fn code_of(status: u16) -> &'static str {
    match status {
        400 => "INVALID_REQUEST",
        401 => "INVALID_TOKEN",
        403 => "ACCESS_FAILED",
        404 => "NOT_FOUND",
        405 => "METHOD_NOT_ALLOWED",
        429 => "REQUEST_LIMITED",
        _ => "UNEXPECTED_ERROR",
    }
}
