//! What an instance of OneLogin reads and receives.

use std::sync::Arc;
use std::time::Duration;

use super::client::OneLoginClient;
use super::counterpart::counterpart_of;
use super::events::EVENTS;
use super::list::List;
use super::settings;
use super::settings::OneLogin;
use super::users::ApiUsers;
use super::webhook::webhook;
use crate::config::Secret;
use crate::sources::CounterpartRule;
use crate::vendors::{BuildContext, BuiltStream, BuiltWebhook, Instance, StreamEvents, Vendor, VendorConfig};

/// OneLogin.
pub const VENDOR: Vendor = Vendor {
    name: settings::NAME,
    switched_on_by: "ONELOGIN__BEARER_TOKEN for the webhook of OneLogin",
    takes_pushes: true,
    spooled_streams: &["events", "push"],
    load: |reader| Some(Arc::new(settings::load(reader)?)),
};

/// Beside the webhook the API only fills gaps: the pushes wait for its run, and what it reads is held back until the
/// webhook has had its time.
const COUNTERPARTS: CounterpartRule = CounterpartRule {
    key_of: counterpart_of,
    patience: Duration::from_secs(15 * 60),
};

impl VendorConfig for OneLogin {
    fn build(&self, context: &BuildContext<'_>) -> Instance {
        let api = self.api_streams(context).into_iter();
        let streams = api.flat_map(|(events, users)| {
            [
                BuiltStream {
                    joins_webhook: true,
                    counterparts: Some(COUNTERPARTS),
                    ..BuiltStream::new(StreamEvents::Windowed(events), vec!["OneLoginEventsV2_CL"])
                },
                BuiltStream::new(StreamEvents::Snapshot(users), vec!["OneLoginUsersV2_CL"]),
            ]
        });
        Instance {
            streams: streams.collect(),
            webhook: self.push.is_on().then(|| BuiltWebhook {
                format: Arc::new(webhook(context.instance)),
                tokens: self.push.tokens.clone(),
                tables: self.tables.clone(),
                polled_stream: "events",
                is_polled_too: self.api_is_wanted,
            }),
        }
    }

    fn is_polled(&self) -> bool {
        self.api.is_some()
    }

    fn push_tokens(&self) -> &[Secret] {
        &self.push.tokens
    }
}

impl OneLogin {
    /// The streams `onelogin/<instance>/events` and `onelogin/<instance>/users`. They share token and rate limit, and
    /// one account text: the host of the API. The credential is no part of it, so positions survive a new one.
    pub(super) fn api_streams(&self, context: &BuildContext<'_>) -> Option<(Arc<List>, Arc<ApiUsers>)> {
        let api = self.api.as_ref()?;
        let (http, clock) = (context.http.clone(), context.clock.clone());
        let client = Arc::new(OneLoginClient::new(api, &self.setting_prefix, http, clock));
        let events = List::new(context.instance, &EVENTS, client.clone());
        let users = ApiUsers::new(context.instance, client, api.users_every);
        Some((Arc::new(events), Arc::new(users)))
    }
}
