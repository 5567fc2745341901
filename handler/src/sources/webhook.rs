//! Events that a vendor sends by itself.

use std::time::Duration;

use super::EventKey;
use crate::event::{Identity, StreamName};

/// How a vendor's webhook names and repeats its events.
#[derive(Clone, Debug)]
pub struct WebhookFormat {
    /// The stream's name.
    pub name: StreamName,
    /// Names an event, which is a JSON value.
    pub key_of: fn(&str) -> EventKey,
    /// How long after an event was delivered the vendor may push it again.
    pub repeats_for: Duration,
    /// True if the vendor gives its events no key: then each is named by all that it says, and none is without a name.
    pub is_named_by_content: bool,
    /// True if the vendor repeats a refused body for ever, and sends nothing else in the meantime. A body that cannot
    /// be read is then set aside and accepted.
    pub repeats_what_is_refused: bool,
}

impl WebhookFormat {
    /// The stream's name.
    pub fn name(&self) -> &StreamName {
        &self.name
    }

    /// Names an event.
    pub fn key_of(&self, event: &str) -> EventKey {
        (self.key_of)(event)
    }
}

/// A vendor gives one key to an event that it pushes and another to the same event when it is read.
#[derive(Clone, Copy)]
pub struct CounterpartRule {
    /// What both forms of an event have in common.
    pub key_of: fn(&str) -> Identity,
    /// How long a pushed event may take: what is read is held back so long.
    pub patience: Duration,
}
