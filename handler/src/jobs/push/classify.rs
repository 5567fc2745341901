//! The elements of a body: events, opened where something wraps them, and what is none.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::split::MOST_EVENTS;
use crate::delivery::TableRoute;
use crate::delivery::{NoRow, is_named, why_no_row};
use crate::delivery::{Standing, TooMany, unwrapped};
use crate::json::{Kind, kind};
use crate::sources::WebhookFormat;
use crate::state::DeadLetter;
use crate::tables::Reading;

/// See the module.
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
pub struct Classifier<'j> {
    /// Names events.
    pub form: &'j dyn WebhookFormat,
    /// Their tables.
    pub targets: &'j [&'j TableRoute],
    /// When they came.
    pub arrival: DateTime<Utc>,
}

impl Classifier<'_> {
    /// Sorts the elements of a body. Fails if what is wrapped is more than a body may hold.
    pub fn sort<'a>(&self, elements: impl Iterator<Item = &'a str>) -> Result<Classified<'a>, TooMany> {
        let mut judged = Classified::default();
        for element in elements {
            let (reading, why) = self.judge(element);
            if Standing::of(reading, why) == Standing::Event {
                judged.events.push(Cow::Borrowed(element));
                continue;
            }
            let room = MOST_EVENTS.saturating_sub(judged.events.len() + judged.others.len());
            let standing = |part: &str| {
                let (reading, why) = self.judge(part);
                Standing::of(reading, why)
            };
            let parts = match kind(element) {
                Kind::Object => unwrapped(element, &standing, room)?,
                _ => Vec::new(),
            };
            match why {
                _ if !parts.is_empty() => parts.into_iter().for_each(|part| {
                    let why = self.judge(&part).1;
                    judged.add(part, why);
                }),
                why => judged.add(Cow::Borrowed(element), why),
            }
        }
        Ok(judged)
    }

    /// As dead letters.
    pub fn letters(&self, others: &[(NoRow, Cow<'_, str>)]) -> Vec<DeadLetter> {
        let tables: Vec<_> = self.targets.iter().map(|target| target.table.name()).collect();
        let tables = tables.join(", ");
        let letter = |(why, element): &(NoRow, Cow<'_, str>)| {
            DeadLetter::of_event(why.reason(&tables), element.clone().into_owned())
        };
        others.iter().map(letter).collect()
    }

    /// What the tables find in it together.
    fn judge(&self, element: &str) -> (Reading, Option<NoRow>) {
        let mut reading = Reading::default();
        if kind(element) == Kind::Object {
            for target in self.targets {
                reading |= target.table.read(element, self.arrival);
            }
        }
        let is_named = || self.form.is_named_by_content() || is_named(element, &self.form.key_of(element));
        (reading, why_no_row(element, reading, is_named))
    }
}
