//! Events that come wrapped in the form of another product: opened, so that the same event wrapped and bare is one.
//!
//! Splunk's HTTP Event Collector takes `{"event":{...},"time":...,"host":...}`, New Relic's Log API
//! `[{"common":{...},"logs":[{"message":"...","attributes":{...}}]}]` (sources: the two products' documentation), and
//! vendors offer both as formats of a webhook; others send a list in one object.

use std::borrow::Cow;

use crate::json::{Cursor, Kind, kind, member, unquote};

/// Members that hold what is wrapped. The first that holds an event counts.
const MEMBERS: [&str; 9] = [
    "event",
    "events",
    "logs",
    "message",
    "log",
    "records",
    "data",
    "attributes",
    "body",
];
/// A wrapper in a wrapper in a list, and no deeper.
const DEEPEST: u32 = 4;

/// More parts than are taken at once.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

/// What an object wraps: at least one event, and what else lies beside it. Empty if it wraps none.
pub fn unwrapped<'a>(
    object: &'a str,
    is_event: &dyn Fn(&str) -> bool,
    most: usize,
) -> Result<Vec<Cow<'a, str>>, TooMany> {
    let opening = Opening { is_event, most };
    Ok(opening.object(object, DEEPEST)?.unwrap_or_default())
}

struct Opening<'f> {
    is_event: &'f dyn Fn(&str) -> bool,
    most: usize,
}

/// What was found in a value, and whether one of it is an event.
#[derive(Default)]
struct Parts<'a> {
    all: Vec<Cow<'a, str>>,
    has_event: bool,
}

impl Opening<'_> {
    fn object<'a>(&self, object: &'a str, levels_left: u32) -> Result<Option<Vec<Cow<'a, str>>>, TooMany> {
        if levels_left == 0 {
            return Ok(None);
        }
        for name in MEMBERS {
            let Some(value) = member(object, name) else { continue };
            let mut parts = Parts::default();
            self.value(value, levels_left, &mut parts)?;
            if parts.has_event {
                return Ok(Some(parts.all));
            }
        }
        Ok(None)
    }

    fn value<'a>(&self, value: &'a str, levels_left: u32, parts: &mut Parts<'a>) -> Result<(), TooMany> {
        match kind(value) {
            Kind::Array => {
                let mut elements = Cursor::new(value);
                elements.enter(b'[');
                while elements.next_element() {
                    let Some(element) = elements.value() else { break };
                    self.part(element, levels_left, parts)?;
                }
                Ok(())
            }
            Kind::Object => self.part(value, levels_left, parts),
            Kind::String => self.text(&unquote(value), levels_left, parts),
            _ => Ok(()),
        }
    }

    /// JSON written as text.
    fn text(&self, text: &str, levels_left: u32, parts: &mut Parts<'_>) -> Result<(), TooMany> {
        let is_json = matches!(kind(text), Kind::Object | Kind::Array)
            && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
        if !is_json {
            return Ok(());
        }
        let mut inner = Parts::default();
        self.value(text.trim(), levels_left, &mut inner)?;
        parts.has_event |= inner.has_event;
        let owned = inner.all.into_iter().map(|part| Cow::Owned(part.into_owned()));
        parts.all.extend(owned);
        self.require_room(parts)
    }

    fn part<'a>(&self, part: &'a str, levels_left: u32, parts: &mut Parts<'a>) -> Result<(), TooMany> {
        let is_object = kind(part) == Kind::Object;
        if is_object && (self.is_event)(part) {
            parts.has_event = true;
            parts.all.push(Cow::Borrowed(part));
            return self.require_room(parts);
        }
        match if is_object {
            self.object(part, levels_left - 1)?
        } else {
            None
        } {
            Some(inner) => {
                parts.has_event = true;
                parts.all.extend(inner);
            }
            None => parts.all.push(Cow::Borrowed(part)),
        }
        self.require_room(parts)
    }

    fn require_room(&self, parts: &Parts<'_>) -> Result<(), TooMany> {
        match parts.all.len() <= self.most {
            true => Ok(()),
            false => Err(TooMany),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"id":"a","n":"x\"y"}"#;

    fn opened(object: &str) -> Vec<String> {
        let is_event = |event: &str| member(event, "id").is_some();
        let parts = unwrapped(object, &is_event, 10).unwrap();
        parts.into_iter().map(Cow::into_owned).collect()
    }

    #[test]
    fn what_other_products_wrap_is_found() {
        let text = serde_json::Value::from(EVENT).to_string();
        for wrapper in [
            format!(r#"{{"event":{EVENT},"time":1795772400000,"host":"h","source":"s"}}"#),
            format!(r#"{{"events":[{EVENT}]}}"#),
            format!(r#"{{"ev\u0065nt":[{EVENT}]}}"#),
            format!(r#"{{"event":{text}}}"#),
            format!(
                r#"{{"common":{{"attributes":{{"a":1}}}},"logs":[{{"timestamp":1,"message":{text},"attributes":{{}}}}]}}"#
            ),
            format!(r#"{{"logs":[{{"message":"USER.CREATED","attributes":{EVENT}}}]}}"#),
            format!(r#"{{"message":{EVENT},"timestamp":1}}"#),
            format!(r#"{{"eventType":"x","attributes":{EVENT}}}"#),
            format!(r#"{{"data":[{EVENT}]}}"#),
        ] {
            assert_eq!(opened(&wrapper), [EVENT], "{wrapper}");
        }
    }

    #[test]
    fn what_lies_beside_an_event_is_given_too_and_what_wraps_none_gives_nothing() {
        assert_eq!(opened(&format!(r#"{{"events":[{EVENT},{{}},7]}}"#)), [EVENT, "{}", "7"]);
        let deep = format!("{}{EVENT}{}", r#"{"event":"#.repeat(5), "}".repeat(5));
        for object in [
            "{}",
            r#"{"event":{}}"#,
            r#"{"events":[]}"#,
            r#"{"event":"no JSON {"}"#,
            r#"{"event":7}"#,
            &deep,
        ] {
            assert_eq!(opened(object), [""; 0], "{object}");
        }
    }

    #[test]
    fn more_parts_than_are_taken_at_once_are_refused() {
        let many = format!(r#"{{"events":[{EVENT}{}]}}"#, format!(",{EVENT}").repeat(10));
        assert_eq!(unwrapped(&many, &|_| true, 10), Err(TooMany));
        assert!(unwrapped(&many, &|_| true, 11).is_ok());
    }
}
