//! A reply -> its events, also when it was cut off in the middle or is in another form than the vendor documents.

use serde_json::value::RawValue;

use super::event::says_it_is_an_event;
use super::torn::{Torn, elements, values};
use crate::event::WRAPPING_MEMBERS;
use crate::json::{Kind, key_text, kind, member, members, range_in, unquote, value_at};
use crate::sources::page::is_nothing;
use crate::sources::unreadable::{array_at, set_apart};
use crate::sources::{Page, ParsedReply, TornRest};

/// Where lists stand in an object: as push subscriptions write them, other products, and the vendor's other API.
const LISTS: [&[&str]; 5] = [
    &["events"],
    &["data"],
    &["logs"],
    &["records"],
    &["_embedded", "events"],
];
/// So deep an event is looked for in what may wrap it.
const DEEPEST: u32 = 4;

fn whole(text: String, elements: impl Fn(&str) -> Vec<&str>) -> ParsedReply {
    let ranges = elements(&text).iter().map(|part| range_in(&text, part)).collect();
    ParsedReply {
        page: Page::new(text, ranges, 0),
        rest: None,
    }
}

fn nothing() -> ParsedReply {
    whole(String::new(), |_| Vec::new())
}

fn no_list(text: String) -> ParsedReply {
    let reason = "the reply is not a JSON array".to_owned();
    ParsedReply {
        rest: Some(TornRest {
            reason,
            text,
            is_of_list: false,
        }),
        ..nothing()
    }
}

/// Reads a list of events. A reply that breaks off gives up its whole events; what follows them is the rest. One that
/// has nothing to give (`[]`, nothing at all, null, an empty object or list) leaves no rest.
pub fn parse(text: String) -> ParsedReply {
    let text = match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    };
    if text.trim().is_empty() {
        return nothing();
    }
    if is_json(&text) {
        return parse_json(text);
    }
    let mut paths = std::iter::once(&[][..]).chain(LISTS);
    if let Some(readable) = paths.find_map(|path| set_apart(&text, path, str::to_owned)) {
        return parse_json(readable);
    }
    parse_torn(text)
}

fn parse_json(text: String) -> ParsedReply {
    if kind(&text) == Kind::Array {
        return whole(text, array_elements);
    }
    if is_nothing(&text) {
        return nothing();
    }
    if kind(&text) != Kind::Object {
        return no_list(text);
    }
    let values: Vec<&str> = LISTS.iter().filter_map(|path| value_at(&text, path)).collect();
    let has_list = values.iter().any(|value| holds_elements(value));
    if has_list && !says_it_is_an_event(&text) {
        return whole(text, |text| {
            let lists = LISTS.iter().filter_map(|path| value_at(text, path));
            let mut lists = lists.filter(|list| holds_elements(list));
            lists.next().map(array_elements).unwrap_or_default()
        });
    }
    if holds_event(&text, DEEPEST) {
        return whole(text, |text| vec![text.trim()]);
    }
    match !values.is_empty() && values.iter().all(|value| is_nothing(value)) && !has_error(&text) {
        true => nothing(),
        false => no_list(text),
    }
}

fn parse_torn(text: String) -> ParsedReply {
    let trimmed = text.trim_start();
    let begins_whole = !values(trimmed).whole.is_empty() && is_first_whole(trimmed);
    let list = LISTS.iter().find_map(|path| Some((array_at(&text, path)?, path.len())));
    let torn = match list {
        _ if trimmed.starts_with('[') && !begins_whole => elements(&text, text.len() - trimmed.len() + 1, ""),
        Some((begin, depth)) if !begins_whole => elements(&text, begin + 1, &"}".repeat(depth)),
        _ => {
            let mut lines = values(&text);
            let mut whole = Vec::new();
            for value in lines.whole {
                match kind(value) {
                    Kind::Array => whole.extend(array_elements(value)),
                    _ => whole.push(value),
                }
            }
            lines.whole = whole;
            if !lines.whole.iter().any(|value| holds_event(value, DEEPEST)) {
                return no_list(text);
            }
            lines
        }
    };
    of_torn(&torn, &text)
}

fn of_torn(torn: &Torn<'_>, text: &str) -> ParsedReply {
    let mut page = String::with_capacity(text.len());
    let mut ranges = Vec::with_capacity(torn.whole.len() + torn.unreadable.len());
    let unreadable = torn
        .unreadable
        .iter()
        .map(|part| serde_json::Value::from(*part).to_string());
    for part in torn.whole.iter().map(|part| (*part).to_owned()).chain(unreadable) {
        let begin = page.len();
        page.push_str(&part);
        ranges.push(begin..page.len());
    }
    let rest = torn.rest.map(|rest| {
        let (whole, at) = (torn.whole.len(), range_in(text, rest).start);
        TornRest {
            reason: format!("the reply breaks off after {whole} whole events, at byte {at}"),
            text: rest.to_owned(),
            is_of_list: true,
        }
    });
    ParsedReply {
        page: Page::new(page, ranges, 0),
        rest,
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

fn is_first_whole(text: &str) -> bool {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    values.next().is_some_and(|value| value.is_ok())
}

fn array_elements(array: &str) -> Vec<&str> {
    let elements = serde_json::from_str::<Vec<&RawValue>>(array).unwrap_or_default();
    elements.into_iter().map(RawValue::get).collect()
}

fn holds_elements(value: &str) -> bool {
    kind(value) == Kind::Array && !array_elements(value).is_empty()
}

/// True if a value is an event, or wraps one.
fn holds_event(value: &str, levels_left: u32) -> bool {
    let Some(deeper) = levels_left.checked_sub(1) else {
        return false;
    };
    match kind(value) {
        Kind::Object => {
            let mut wrapped = members(value).filter(|(key, _)| WRAPPING_MEMBERS.contains(&&*key_text(key)));
            says_it_is_an_event(value) || wrapped.any(|(_, value)| holds_event(value, deeper))
        }
        Kind::Array => array_elements(value).iter().any(|element| holds_event(element, deeper)),
        Kind::String => {
            let text = unquote(value);
            matches!(kind(&text), Kind::Object | Kind::Array) && is_json(&text) && holds_event(&text, deeper)
        }
        _ => false,
    }
}

fn has_error(object: &str) -> bool {
    let mut errors = ["error", "errors"].iter().filter_map(|key| member(object, key));
    errors.any(|error| !is_nothing(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Vec<String>, Option<String>) {
        let parsed = parse(text.to_owned());
        (
            parsed.page.events().map(str::to_owned).collect(),
            parsed.rest.map(|rest| rest.text),
        )
    }

    #[test]
    fn a_whole_array_leaves_no_rest() {
        assert_eq!(parsed("[]"), (vec![], None));
        assert_eq!(
            parsed(" [{\"a\":1}, 2]\n"),
            (vec!["{\"a\":1}".to_owned(), "2".to_owned()], None)
        );
    }

    #[test]
    fn a_torn_array_gives_up_its_whole_events_and_the_rest_is_kept() {
        let text = r#"[{"id":"a"},{"id":"b]"} , {"id":"c"#;
        assert_eq!(
            parsed(text),
            (
                vec![r#"{"id":"a"}"#.to_owned(), r#"{"id":"b]"}"#.to_owned()],
                Some(r#" {"id":"c"#.to_owned())
            )
        );
        for cut in 0..text.len() {
            let (events, rest) = parsed(&text[..cut]);
            let kept: usize = events.iter().map(String::len).sum::<usize>() + rest.unwrap_or_default().len();
            assert!(kept + 4 >= cut, "{cut}: {kept} of {cut} bytes are left");
        }
    }

    #[test]
    fn what_is_no_array_is_kept_whole() {
        for text in ["<html>", "{\"error\":1}", "7", "true", "\"busy\""] {
            assert_eq!(parsed(text), (vec![], Some(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_has_nothing_to_give_leaves_no_rest() {
        for text in ["[]", " [ ]\n", "", " \r\n", "null", "{}", "{ }", "\"\"", "false"] {
            assert_eq!(parsed(text), (vec![], None), "{text}");
        }
    }

    #[test]
    fn events_in_a_wrapper_or_without_a_list_are_read() {
        let event = r#"{"id":"a","action":{"type":"x"}}"#;
        for text in [format!(r#" {{"events":[{event}]}} "#), format!(" {event}\n")] {
            assert_eq!(parsed(&text), (vec![event.to_owned()], None), "{text}");
        }
        assert_eq!(parsed(r#"{"events":[]}"#), (vec![], None));
    }

    #[test]
    fn an_event_that_is_not_json_is_set_apart_and_the_others_are_read() {
        let (events, rest) = parsed("[{\"id\":\"a\"},{\"id\":\"b\tc\"},{\"id\":\"d\"}]");
        assert_eq!(events, [r#"{"id":"a"}"#, r#""{\"id\":\"b\tc\"}""#, r#"{"id":"d"}"#]);
        assert_eq!(rest, None);
    }

    #[test]
    fn every_form_of_a_list_is_read() {
        let event = |id: &str| format!(r#"{{"id":"{id}","recorded":"r","action":{{"type":"x"}}}}"#);
        let (a, b) = (event("a"), event("b"));
        let both = vec![a.clone(), b.clone()];
        for text in [
            format!("\u{feff}[{a},{b}]"),
            format!(r#"{{"events":[{a},{b}]}}"#),
            format!(r#"{{"data":[{a},{b}]}}"#),
            format!(r#"{{"_embedded":{{"events":[{a},{b}]}},"size":2}}"#),
            format!("{a}\n{b}\n"),
            format!("{a}{b}"),
            format!("[{a},,{b}]"),
        ] {
            assert_eq!(parsed(&text), (both.clone(), None), "{text}");
        }
        for text in [
            format!(r#"{{"event":{a}}}"#),
            format!(r#"{{"id":"w","recorded":"r","event":{a}}}"#),
        ] {
            assert_eq!(parsed(&text), (vec![text.clone()], None));
        }
        let lines = [format!(r#"{{"event":{a}}}"#), format!(r#"{{"event":{b}}}"#)];
        assert_eq!(parsed(&lines.join("\n")), (lines.to_vec(), None));
    }

    #[test]
    fn an_empty_list_in_an_object_and_behind_a_byte_order_mark_is_nothing() {
        for text in [
            "\u{feff}[]",
            "\u{feff}",
            r#"{"events":null}"#,
            r#"{"events":[],"size":0}"#,
        ] {
            assert_eq!(parsed(text), (vec![], None), "{text}");
        }
        for text in [r#"{"events":null,"error":"x"}"#, r#"{"data":"busy"}"#] {
            assert_eq!(parsed(text), (vec![], Some(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn an_unreadable_event_takes_no_other_with_it_in_whatever_list_and_where_it_breaks_off() {
        let event = |id: &str| format!(r#"{{"id":"{id}","recorded":"r","actors":[{{"id":"x"}},{{"id":"y"}}]}}"#);
        let (a, b) = (event("a"), event("b"));
        for bad in [
            r#"{"id":"bad","n":NaN}"#,
            r#"{"id":"bad","n":"5" wide","l":[{"id":"x"},{"id":"y"}]}"#,
        ] {
            let apart = serde_json::Value::from(bad).to_string();
            for (text, rest) in [
                (format!(r#"{{"events":[{a},{bad},{b}]}}"#), None),
                (format!("[{a},{bad},{b},{{\"id\":\"c"), Some("{\"id\":\"c")),
                (format!(r#"{{"events":[{a},{bad},{b},{{"id":"c"#), Some("{\"id\":\"c")),
                (format!(r#"{{"events":[{a},{bad},{b}]"#), Some("]")),
                (format!("{a}\n{bad}\n{b}"), None),
            ] {
                let (events, left) = parsed(&text);
                assert_eq!(left.as_deref(), rest, "{text}");
                let expected = [&a, &b, &apart];
                assert!(
                    events.len() == 3 && expected.iter().all(|event| events.contains(event)),
                    "{text}: {events:?}"
                );
            }
        }
    }
}
