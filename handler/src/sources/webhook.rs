//! Events that a vendor sends by itself.

use std::time::Duration;

use super::EventKey;
use crate::event::StreamName;

/// How a vendor's webhook names and repeats its events.
#[derive(Clone, Debug)]
pub struct WebhookFormat {
    name: StreamName,
    key_of: fn(&str) -> EventKey,
    repeats_for: Duration,
    is_named_by_content: bool,
    repeats_what_is_refused: bool,
}

impl WebhookFormat {
    /// The stream `name`, whose events, JSON values, are named by `key_of`. `repeats_for` is how long after an event was
    /// delivered the vendor may push it again.
    pub fn new(name: StreamName, key_of: fn(&str) -> EventKey, repeats_for: Duration) -> Self {
        Self {
            name,
            key_of,
            repeats_for,
            is_named_by_content: false,
            repeats_what_is_refused: false,
        }
    }

    /// Of a vendor that gives its events no key: each is named by all that it says, and none is without a name.
    pub fn named_by_content(self) -> Self {
        Self {
            is_named_by_content: true,
            ..self
        }
    }

    /// Of a vendor that repeats a refused body for ever, and sends nothing else in the meantime: a body that cannot be
    /// read is set aside and accepted.
    pub fn repeating_what_is_refused(self) -> Self {
        Self {
            repeats_what_is_refused: true,
            ..self
        }
    }

    /// The stream's name.
    pub fn name(&self) -> &StreamName {
        &self.name
    }

    /// Names an event.
    pub fn key_of(&self, event: &str) -> EventKey {
        (self.key_of)(event)
    }

    /// See [`new`](Self::new).
    pub fn repeats_for(&self) -> Duration {
        self.repeats_for
    }

    /// See [`named_by_content`](Self::named_by_content).
    pub fn is_named_by_content(&self) -> bool {
        self.is_named_by_content
    }

    /// See [`repeating_what_is_refused`](Self::repeating_what_is_refused).
    pub fn repeats_what_is_refused(&self) -> bool {
        self.repeats_what_is_refused
    }
}
