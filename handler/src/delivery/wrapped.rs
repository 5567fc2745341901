//! Events that come wrapped in the form of another product: opened, so that the same event wrapped and bare is one.
//!
//! Splunk's HTTP Event Collector takes `{"event":{...},"time":...,"host":...}`, New Relic's Log API
//! `[{"common":{...},"logs":[{"message":"...","attributes":{...}}]}]` (sources: the two products' documentation), and
//! vendors offer both as formats of a webhook; others send a list in one object.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::no_row::{NoRow, is_named, why_no_row};
use super::route::TableRoute;
use crate::event::WRAPPING_MEMBERS;
use crate::json::{Kind, elements, key_text, kind, member, members, unquote};
use crate::sources::EventKey;
use crate::tables::Reading;

/// A wrapper in a wrapper in a list, and no deeper.
const DEEPEST: u32 = 4;

/// Events in one wrapper of a page; one that holds more stays whole.
const MOST_WRAPPED: usize = 50_000;

/// More parts than are taken at once.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

/// What an object is by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementClass {
    /// An event, whatever lies in it.
    Event,
    /// A row could be made of it, but it says little more than a wrapper does: it is an event if it wraps none.
    Thin,
    /// No event.
    None,
}

impl ElementClass {
    /// By what the tables find in it, and why no row is made of it.
    pub fn of(reading: Reading, why: Option<NoRow>) -> Self {
        match why {
            Some(_) => Self::None,
            None if reading.has_time && reading.fills_content => Self::Event,
            None => Self::Thin,
        }
    }

    /// What an element is that comes at `at` and is named by `key_of`, by what some tables find in it together.
    pub fn in_tables(
        element: &str,
        tables: &[TableRoute],
        at: DateTime<Utc>,
        key_of: impl Fn(&str) -> EventKey,
    ) -> Self {
        let mut reading = Reading::default();
        for target in tables {
            reading |= target.table.read(element, at);
        }
        Self::of(
            reading,
            why_no_row(element, reading, || is_named(element, &key_of(element))),
        )
    }
}

/// An element of a list of events: the events in it where it wraps some, else itself. So is one that wraps more than
/// [`MOST_WRAPPED`].
pub fn opened<'a>(element: &'a str, class: &dyn Fn(&str) -> ElementClass) -> Vec<Cow<'a, str>> {
    let may_wrap = kind(element) == Kind::Object
        && members(element).any(|(key, value)| {
            WRAPPING_MEMBERS.contains(&&*key_text(key))
                && matches!(kind(value), Kind::Object | Kind::Array | Kind::String)
        });
    if may_wrap && class(element) != ElementClass::Event {
        match unwrapped(element, class, MOST_WRAPPED) {
            Ok(parts) if !parts.is_empty() => return parts,
            _ => {}
        }
    }
    vec![Cow::Borrowed(element)]
}

/// What an object wraps: at least one event, and what else lies beside it. Empty if it wraps none.
pub fn unwrapped<'a>(
    object: &'a str,
    class: &dyn Fn(&str) -> ElementClass,
    most: usize,
) -> Result<Vec<Cow<'a, str>>, TooMany> {
    let opening = Opening { class, most };
    Ok(opening.object(object, DEEPEST)?.unwrap_or_default())
}

struct Opening<'f> {
    class: &'f dyn Fn(&str) -> ElementClass,
    most: usize,
}

/// What was found in a value, and whether one of it is an event.
#[derive(Default)]
struct WrappedParts<'a> {
    all: Vec<Cow<'a, str>>,
    has_event: bool,
}

impl Opening<'_> {
    fn object<'a>(&self, object: &'a str, levels_left: u32) -> Result<Option<Vec<Cow<'a, str>>>, TooMany> {
        if levels_left == 0 {
            return Ok(None);
        }
        // The first member that holds an event counts.
        for name in WRAPPING_MEMBERS {
            let Some(value) = member(object, name) else { continue };
            let mut parts = WrappedParts::default();
            self.value(value, levels_left, &mut parts)?;
            if parts.has_event {
                return Ok(Some(parts.all));
            }
        }
        Ok(None)
    }

    fn value<'a>(&self, value: &'a str, levels_left: u32, parts: &mut WrappedParts<'a>) -> Result<(), TooMany> {
        match kind(value) {
            Kind::Array => {
                let mut elements = elements(value);
                elements.try_for_each(|element| self.part(element, levels_left, parts))
            }
            Kind::Object => self.part(value, levels_left, parts),
            Kind::String => self.text(&unquote(value), levels_left, parts),
            _ => Ok(()),
        }
    }

    /// JSON written as text.
    fn text(&self, text: &str, levels_left: u32, parts: &mut WrappedParts<'_>) -> Result<(), TooMany> {
        let is_json = matches!(kind(text), Kind::Object | Kind::Array)
            && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
        if !is_json {
            return Ok(());
        }
        let mut inner = WrappedParts::default();
        self.value(text.trim(), levels_left, &mut inner)?;
        parts.has_event |= inner.has_event;
        let owned = inner.all.into_iter().map(|part| Cow::Owned(part.into_owned()));
        parts.all.extend(owned);
        self.require_room(parts)
    }

    fn part<'a>(&self, part: &'a str, levels_left: u32, parts: &mut WrappedParts<'a>) -> Result<(), TooMany> {
        let (class, inner) = match kind(part) {
            Kind::Object => match (self.class)(part) {
                ElementClass::Event => (ElementClass::Event, None),
                class => (class, self.object(part, levels_left - 1)?),
            },
            _ => (ElementClass::None, None),
        };
        match inner {
            Some(inner) => {
                parts.has_event = true;
                parts.all.extend(inner);
            }
            None => {
                parts.has_event |= class != ElementClass::None;
                parts.all.push(Cow::Borrowed(part));
            }
        }
        self.require_room(parts)
    }

    fn require_room(&self, parts: &WrappedParts<'_>) -> Result<(), TooMany> {
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

    /// A name and content make an event, one of both a thin one.
    fn class(event: &str) -> ElementClass {
        match (member(event, "id").is_some(), member(event, "n").is_some()) {
            (true, true) => ElementClass::Event,
            (false, false) => ElementClass::None,
            _ => ElementClass::Thin,
        }
    }

    fn in_wrapper(object: &str) -> Vec<String> {
        let parts = unwrapped(object, &class, 10).unwrap();
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
            assert_eq!(in_wrapper(&wrapper), [EVENT], "{wrapper}");
        }
    }

    #[test]
    fn what_lies_beside_an_event_is_given_too_and_what_wraps_none_gives_nothing() {
        assert_eq!(
            in_wrapper(&format!(r#"{{"events":[{EVENT},{{}},7]}}"#)),
            [EVENT, "{}", "7"]
        );
        let deep = format!("{}{EVENT}{}", r#"{"event":"#.repeat(5), "}".repeat(5));
        for object in [
            "{}",
            r#"{"event":{}}"#,
            r#"{"events":[]}"#,
            r#"{"event":"no JSON {"}"#,
            r#"{"event":7}"#,
            &deep,
        ] {
            assert_eq!(in_wrapper(object), [""; 0], "{object}");
        }
    }

    #[test]
    fn a_wrapper_with_a_name_of_its_own_is_opened_and_an_event_that_has_such_a_member_stays_whole() {
        for wrapper in [
            format!(r#"{{"id":"w","events":[{EVENT}]}}"#),
            format!(r#"{{"events":[{{"id":"w","event":{EVENT}}}]}}"#),
        ] {
            assert_eq!(opened(&wrapper, &class), [EVENT], "{wrapper}");
        }
        for event in [
            format!(r#"{{"id":"w","n":1,"events":[{EVENT}]}}"#),
            r#"{"id":"w","events":[{}]}"#.to_owned(),
            r#"{"id":"w","message":"text"}"#.to_owned(),
            r#"{"events":[7]}"#.to_owned(),
            format!("[{EVENT}]"),
        ] {
            assert_eq!(opened(&event, &class), [event.as_str()], "{event}");
        }
    }

    #[test]
    fn more_parts_than_are_taken_at_once_are_refused() {
        let many = format!(r#"{{"events":[{EVENT}{}]}}"#, format!(",{EVENT}").repeat(10));
        assert_eq!(unwrapped(&many, &|_| ElementClass::Event, 10), Err(TooMany));
        assert!(unwrapped(&many, &|_| ElementClass::Event, 11).is_ok());
    }
}
