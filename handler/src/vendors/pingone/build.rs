//! What an instance of PingOne reads and receives.

use std::sync::Arc;

use super::activities::Activities;
use super::settings;
use super::settings::PingOne;
use super::webhook::webhook;
use crate::config::Secret;
use crate::vendors::{BuildContext, BuiltStream, BuiltWebhook, Instance, StreamEvents, Vendor, VendorConfig};

/// PingOne.
pub const VENDOR: Vendor = Vendor {
    name: settings::NAME,
    switched_on_by: "PINGONE__ENVIRONMENT_ID, PINGONE__CLIENT_ID and PINGONE__CLIENT_SECRET for PingOne, or \
        PINGONE__PUSH_TOKEN for its webhook",
    takes_pushes: true,
    spooled_streams: &["activities", "push"],
    load: |reader| Some(Arc::new(settings::load(reader)?)),
};

impl VendorConfig for PingOne {
    fn build(&self, context: &BuildContext<'_>) -> Instance {
        let poll = self.poll.iter().cloned();
        let streams = poll.map(|poll| BuiltStream {
            joins_webhook: true,
            ..BuiltStream::new(
                StreamEvents::Windowed(Arc::new(Activities::new(poll, context))),
                self.tables.clone(),
            )
        });
        Instance {
            streams: streams.collect(),
            webhook: self.push.is_on().then(|| BuiltWebhook {
                format: Arc::new(webhook(context.instance)),
                tokens: self.push.tokens.clone(),
                tables: self.tables.clone(),
                polled_stream: "activities",
                is_polled_too: self.poll_is_wanted,
            }),
        }
    }

    fn is_polled(&self) -> bool {
        self.poll.is_some()
    }

    fn push_tokens(&self) -> &[Secret] {
        &self.push.tokens
    }
}
