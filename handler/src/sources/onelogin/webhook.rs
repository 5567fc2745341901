//! Events that OneLogin's Event Webhook posts.
//!
//! OneLogin sends arrays or JSON lines of up to ten events with a bearer token that the customer chose. Its `uuid`
//! and `create._id` repeat across different events, so an event is named by all that it says.

use crate::event::{Identity, StreamName};
use crate::sources::{EventKey, PushForm};

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

impl PushForm for Webhook {
    fn name(&self) -> &StreamName {
        &self.name
    }

    fn key_of(&self, event: &str) -> EventKey {
        EventKey {
            identity: Identity::of_content(event),
            time: None,
        }
    }
}
