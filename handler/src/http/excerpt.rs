//! What of an answer may stand in an error.

use serde::Deserialize;

use crate::config::Secret;

const EXCERPT_BYTES: usize = 1024;

/// The first 1 KiB of a body for an error's text: one line, and without the given secrets, which a server may echo.
pub fn excerpt(body: &[u8], secrets: &[&Secret]) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for secret in secrets.iter().filter(|secret| !secret.expose().is_empty()) {
        text = text.replace(secret.expose(), "[secret]");
    }
    let mut end = text.len().min(EXCERPT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect()
}

/// The machine-readable code of an error body: `code`, `error` (OAuth 2.0) or `error.code` (Azure). Only
/// a code is taken, never free text.
pub fn error_code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        code: Option<serde_json::Value>,
        error: Option<serde_json::Value>,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    let nested = body.error.as_ref().and_then(|error| error.get("code")).cloned();
    let found = body.code.or(nested).or(body.error)?;
    let word = found.as_str()?;
    let is_word = word.len() <= 60
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    (is_word && !word.is_empty()).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line_without_secrets() {
        let body = format!("<html>\nBearer abc.def {}", "é".repeat(2000));
        let text = excerpt(body.as_bytes(), &[&Secret::new("abc.def"), &Secret::new("")]);
        assert!(
            text.starts_with("<html> Bearer [secret] éé") && text.len() <= EXCERPT_BYTES,
            "{text}"
        );
    }

    #[test]
    fn only_a_word_is_taken_as_the_code() {
        for (body, code) in [
            (r#"{"code":"REQUEST_LIMITED","message":"x"}"#, Some("REQUEST_LIMITED")),
            (r#"{"error":"invalid_client"}"#, Some("invalid_client")),
            (r#"{"error":{"code":"OperationFailed"}}"#, Some("OperationFailed")),
            (r#"{"error":"a b"}"#, None),
            ("<html>", None),
            ("[]", None),
        ] {
            assert_eq!(error_code(body.as_bytes()).as_deref(), code, "{body}");
        }
    }
}
