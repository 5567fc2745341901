//! Events of PingOne for Enterprise poll subscriptions (vendor: add a poll subscription, Audit format; further
//! shapes as other parsers expect them).
//!
//! `recorded` is written in two orders, `yyyy-MM-dd` and `yyyy-dd-MM`: the vendor's own example and parsers of
//! the failed-code event have the second.

mod kinds;

use chrono::{DateTime, SubsecRound, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::json_object::JsonObject;
use super::{ADDRESSES, USER_AGENTS};
use crate::random::{one_in, pick, uuid};
use kinds::{EventKind, KINDS, Resources};

const PEOPLE: [&str; 4] = [
    "noor.haddad@example.com",
    "søren.lund@example.org",
    "\"quoted name\"@example.net",
    "柚子@example.com",
];

/// One event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SubscriptionEvent {
    /// `id`, a uuid.
    pub id: String,
    /// `source`, for example `PINGID`.
    pub source: &'static str,
    /// `recorded`, whole milliseconds.
    pub recorded: DateTime<Utc>,
    /// Whether `recorded` stands there as `yyyy-dd-MM`.
    pub day_before_month: bool,
    /// The event as compact JSON text.
    pub json: String,
}

/// Makes events of one subscription, kind after kind in a circle.
#[derive(Debug)]
pub struct SubscriptionEvents {
    rng: StdRng,
    made: usize,
}

impl SubscriptionEvents {
    /// A generator with that seed.
    pub fn new(seed: u64) -> Self {
        SubscriptionEvents {
            rng: StdRng::seed_from_u64(seed),
            made: 0,
        }
    }

    /// After so many events every kind has come.
    pub fn kinds() -> usize {
        KINDS.len()
    }

    /// The next event, recorded at that time (cut to milliseconds).
    pub fn at(&mut self, recorded: DateTime<Utc>) -> SubscriptionEvent {
        let kind = &KINDS[self.made % KINDS.len()];
        self.made += 1;
        let recorded = recorded.trunc_subsecs(3);
        let id = uuid(&mut self.rng);
        let json = self.event(kind, &id, recorded);
        SubscriptionEvent {
            id,
            source: kind.source,
            recorded,
            day_before_month: kind.day_before_month,
            json,
        }
    }

    fn event(&mut self, kind: &EventKind, id: &str, recorded: DateTime<Utc>) -> String {
        let order = if kind.day_before_month {
            "%Y-%d-%mT%H:%M:%S%.3fZ"
        } else {
            "%Y-%m-%dT%H:%M:%S%.3fZ"
        };
        let mut event = JsonObject::new();
        event
            .text("source", kind.source)
            .text("id", id)
            .text("recorded", &recorded.format(order).to_string())
            .value("action", &json!({"type": kind.action}));
        if !one_in(&mut self.rng, 5) {
            let name = pick(&mut self.rng, &PEOPLE);
            event.value("actors", &json!([{"type": "user", "name": name}]));
        }
        if let Some(resources) = self.resources(kind.resources) {
            event.value("resources", &resources);
        }
        if let Some(client) = self.client() {
            event.value("client", &client);
        }
        event.value("result", &json!({"status": kind.status, "message": kind.message}));
        event.finish()
    }

    /// A list at the vendor's, an object at other readers of the same events.
    fn resources(&mut self, resources: Resources) -> Option<Value> {
        let number = self.rng.random_range(2..19);
        let device = json!({
            "ipaddress": pick(&mut self.rng, &ADDRESSES),
            "devicemodel": format!("Pocket {number}"),
            "pingidmsg": "Code typed in \"by hand\" ",
        });
        match resources {
            Resources::None => None,
            Resources::EmptyList => Some(json!([])),
            Resources::List => Some(json!([device])),
            Resources::Object => Some(device),
            Resources::Mail => Some(json!([{
                "toAddress": pick(&mut self.rng, &PEOPLE),
                "fromAddress": "post@example.com",
                "subject": "Your code\nis inside",
                "smtpResponse": "250 2.0.0 taken",
            }])),
        }
    }

    /// Absent, empty, or with one address or two in one text.
    fn client(&mut self) -> Option<Value> {
        match self.rng.random_range(0..4) {
            0 => None,
            1 => Some(json!({})),
            2 => Some(json!({"id": pick(&mut self.rng, &USER_AGENTS), "ipAddress": pick(&mut self.rng, &ADDRESSES)})),
            _ => {
                let (near, far) = (pick(&mut self.rng, &ADDRESSES), pick(&mut self.rng, &ADDRESSES));
                let both = format!("{near}, {far}");
                Some(json!({"id": pick(&mut self.rng, &USER_AGENTS), "ipAddress": both}))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::{TimeDelta, TimeZone};

    use super::*;

    fn made(seed: u64, count: i64) -> Vec<SubscriptionEvent> {
        let start = Utc.with_ymd_and_hms(2026, 11, 20, 10, 0, 0).single().expect("a time");
        let mut events = SubscriptionEvents::new(seed);
        (0..count)
            .map(|step| events.at(start + TimeDelta::milliseconds(step)))
            .collect()
    }

    fn parsed(event: &SubscriptionEvent) -> Value {
        serde_json::from_str(&event.json).expect("an event is JSON")
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_ids_are_unique() {
        assert_eq!(made(1, 60), made(1, 60));
        assert_ne!(made(1, 1), made(2, 1));
        let ids: BTreeSet<String> = made(3, 500).into_iter().map(|event| event.id).collect();
        assert_eq!(ids.len(), 500);
    }

    #[test]
    fn dates_come_in_both_orders() {
        let events = made(4, 60);
        let with = |text: &str| {
            events
                .iter()
                .filter(|event| {
                    parsed(event)["recorded"]
                        .as_str()
                        .is_some_and(|time| time.starts_with(text))
                })
                .count()
        };

        let turned = events.iter().filter(|event| event.day_before_month).count();
        assert!(turned > 0 && turned < events.len());
        assert_eq!(with("2026-20-11T10:00:00."), turned);
        assert_eq!(with("2026-11-20T10:00:00."), events.len() - turned);
    }

    #[test]
    fn parts_are_there_in_every_form_that_was_seen() {
        let events: Vec<Value> = made(5, 300).iter().map(parsed).collect();
        let some = |matches: &dyn Fn(&Value) -> bool| events.iter().any(matches);

        assert!(some(&|event| event["resources"].is_array()) && some(&|event| event["resources"].is_object()));
        assert!(some(&|event| event.get("resources").is_none()));
        assert!(some(&|event| event["resources"] == json!([])));
        assert!(some(&|event| event.get("actors").is_none()) && some(&|event| event["actors"].is_array()));
        assert!(some(&|event| event.get("client").is_none()) && some(&|event| event["client"] == json!({})));
        let two = |event: &Value| {
            event["client"]["ipAddress"]
                .as_str()
                .is_some_and(|address| address.contains(", "))
        };
        assert!(some(&two));
        for source in ["ADMINISTRATOR_LOGIN", "PINGID", "SSO"] {
            assert!(some(&|event| event["source"] == source), "{source}");
        }
    }
}
