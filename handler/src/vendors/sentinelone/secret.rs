//! The registration token: whoever has it can add machines to a group, so it goes no further than this folder.

use std::borrow::Cow;

use crate::json::{Cursor, unquote, without_member};

/// The member that holds it.
const SECRET_MEMBER: &str = "registrationToken";
/// The same in lower case, without the letter that some write large.
const TELL_TALE: &str = "egistrationtoken";
/// What takes the place of a value that may hold it.
const WITHHELD_VALUE: &str = r#""[withheld: it may hold a registration token]""#;

/// Everything in an event that cannot be read may be the secret.
const WITHHELD: &str = "[an event that is not JSON; it may hold a registration token and is not kept]";

/// What may be kept of an event that is not JSON.
pub fn of_unreadable(event: &str) -> String {
    let kept = without_member(event, SECRET_MEMBER);
    match may_tell(&kept) {
        true => WITHHELD.to_owned(),
        false => kept.into_owned(),
    }
}

/// An event, which is JSON, without the member; a text that speaks of it, such as JSON written as text, is withheld.
pub fn removed(event: &str) -> Cow<'_, str> {
    let event = without_member(event, SECRET_MEMBER);
    match may_tell(&event) {
        true => Cow::Owned(with_texts_withheld(&event)),
        false => event,
    }
}

fn may_tell(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains(TELL_TALE) || lower.contains("\\u00")
}

/// A text as it stands in JSON. What is written with escapes within escapes is not looked through.
fn tells(quoted: &str) -> bool {
    let text = unquote(quoted).to_ascii_lowercase();
    let is_nested = text.contains("\\u00") && ["registration", "token"].iter().any(|word| text.contains(word));
    text.contains(TELL_TALE) || is_nested
}

/// Goes from text to text: outside of them, a quote begins one.
fn with_texts_withheld(event: &str) -> String {
    let mut kept = String::with_capacity(event.len());
    let mut rest = event;
    while let Some(begin) = rest.find('"') {
        let (before, from_text) = rest.split_at(begin);
        kept.push_str(before);
        let Some(text) = Cursor::new(from_text).value() else {
            break;
        };
        rest = &from_text[text.len()..];
        let value = rest.trim_ascii_start().strip_prefix(':').map(str::trim_ascii_start);
        match (tells(text), value.and_then(|value| Cursor::new(value).value())) {
            (false, _) => kept.push_str(text),
            (true, None) => kept.push_str(WITHHELD_VALUE),
            // A member of nearly that name.
            (true, Some(value)) => {
                kept.extend([text, ":", WITHHELD_VALUE]);
                let end = rest.len() - rest.trim_ascii_start()[1..].trim_ascii_start().len() + value.len();
                rest = &rest[end..];
            }
        }
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_json_that_is_written_as_text_is_withheld_and_the_rest_is_kept() {
        for event in [
            r#"{"id":"1","message":"{\"id\":7,\"registrationToken\":\"SECRETREG\"}","n":2.50}"#,
            r#"{"id":"1","a":[{"b":"RegistrationToken=SECRETREG"}, "x"],"n":2.50}"#,
            r#"{"id":"1","RegistrationTOKEN" : "SECRETREG","n":2.50}"#,
            r#"{"id":"1","registrationTokens":["SECRETREG", {"a":"SECRETREG"}] , "n":2.50}"#,
            r#"{"id":"1","registrationToken":"SECRETREG","n":2.50}"#,
            r#"{"id":"1","message":"registration\u0054oken: SECRETREG","n":2.50}"#,
            r#"{"id":"1","message":"{\"registration\\u0054oken\":\"SECRETREG\"}","n":2.50}"#,
        ] {
            let kept = removed(event);
            assert!(!kept.contains("SECRETREG"), "{event}: {kept}");
            assert!(
                kept.contains(r#""id":"1""#) && kept.contains(r#""n":2.50"#),
                "{event}: {kept}"
            );
            assert!(
                serde_json::from_str::<serde_json::Value>(&kept).is_ok(),
                "{event}: {kept}"
            );
        }
    }

    #[test]
    fn an_event_that_does_not_speak_of_it_stays_as_it_is() {
        for event in [
            r#"{"id":"1","message":"a \u00e4 \"quote\" \\","n":[1, {"a":null}]}"#,
            r#"{"registration":"token"}"#,
            "7",
            r#""text""#,
        ] {
            assert_eq!(removed(event), event);
        }
    }
}
