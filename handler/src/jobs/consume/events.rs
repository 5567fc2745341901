//! The events of a reply, opened where something wraps them.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::delivery::{ElementClass, opened, why_no_row};
use crate::event::Identity;
use crate::jobs::plan::ConsumePlan;

/// Events in one wrapper; one that holds more is set aside whole.
const MOST_WRAPPED: usize = 50_000;

/// The event, or what it wraps.
pub fn opened_events<'e>(plan: &ConsumePlan, event: &'e str, at: DateTime<Utc>) -> Vec<Cow<'e, str>> {
    opened(event, &|event| class_of(plan, event, at), MOST_WRAPPED)
}

/// What an object of a reply is by itself.
pub fn class_of(plan: &ConsumePlan, event: &str, at: DateTime<Utc>) -> ElementClass {
    let reading = plan.target.table.read(event, at);
    let is_named = || plan.stream.identity_of(event) != Identity::of_content(event);
    ElementClass::of(reading, why_no_row(event, reading, is_named))
}
