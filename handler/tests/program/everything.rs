//! Every vendor and the Logs Ingestion API at once, and the account of what arrived there.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use simulator::azurite::Azurite;
use simulator::functions_host::FunctionsHost;
use simulator::generate::{onelogin_api, pingone as pingone_events, pingone_enterprise as enterprise_events};
use simulator::onelogin_api::OneLoginApi;
use simulator::pingone::PingOne;
use simulator::pingone_enterprise::PingOneEnterprise;
use simulator::sentinelone::{SentinelOne, Stream};

use crate::harness::*;
use crate::ingestion::Azure;
use crate::sentinelone::{names, table, version_of};

pub const ENTERPRISE: &str = "PingOneEnterprise_AuditEvents_CL";
pub const ONELOGIN_EVENTS: &str = "OneLoginEventsV2_CL";
pub const ONELOGIN_USERS: &str = "OneLoginUsersV2_CL";

/// What is polled without a setting.
const STREAMS: [Stream; 5] = [
    Stream::Activities,
    Stream::Agents,
    Stream::Groups,
    Stream::Threats,
    Stream::Alerts,
];

/// The vendors, the destination, and what was handed to senders of pushes.
pub struct Everything {
    pub pingone: PingOne,
    pub enterprise: PingOneEnterprise,
    pub console: SentinelOne,
    pub onelogin: OneLoginApi,
    pub azure: Azure,
    makers: Makers,
    /// What senders have not got a 200 for yet.
    pub waiting_pushes: Vec<Push>,
    pushed: u32,
    /// What was handed to OneLogin's sender.
    pushed_events: BTreeSet<String>,
}

struct Makers {
    activities: pingone_events::Activities,
    enterprise: enterprise_events::SubscriptionEvents,
    estate: Estate,
    events: onelogin_api::ApiEvents,
}

/// A body that its sender repeats until it is accepted.
#[derive(Clone)]
pub struct Push {
    route: &'static str,
    body: String,
}

/// What a row tells, and which call brought it.
pub struct Arrival {
    pub identity: String,
    /// Its place among all calls.
    pub call: usize,
}

impl Everything {
    pub fn start(seed: u64) -> Self {
        let mut tables = vec![ACTIVITIES, ENTERPRISE, ONELOGIN, ONELOGIN_EVENTS, ONELOGIN_USERS];
        tables.extend(STREAMS.map(table));
        let everything = Self {
            pingone: PingOne::start(options()),
            enterprise: PingOneEnterprise::start(simulator::pingone_enterprise::SubscriptionOptions {
                batch_size: 5,
                ..Default::default()
            }),
            console: SentinelOne::start(console_options()),
            onelogin: OneLoginApi::start(Default::default()),
            azure: Azure::with_tables(&tables),
            makers: Makers {
                activities: pingone_events::Activities::new(seed, ENVIRONMENT_ID),
                enterprise: enterprise_events::SubscriptionEvents::new(seed),
                estate: Estate::new(seed),
                events: onelogin_api::ApiEvents::new(seed, 4711),
            },
            waiting_pushes: Vec::new(),
            pushed: 0,
            pushed_events: BTreeSet::new(),
        };
        // They are walked once a day: none may come later.
        let mut users = onelogin_api::Users::new(seed);
        let users: Vec<_> = (0..60).map(|_| users.new_object(now() - TimeDelta::hours(1))).collect();
        everything.onelogin.publish_users(users);
        everything
    }

    /// A handler that polls everything and takes pushes, with its state in a local directory.
    pub fn handler(&self) -> Handler {
        let mut handler = Handler::with_pingone(&self.pingone);
        self.azure.configure(&mut handler);
        let enterprise = simulator::pingone_enterprise::SubscriptionOptions::default();
        let onelogin = simulator::onelogin_api::AccountOptions::default();
        handler.add_sentinelone("SENTINELONE__", &self.console);
        for (name, value) in [
            ("POLL_SETTLE", "1s"),
            ("PINGONE__PUSH_TOKEN", PUSH_TOKEN),
            ("PINGONE_ENTERPRISE__POLL_URL", &self.enterprise.poll_url()),
            ("PINGONE_ENTERPRISE__CLIENT_ID", &enterprise.client_id),
            ("PINGONE_ENTERPRISE__CLIENT_SECRET", &enterprise.client_secret),
            ("PINGONE_ENTERPRISE__TOKEN_URL", &self.enterprise.token_url()),
            ("ONELOGIN__URL", &self.onelogin.origin()),
            ("ONELOGIN__CLIENT_ID", &onelogin.client_id),
            ("ONELOGIN__CLIENT_SECRET", &onelogin.client_secret),
            ("ONELOGIN__HOOK__BEARER_TOKEN", PUSH_TOKEN),
        ] {
            handler.set(name, value);
        }
        handler
    }

    /// New events of the last minutes of everything that is polled, so many of each.
    pub fn publish(&mut self, count: i32) {
        let times = || {
            let start = now() - TimeDelta::minutes(4);
            (0..count).map(move |number| start + TimeDelta::seconds(200) / count * number)
        };
        let makers = &mut self.makers;
        let activities: Vec<_> = times().map(|at| makers.activities.at(at)).collect();
        self.pingone.publish(activities);
        let events: Vec<_> = times().map(|at| makers.enterprise.at(at)).collect();
        self.enterprise.publish(events);
        let events: Vec<_> = times().map(|at| makers.events.at(at)).collect();
        self.onelogin.publish_events(events);
        for stream in STREAMS {
            makers.estate.publish(&self.console, stream, times());
        }
    }

    /// New events for the senders of webhooks. PingOne shows its own to whoever polls as well.
    pub fn publish_to_senders(&mut self, count: u32) {
        let at: DateTime<Utc> = now() - TimeDelta::seconds(90);
        let activities: Vec<_> = (0..count).map(|_| self.makers.activities.at(at)).collect();
        let texts: Vec<&str> = activities.iter().map(|activity| activity.json.as_str()).collect();
        self.waiting_pushes.push(Push {
            route: "/api/push/pingone",
            body: format!("[{}]", texts.join(",")),
        });
        self.pingone.publish(activities);

        let numbers = self.pushed..self.pushed + count;
        self.pushed += count;
        let event = |number: u32| {
            let at = at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
            json!({"event_timestamp": at, "event_type_id": 5, "user_id": number})
        };
        let events: Vec<Value> = numbers.clone().map(event).collect();
        self.pushed_events.extend(numbers.map(|number| number.to_string()));
        self.waiting_pushes.push(Push {
            route: "/api/push/onelogin",
            body: Value::from(events).to_string(),
        });
    }

    /// What must be there, by table.
    fn expected(&self) -> BTreeMap<&'static str, BTreeSet<String>> {
        let mut expected = BTreeMap::new();
        let activities = self.pingone.published().into_iter().map(|activity| activity.id);
        expected.insert(ACTIVITIES, activities.collect());
        let events = self.enterprise.published().into_iter().map(|event| event.id);
        expected.insert(ENTERPRISE, events.collect());
        let events = self.onelogin.published_events().into_iter();
        expected.insert(ONELOGIN_EVENTS, events.map(|event| event.id.to_string()).collect());
        let users = self.onelogin.current_users().into_iter();
        expected.insert(ONELOGIN_USERS, users.map(|user| user.id.to_string()).collect());
        expected.insert(ONELOGIN, self.pushed_events.clone());
        let versions = self.console.versions_current();
        for stream in STREAMS {
            let of_stream = names(stream, &versions).into_iter();
            expected.insert(
                table(stream),
                of_stream.map(|(id, version)| id + " " + &version).collect(),
            );
        }
        expected
    }

    /// What has not arrived, by table. Panics about a row that was never an event.
    pub fn missing(&self) -> BTreeMap<&'static str, BTreeSet<String>> {
        let mut missing = self.expected();
        for (table, expected) in &mut missing {
            for arrival in self.arrivals(table) {
                expected.remove(&arrival.identity);
            }
        }
        missing.retain(|_, identities| !identities.is_empty());
        missing
    }

    /// Every row of a table in order of arrival.
    pub fn arrivals(&self, table: &str) -> Vec<Arrival> {
        let rows = self.azure.ingestion.rows(table);
        let calls = self.azure.ingestion.calls();
        let of_rows = calls
            .iter()
            .enumerate()
            .filter(|(_, call)| call.table == table)
            .flat_map(|(place, call)| std::iter::repeat_n(place, call.rows));
        let of_rows: Vec<usize> = of_rows.collect();
        assert_eq!(of_rows.len(), rows.len(), "{table}: every row came with a call");
        rows.iter()
            .zip(of_rows)
            .map(|(row, call)| Arrival {
                identity: identity(table, row),
                call,
            })
            .collect()
    }

    /// By table, the calls whose rows came once more with a later call.
    pub fn doubled_calls(&self) -> BTreeMap<&'static str, BTreeSet<usize>> {
        let mut doubled: BTreeMap<&'static str, BTreeSet<usize>> = BTreeMap::new();
        for table in self.expected().into_keys() {
            let mut last: BTreeMap<String, usize> = BTreeMap::new();
            for arrival in self.arrivals(table) {
                if let Some(before) = last.insert(arrival.identity.clone(), arrival.call) {
                    assert_ne!(before, arrival.call, "{table}: {} twice in one batch", arrival.identity);
                    doubled.entry(table).or_default().insert(before);
                }
            }
        }
        doubled
    }

    /// What the handler did against a contract. `torn` bodies at most may come from killed processes.
    pub fn assert_no_violations(&self, torn: usize) {
        let mut of_ingestion = self.azure.ingestion.violations();
        let all = of_ingestion.len();
        of_ingestion.retain(|violation| violation != "a body could not be read to its end");
        assert_eq!(of_ingestion, Vec::<String>::new());
        assert!(all <= torn, "{all} bodies were torn");
        assert_eq!(self.pingone.violations(), Vec::<String>::new());
        assert_eq!(self.enterprise.violations(), Vec::<String>::new());
        assert_eq!(self.console.violations(), Vec::<String>::new());
        assert_eq!(self.onelogin.violations(), Vec::<String>::new());
    }
}

impl Push {
    /// One try; whether it was accepted.
    pub async fn send(&self, host: &FunctionsHost) -> bool {
        let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
        let answer = host
            .http("POST", self.route, &headers, self.body.clone().into_bytes())
            .await;
        answer.is_ok_and(|answer| answer.status == 200)
    }
}

fn identity(of: &str, row: &Value) -> String {
    let number = |name: &str| row[name].as_f64().unwrap().to_string();
    match of {
        ONELOGIN => number("user_id_d"),
        ONELOGIN_EVENTS => number("EventId"),
        ONELOGIN_USERS => number("UserAttributesId"),
        ACTIVITIES | ENTERPRISE => row["Id"].as_str().unwrap().to_owned(),
        _ => {
            let stream = STREAMS.into_iter().find(|stream| table(*stream) == of).unwrap();
            let (id, version) = version_of(stream, row);
            id + " " + &version
        }
    }
}

/// Lets a killed process's leases in a container end, which otherwise takes half a minute each.
pub async fn end_leases(azurite: &Azurite, container: &str) {
    for name in azurite.list(container, "leases/").await {
        let bytes = azurite.read(container, &name).await.unwrap();
        let mut lease: Value = serde_json::from_slice(&bytes).unwrap();
        if !lease["until"].is_null() {
            lease["until"] = json!("2026-01-01T00:00:00Z");
            azurite.write(container, &name, lease.to_string()).await;
        }
    }
}
