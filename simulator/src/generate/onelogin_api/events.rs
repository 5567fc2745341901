//! Events of the API and their twins.

use chrono::{DateTime, SubsecRound, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use crate::generate::json_object::JsonObject;
use crate::generate::onelogin::event_types::{EVENT_TYPES, EventType};
use crate::generate::onelogin::parts::fields_of;
use crate::generate::{ADDRESSES, onelogin};
use crate::random::{one_in, pick, uuid};
use crate::times::milliseconds;

/// Every key of an event, null where it has nothing to say.
const KEYS: [&str; 54] = [
    "id",
    "created_at",
    "account_id",
    "event_type_id",
    "actor_system",
    "actor_user_id",
    "actor_user_name",
    "adc_id",
    "adc_name",
    "api_credential_name",
    "app_id",
    "app_name",
    "assuming_acting_user_id",
    "authentication_factor_description",
    "authentication_factor_id",
    "authentication_factor_type",
    "browser_fingerprint",
    "certificate_id",
    "certificate_name",
    "client_id",
    "custom_message",
    "directory_id",
    "directory_name",
    "directory_sync_run_id",
    "entity",
    "error_description",
    "group_id",
    "group_name",
    "ipaddr",
    "mapping_id",
    "mapping_name",
    "notes",
    "operation_name",
    "otp_device_id",
    "otp_device_name",
    "policy_id",
    "policy_name",
    "policy_type",
    "privilege_id",
    "privilege_name",
    "proxy_ip",
    "resolution",
    "resource_type_id",
    "risk_cookie_id",
    "risk_reasons",
    "risk_score",
    "role_id",
    "role_name",
    "task_name",
    "trusted_idp_id",
    "trusted_idp_name",
    "user_agent",
    "user_id",
    "user_name",
];

/// One event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApiEvent {
    /// `id`, an integer that grows from event to event.
    pub id: u64,
    /// `event_type_id`.
    pub event_type_id: u32,
    /// `created_at`, whole milliseconds.
    pub created_at: DateTime<Utc>,
    /// The event as compact JSON text.
    pub json: String,
}

/// Makes events of one account, type after type in a circle.
#[derive(Debug)]
pub struct ApiEvents {
    rng: StdRng,
    account_id: u32,
    last_id: u64,
    made: usize,
}

impl ApiEvents {
    /// A generator for the events of the account with that number.
    pub fn new(seed: u64, account_id: u32) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let last_id = rng.random_range(40_000_000_000..50_000_000_000);
        ApiEvents {
            rng,
            account_id,
            last_id,
            made: 0,
        }
    }

    /// The next event, at that time (cut to milliseconds).
    pub fn at(&mut self, created_at: DateTime<Utc>) -> ApiEvent {
        let event_type = &EVENT_TYPES[self.made % EVENT_TYPES.len()];
        self.made += 1;
        self.last_id += self.rng.random_range(1..40);
        let created_at = created_at.trunc_subsecs(3);
        let values = self.values(event_type, created_at);
        let mut event = JsonObject::new();
        for key in KEYS {
            event.value(key, values.get(key).unwrap_or(&Value::Null));
        }
        ApiEvent {
            id: self.last_id,
            event_type_id: event_type.id,
            created_at,
            json: event.finish(),
        }
    }

    fn values(&mut self, event_type: &EventType, created_at: DateTime<Utc>) -> Map<String, Value> {
        let mut values = Map::new();
        for part in event_type.parts {
            let fields = fields_of(*part, &mut self.rng).into_iter();
            values.extend(fields.map(|(key, value)| (key.to_owned(), typed(key, value))));
        }
        if one_in(&mut self.rng, 3) {
            values.insert("actor_system".to_owned(), json!(""));
        }
        values.insert("id".to_owned(), json!(self.last_id));
        values.insert("event_type_id".to_owned(), json!(event_type.id));
        values.insert("created_at".to_owned(), json!(milliseconds(created_at)));
        values.insert("account_id".to_owned(), json!(self.account_id));
        values.insert("ipaddr".to_owned(), json!(pick(&mut self.rng, &ADDRESSES)));
        values
    }
}

/// Numbers are integers here, also where the webhook has their text; a uuid stays text.
fn typed(key: &str, value: Value) -> Value {
    let is_number = key.ends_with("_id") || key == "browser_fingerprint";
    let number = value.as_str().and_then(|text| text.parse::<u64>().ok());
    number.filter(|_| is_number).map_or(value, Value::from)
}

/// The webhook's form of the same happening: a uuid in place of the id, the same second, and otherwise the same
/// values, without what is null.
pub fn webhook_twin(event: &ApiEvent) -> onelogin::WebhookEvent {
    let values: Map<String, Value> = serde_json::from_str(&event.json).expect("a generated event is an object");
    let uuid = uuid(&mut StdRng::seed_from_u64(event.id));
    let at = event.created_at.trunc_subsecs(0);
    let timestamp = at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let mut twin = JsonObject::new();
    twin.value("create", &json!({"_id": uuid}))
        .text("uuid", &uuid)
        .text("event_timestamp", &timestamp);
    for (key, value) in values {
        if key != "id" && key != "created_at" && !value.is_null() {
            twin.value(&key, &value);
        }
    }
    onelogin::WebhookEvent {
        event_type_id: event.event_type_id,
        at,
        json: twin.finish(),
    }
}
