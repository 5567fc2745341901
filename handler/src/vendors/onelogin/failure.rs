//! What a refusal says, and what to do about it.

use serde_json::Value;

use crate::http::{Reply, error_code};
use crate::sources::Remedy;

const LONGEST_WORD: usize = 40;

/// The vendor's error code of a refusal, if it gave one. Letters only: what was sent may be repeated in a message, and ids
/// and secrets have digits.
pub fn code_of(body: &[u8]) -> Option<String> {
    // An error has its texts in `status`; its `code` there is the HTTP status again.
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = ["/status/message", "/status/type"].map(|place| parsed.pointer(place).and_then(Value::as_str));
    let mut words = said.into_iter().flatten().map(str::to_owned).chain(error_code(body));
    words.find(|word| is_word(word))
}

fn is_word(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'-';
    (1..=LONGEST_WORD).contains(&text.len()) && text.bytes().all(is_letter)
}

/// What to do about a status that will come again; the same for all streams, so that it is said once. `prefix` begins
/// the names of the settings.
pub fn remedy(status: u16, prefix: &str) -> String {
    match status {
        401 => format!(
            "a token that was just issued is refused; check that the API credential of {prefix}CLIENT_ID may read \
             events and users (Read All, for example), that it is still enabled, and that {prefix}URL is the address of its \
             account"
        ),
        403 => format!(
            "the API credential of {prefix}CLIENT_ID may not read this; create one with the scope Read All \
             (Developers > API Credentials) and put it into {prefix}CLIENT_ID and {prefix}CLIENT_SECRET"
        ),
        _ => general_remedy(status, prefix),
    }
}

/// The same, where a token was asked for.
pub fn token_remedy(status: u16, prefix: &str) -> Remedy {
    match status {
        400 | 401 | 403 => Remedy::renew(format!("{prefix}CLIENT_SECRET"), |setting| {
            format!(
                "check {prefix}CLIENT_ID and {setting}: they must be an API credential (Developers > API Credentials) of \
                 the account at {prefix}URL, and it must be enabled"
            )
        }),
        _ => general_remedy(status, prefix).into(),
    }
}

fn general_remedy(status: u16, prefix: &str) -> String {
    match status {
        404 => format!(
            "there is no API at that address; check that {prefix}URL is the address of the account, such as \
             https://<subdomain>.onelogin.com"
        ),
        300..=399 => format!("redirects are not followed; check {prefix}URL"),
        _ => "the request was refused; if this lasts, report it with this line".to_owned(),
    }
}

/// True for a refusal in whose words a cursor or the other arguments are at fault.
pub fn blames_arguments(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    ["cursor", "argument", "parameter"]
        .iter()
        .any(|word| text.contains(word))
}

/// True for the 400 that means what 429 means elsewhere.
pub fn is_rate_limit(reply: &Reply) -> bool {
    reply.status.as_u16() == 400 && code_of(&reply.body).as_deref() == Some("rate_limit_exceeded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_word_is_taken_as_the_code() {
        for (body, code) in [
            (
                r#"{"status":{"error":true,"code":400,"type":"bad request","message":"rate_limit_exceeded"}}"#,
                Some("rate_limit_exceeded"),
            ),
            (
                r#"{"status":{"error":true,"code":401,"type":"Unauthorized","message":"No such user x"}}"#,
                Some("Unauthorized"),
            ),
            (r#"{"status":{"type":"bad request","message":{"a":1}}}"#, None),
            (r#"{"status":{"message":"4f6be2c99e"}}"#, None),
            (r#"{"status":401}"#, None),
            (r#"{"error":"invalid_client"}"#, Some("invalid_client")),
            (r#"{"error":"4f6be2c99e"}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(code_of(body.as_bytes()).as_deref(), code, "{body}");
        }
    }

    #[test]
    fn the_remedy_names_the_settings_to_change() {
        let prefix = "ONELOGIN__ACME__";
        for (text, settings) in [
            (remedy(401, prefix), &["CLIENT_ID", "URL"][..]),
            (remedy(403, prefix), &["CLIENT_ID", "CLIENT_SECRET"]),
            (remedy(404, prefix), &["URL"]),
            (remedy(302, prefix), &["URL"]),
            (token_remedy(400, prefix).to_string(), &["CLIENT_ID", "CLIENT_SECRET"]),
            (token_remedy(401, prefix).to_string(), &["CLIENT_ID", "CLIENT_SECRET"]),
            (token_remedy(404, prefix).to_string(), &["URL"]),
        ] {
            for setting in settings {
                assert!(text.contains(&format!("{prefix}{setting}")), "{setting}: {text}");
            }
        }
    }
}
