//! OneLogin webhook events (vendor: Event Webhooks page; shapes as seen in real events).

pub(super) mod event_types;
pub(super) mod parts;

use chrono::{DateTime, SubsecRound, Utc};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::ADDRESSES;
use super::json_object::JsonObject;
use crate::random::{one_in, pick, uuid};
use event_types::EVENT_TYPES;

pub use event_types::EventType;

/// Keys that an event of the "all columns" form carries as null where it has nothing to say.
const KEYS_THAT_MAY_BE_NULL: [&str; 24] = [
    "adc_id",
    "adc_name",
    "app_id",
    "app_name",
    "assuming_acting_user_id",
    "browser_fingerprint",
    "certificate_id",
    "custom_message",
    "directory_id",
    "error_description",
    "group_id",
    "group_name",
    "login_name",
    "notes",
    "otp_device_id",
    "otp_device_name",
    "policy_id",
    "policy_name",
    "proxy_ip",
    "resolution",
    "role_id",
    "role_name",
    "risk_score",
    "trusted_idp_name",
];

/// One webhook event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebhookEvent {
    /// `event_type_id`.
    pub event_type_id: u32,
    /// `event_timestamp`, whole seconds.
    pub at: DateTime<Utc>,
    /// The event as compact JSON text.
    pub json: String,
}

/// Makes events of one account, type after type in a circle.
#[derive(Debug)]
pub struct WebhookEvents {
    rng: StdRng,
    account_id: u32,
    /// The `uuid` of the event before: the vendor repeats one across different events now and then.
    last_uuid: String,
    made: usize,
}

impl WebhookEvents {
    /// A generator for the events of the account with that number.
    pub fn new(seed: u64, account_id: u32) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let last_uuid = uuid(&mut rng);
        WebhookEvents {
            rng,
            account_id,
            last_uuid,
            made: 0,
        }
    }

    /// Every event type, in the order in which they are walked.
    pub fn event_types() -> &'static [EventType] {
        EVENT_TYPES
    }

    /// The next event, at that time (cut to seconds).
    pub fn at(&mut self, at: DateTime<Utc>) -> WebhookEvent {
        let event_type = &EVENT_TYPES[self.made % EVENT_TYPES.len()];
        self.made += 1;
        let at = at.trunc_subsecs(0);
        let fields = self.fields(event_type, at);
        let mut event = JsonObject::new();
        for (key, value) in &fields {
            event.value(key, value);
        }
        WebhookEvent {
            event_type_id: event_type.id,
            at,
            json: event.finish(),
        }
    }

    fn fields(&mut self, event_type: &EventType, at: DateTime<Utc>) -> Vec<(&'static str, Value)> {
        if !one_in(&mut self.rng, 6) {
            self.last_uuid = uuid(&mut self.rng);
        }
        let mut fields: Vec<(&'static str, Value)> = Vec::new();
        for part in event_type.parts {
            fields.extend(parts::fields_of(*part, &mut self.rng));
        }
        let timestamp = at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
        fields.extend([
            ("create", json!({"_id": self.last_uuid})),
            ("uuid", json!(self.last_uuid)),
            ("account_id", json!(self.account_id)),
            ("event_timestamp", json!(timestamp)),
            ("ipaddr", json!(pick(&mut self.rng, &ADDRESSES))),
            ("event_type_id", self.number(event_type.id)),
        ]);
        if one_in(&mut self.rng, 3) {
            fields.push(("actor_system", json!("")));
        }
        if one_in(&mut self.rng, 3) {
            add_nulls(&mut fields);
        }
        fields
    }

    /// Numbers come as text now and then.
    fn number(&mut self, number: u32) -> Value {
        parts::number_or_text(&mut self.rng, number)
    }
}

fn add_nulls(fields: &mut Vec<(&'static str, Value)>) {
    for key in KEYS_THAT_MAY_BE_NULL {
        if fields.iter().all(|(present, _)| *present != key) {
            fields.push((key, Value::Null));
        }
    }
}

#[cfg(test)]
mod tests;
