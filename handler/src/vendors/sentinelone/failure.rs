//! What a refusal says, and what to do about it.

use serde_json::Value;

use crate::http::{Reply, error_code};
use crate::json::{lossy_text, member};
use crate::sources::Remedy;

const LONGEST_TITLE: usize = 100;
/// Longer words are no words: tokens look like that.
const LONGEST_WORD: usize = 24;

/// Code and title of the first error in an `errors` member that has one of them. The free text beside them is left
/// out: a console repeats parameters in it.
pub fn first_error(errors: &str) -> Option<String> {
    errors_in(errors).iter().find_map(code_and_title)
}

/// The errors of an answer: usually a list; some servers in between send one object, or a text. Null, an empty list
/// and errors that say nothing (`[{}]`) are none.
pub fn errors_in(errors: &str) -> Vec<Value> {
    let list = match serde_json::from_str(errors) {
        Ok(Value::Array(list)) => list,
        Ok(one) => vec![one],
        Err(_) => Vec::new(),
    };
    list.into_iter().filter(says_something).collect()
}

fn says_something(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::Object(members) => !members.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::String(text) => !text.trim().is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// What the errors of an answer say, if there are any, so that it may be shown.
pub fn said(errors: Option<&str>) -> Option<String> {
    let errors = errors_in(errors?);
    let first = errors.first()?;
    let words = errors.iter().find_map(code_and_title);
    Some(words.unwrap_or_else(|| said_by(first)))
}

/// What one error says, so that it may be shown.
pub fn said_by(error: &Value) -> String {
    code_and_title(error)
        .unwrap_or_else(|| format!("one without code and title, {} bytes long", error.to_string().len()))
}

fn code_and_title(error: &Value) -> Option<String> {
    if error.is_string() {
        return harmless_title(error);
    }
    let extension = |key: &str| error.pointer(&format!("/extensions/{key}"));
    let codes = [error.get("code"), extension("code"), extension("classification")];
    let code = codes.into_iter().flatten().find_map(word);
    // GraphQL has a message where REST has a title.
    let titles = [error.get("title"), error.get("message")];
    let title = titles.into_iter().flatten().find_map(harmless_title);
    match (code, title) {
        (Some(code), Some(title)) => Some(format!("{code} {title}")),
        (code, title) => code.or(title),
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => harmless_title(value).filter(|_| !text.contains(' ')),
        _ => None,
    }
}

fn harmless_title(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    let is_plain = |character: char| character.is_ascii_alphanumeric() || " .,;:()'_-".contains(character);
    let is_harmless = (1..=LONGEST_TITLE).contains(&text.len())
        && text.chars().all(is_plain)
        && text.split(' ').all(|word| word.len() <= LONGEST_WORD);
    is_harmless.then(|| text.to_owned())
}

/// The vendor's error code of a refusal, if it gave one.
pub fn code_of(reply: &Reply) -> Option<String> {
    let (text, _) = lossy_text(reply.body.clone());
    member(&text, "errors")
        .and_then(first_error)
        .or_else(|| error_code(&reply.body))
}

/// What to do about a status that will come again; the same for all streams, so that it is said once. `prefix` begins
/// the names of the settings.
pub fn remedy(status: u16, prefix: &str) -> Remedy {
    match status {
        401 => Remedy::renew(format!("{prefix}API_TOKEN"), |setting| {
            format!(
                "the API token is not accepted; it may have expired or been revoked: create a new one for a service user \
                 (Settings > Users > Service Users) and put it into {setting}, and check that {prefix}URL is that user's \
                 console"
            )
        }),
        _ => other_remedy(status, prefix).into(),
    }
}

fn other_remedy(status: u16, prefix: &str) -> String {
    match status {
        403 => format!(
            "give the service user of {prefix}API_TOKEN a role that may view threats, alerts, activities, endpoints (agents) \
             and groups, on the account or site that is to be read, or leave out of {prefix}STREAMS what this console or \
             its licence does not offer"
        ),
        404 => format!(
            "no such endpoint there; check that {prefix}URL is the address of the console, and leave out of \
             {prefix}STREAMS what this console does not offer (consoles on own premises have no cloud detection alerts)"
        ),
        300..=399 => format!("redirects are not followed; check {prefix}URL"),
        _ => "the request was refused; if this lasts, report it with this line".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_title_are_taken_and_free_text_is_not() {
        for (errors, said) in [
            (
                r#"[{"code":4000010,"title":"Bad parameter given","detail":"String cannot contain spaces","params":{"token":"x"}}]"#,
                Some("4000010 Bad parameter given"),
            ),
            (
                r#"[{},{"title":"Authentication Failed"}]"#,
                Some("Authentication Failed"),
            ),
            (
                r#"[{"message":"Field does not exist","extensions":{"classification":"ValidationError"}}]"#,
                Some("ValidationError Field does not exist"),
            ),
            (
                r#"[{"code":"E1","title":"refused eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0"}]"#,
                Some("E1"),
            ),
            (r#"[{"title":"<b>no</b>"}]"#, None),
            (r#"[{"title":""}]"#, None),
            ("[{}]", None),
            ("[7]", None),
            ("{}", None),
            (r#"{"code":7,"title":"No"}"#, Some("7 No")),
            (r#""not now""#, Some("not now")),
            ("null", None),
        ] {
            assert_eq!(first_error(errors).as_deref(), said, "{errors}");
        }
    }

    #[test]
    fn the_remedy_names_the_setting_to_change() {
        for (status, setting) in [
            (401, "SENTINELONE__ACME__API_TOKEN"),
            (403, "SENTINELONE__ACME__API_TOKEN"),
            (403, "SENTINELONE__ACME__STREAMS"),
            (404, "SENTINELONE__ACME__URL"),
            (302, "SENTINELONE__ACME__URL"),
        ] {
            let remedy = remedy(status, "SENTINELONE__ACME__").to_string();
            assert!(remedy.contains(setting), "{status}: {remedy}");
        }
    }
}
