//! Events that OneLogin's Event Webhook posts.
//!
//! OneLogin sends arrays or JSON lines of up to ten events with a bearer token that the customer chose. Its `uuid`
//! and `create._id` repeat across different events, so an event is named by all that it says.

use std::time::Duration;

use crate::event::{Identity, StreamName};
use crate::sources::{EventKey, WebhookFormat};

/// OneLogin documents no repetition at all; this leaves room for one by hand, or by a relay before us.
const REPEATED_FOR: Duration = Duration::from_secs(2 * 24 * 3600);

/// The stream `onelogin/<instance>/push`.
#[derive(Clone, Debug)]
pub struct Webhook {
    name: StreamName,
}

impl Webhook {
    /// Of one instance.
    pub fn new(instance: &str) -> Self {
        Self {
            name: StreamName {
                source: "onelogin",
                instance: instance.to_owned(),
                stream: "push",
            },
        }
    }
}

impl WebhookFormat for Webhook {
    fn name(&self) -> &StreamName {
        &self.name
    }

    fn repeats_for(&self) -> Duration {
        REPEATED_FOR
    }

    fn key_of(&self, event: &str) -> EventKey {
        EventKey {
            identity: Identity::of_content(event),
            time: None,
        }
    }

    fn is_named_by_content(&self) -> bool {
        true
    }
}
