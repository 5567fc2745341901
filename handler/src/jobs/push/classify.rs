//! The elements of a body: events, opened where something wraps them, and what is none.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::split::MOST_EVENTS;
use crate::delivery::{ElementClass, NoRow, TableRoute, TooMany, is_named, unwrapped, why_no_row};
use crate::json::{Kind, kind};
use crate::sources::WebhookFormat;
use crate::state::DeadLetter;
use crate::tables::Reading;

/// The elements of a body, sorted.
#[derive(Default)]
pub struct Classified<'a> {
    /// Each is a row of at least one table.
    pub events: Vec<Cow<'a, str>>,
    /// The rest, with the reason.
    pub others: Vec<(NoRow, Cow<'a, str>)>,
}

impl<'a> Classified<'a> {
    fn add(&mut self, element: Cow<'a, str>, why: Option<NoRow>) {
        match why {
            None => self.events.push(element),
            Some(why) => self.others.push((why, element)),
        }
    }
}

/// Tells events from what is none.
pub struct Classifier<'c> {
    /// Names events.
    pub form: &'c WebhookFormat,
    /// Their tables.
    pub tables: &'c [&'c TableRoute],
    /// When they came.
    pub arrival: DateTime<Utc>,
}

impl Classifier<'_> {
    /// Sorts the elements of a body. Fails if what is wrapped is more than a body may hold.
    pub fn sort<'a>(&self, elements: &[&'a str]) -> Result<Classified<'a>, TooMany> {
        let mut classified = Classified::default();
        for element in elements {
            let (class, why) = self.class(element);
            let room = MOST_EVENTS.saturating_sub(classified.events.len() + classified.others.len());
            let parts = match kind(element) {
                Kind::Object if class != ElementClass::Event => unwrapped(element, &|part| self.class(part).0, room)?,
                _ => Vec::new(),
            };
            if parts.is_empty() {
                classified.add(Cow::Borrowed(element), why);
            }
            for part in parts {
                let (_, why) = self.class(&part);
                classified.add(part, why);
            }
        }
        Ok(classified)
    }

    /// As dead letters.
    pub fn letters(&self, others: &[(NoRow, Cow<'_, str>)]) -> Vec<DeadLetter> {
        let tables: Vec<_> = self.tables.iter().map(|route| route.table.name()).collect();
        let tables = tables.join(", ");
        let letter = |(why, element): &(NoRow, Cow<'_, str>)| {
            DeadLetter::of_event(why.reason(&tables), element.clone().into_owned())
        };
        others.iter().map(letter).collect()
    }

    /// By what the tables find in it together; with the reason if it is no event.
    fn class(&self, element: &str) -> (ElementClass, Option<NoRow>) {
        let mut reading = Reading::default();
        if kind(element) == Kind::Object {
            for route in self.tables {
                reading |= route.table.read(element, self.arrival);
            }
        }
        let is_named = || self.form.is_named_by_content || is_named(element, &self.form.key_of(element));
        let why = why_no_row(element, reading, is_named);
        (ElementClass::of(reading, why), why)
    }
}
