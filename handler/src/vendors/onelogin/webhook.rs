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
pub fn webhook(instance: &str) -> WebhookFormat {
    WebhookFormat {
        name: StreamName::of("onelogin", instance, "push"),
        key_of,
        repeats_for: REPEATED_FOR,
        is_named_by_content: true,
        repeats_what_is_refused: false,
    }
}

fn key_of(event: &str) -> EventKey {
    EventKey {
        identity: Identity::of_content(event),
        time: None,
    }
}
