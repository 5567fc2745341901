//! Answers in the vendor's forms.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::{Value, json};

/// An answer in the making.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    /// 0 where the connection is cut instead.
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) retry_after: Option<u64>,
    pub(super) body: Vec<u8>,
    pub(super) delay: Option<Duration>,
    pub(super) cut: bool,
}

impl Reply {
    /// JSON text.
    pub(super) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Reply {
            status,
            content_type: "application/json",
            retry_after: None,
            body: body.into(),
            delay: None,
            cut: false,
        }
    }

    /// An error of the management API: `{id, code, message, details?}` (vendor: error codes).
    pub(super) fn error(id: &str, status: u16, message: &str, target: Option<&str>) -> Self {
        let code = code_of(status);
        let mut body = json!({"id": id, "code": code, "message": message});
        if let Some(target) = target {
            let detail = json!({"code": "INVALID_VALUE", "target": target, "message": message});
            body["details"] = Value::from(vec![detail]);
        }
        Self::json(status, body.to_string())
    }

    /// An error of the token endpoint (RFC 6749, 5.2).
    pub(super) fn token_error(status: u16, error: &str, description: &str) -> Self {
        let body = json!({"error": error, "error_description": description});
        Self::json(status, body.to_string())
    }

    /// A page of markup under a good status.
    pub(super) fn html() -> Self {
        let page = "<!doctype html><html><body><h1>One moment</h1></body></html>";
        Reply {
            content_type: "text/html; charset=utf-8",
            ..Self::json(200, page.to_owned())
        }
    }

    /// No answer at all.
    pub(super) fn cut() -> Self {
        Reply {
            cut: true,
            ..Self::json(0, String::new())
        }
    }

    pub(super) fn into_response(self) -> HttpResponse {
        // A cut connection still needs a value here; it is written to nobody.
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        response.content_type(self.content_type);
        if let Some(seconds) = self.retry_after {
            response.insert_header(("Retry-After", seconds.to_string()));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header(("WWW-Authenticate", "Bearer"));
        }
        response.body(self.body)
    }
}

/// The vendor's word for a status.
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
