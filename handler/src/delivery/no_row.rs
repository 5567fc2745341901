//! What is no event of a stream: a row of it would say nothing.

use crate::event::Identity;
use crate::json::{Kind, kind};
use crate::sources::EventKey;
use crate::state::DeadLetter;
use crate::tables::Reading;

/// Why no row is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRow {
    /// It is no JSON object.
    NotAnObject,
    /// The table finds nothing in it.
    NoColumn,
    /// It can neither be told from others nor be put in time.
    Nameless,
}

impl NoRow {
    /// For people, with the event in the dead letters.
    pub fn reason(self, table: &str) -> String {
        match self {
            Self::NotAnObject => "the event is not a JSON object".to_owned(),
            Self::NoColumn => format!(
                "no column of {table} can be filled from it besides TimeGenerated: it is no event of this vendor, or \
                 something wraps it; have the vendor send its own event format"
            ),
            Self::Nameless => "it has neither an identity nor a time that can be read".to_owned(),
        }
    }

    /// The event as a dead letter.
    pub fn letter(self, event: &str, table: &str) -> DeadLetter {
        DeadLetter::of_event(self.reason(table), event.to_owned())
    }
}

/// `None` if the event is a row. `is_named` says whether the vendor's own key names it; asked only where that decides.
pub fn why_no_row(event: &str, reading: Reading, is_named: impl FnOnce() -> bool) -> Option<NoRow> {
    if kind(event) != Kind::Object {
        return Some(NoRow::NotAnObject);
    }
    if !reading.fills_a_column {
        return Some(NoRow::NoColumn);
    }
    (!reading.has_time && !is_named()).then_some(NoRow::Nameless)
}

/// True if an event has a key of the vendor's or a time: without a key it is named by its content.
pub fn is_named(event: &str, key: &EventKey) -> bool {
    key.time.is_some() || key.identity != Identity::of_content(event)
}
