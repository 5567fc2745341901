//! PingOne's webhooks ("subscriptions"): the same activities as the API shows, sent by PingOne itself.
//!
//! Facts from PingOne's documentation: an array or JSON lines, up to 500 activities in a batch; a batch is repeated,
//! in order, until it is answered 200 exactly, and blocks those behind it.

use std::time::Duration;

use super::event::key_of;
use crate::event::StreamName;
use crate::sources::WebhookFormat;

/// Source: PingOne's documentation of webhooks.
const REPEATED_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// The stream `pingone/<instance>/push`. Its events are named as the poller names them.
pub fn webhook(instance: &str) -> WebhookFormat {
    WebhookFormat {
        name: StreamName::of("pingone", instance, "push"),
        key_of,
        repeats_for: REPEATED_FOR,
        is_named_by_content: false,
        repeats_what_is_refused: true,
    }
}
