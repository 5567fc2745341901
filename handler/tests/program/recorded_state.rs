//! A state directory that an earlier executable left: the present one shows it, goes on from it and repeats nothing.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use simulator::generate::onelogin_api::ApiEvent;
use simulator::onelogin_api::OneLoginApi;
use simulator::pingone::PingOne;
use simulator::pingone_enterprise::PingOneEnterprise;
use simulator::sentinelone::{SentinelOne, Stream};

use crate::harness::*;
use crate::ingestion::Azure;

const ENTERPRISE: &str = "PingOneEnterprise_AuditEvents_CL";
const S1_ACTIVITIES: &str = "SentinelOneActivities_CL";
const S1_AGENTS: &str = "SentinelOneAgents_CL";
const ONELOGIN_EVENTS: &str = "OneLoginEventsV2_CL";

/// The directory as it was recorded, and how far its times lie back.
struct Recorded {
    folder: PathBuf,
    at: DateTime<Utc>,
    shift: TimeDelta,
}

impl Recorded {
    /// As if it had been recorded ten minutes ago: leases have run out, and the vendors still show what was read.
    fn ten_minutes_ago() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state-1");
        let at = fs::read_to_string(folder.join("recorded-at.txt")).unwrap();
        let at: DateTime<Utc> = at.trim().parse().unwrap();
        let passed = now() - TimeDelta::minutes(10) - at;
        let shift = TimeDelta::seconds(passed.num_seconds());
        Self {
            folder,
            at: at + shift,
            shift,
        }
    }

    fn restore_to(&self, state: &Path) {
        let source = self.folder.join("state");
        for file in files_below(&source) {
            let target = state.join(file.strip_prefix(&source).unwrap());
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            let mut bytes = fs::read(&file).unwrap();
            if file.extension().is_some_and(|name| name == "ids") {
                self.shift_segment(&mut bytes);
            } else {
                bytes = self.shifted(&String::from_utf8(bytes).unwrap()).into_bytes();
            }
            fs::write(target, bytes).unwrap();
        }
    }

    fn text(&self, file: &str) -> String {
        self.shifted(&fs::read_to_string(self.folder.join(file)).unwrap())
    }

    fn published(&self, file: &str) -> Vec<String> {
        self.text(&format!("published/{file}.ndjson"))
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Every record ends with a time in milliseconds.
    fn shift_segment(&self, bytes: &mut [u8]) {
        let (magic, records) = bytes.split_at_mut(4);
        let length = match &*magic {
            b"IDS1" => 16 + 8,
            b"CPR1" => 1 + 3 * 16 + 8,
            _ => panic!("an unknown segment"),
        };
        for record in records.chunks_exact_mut(length) {
            let time = &mut record[length - 8..];
            let millis = i64::from_le_bytes((&*time).try_into().unwrap());
            time.copy_from_slice(&(millis + self.shift.num_milliseconds()).to_le_bytes());
        }
    }

    /// Moves every `2026-11-30T17:59:39Z`, with any fraction.
    fn shifted(&self, text: &str) -> String {
        let mut shifted = String::new();
        let mut rest = text;
        while let Some(end) = rest.find('Z') {
            let (before, after) = rest.split_at(end);
            let start = before.rfind(|next: char| !next.is_ascii_digit() && !"-T:.".contains(next));
            let (before, time) = before.split_at(start.map_or(0, |start| start + 1));
            shifted.push_str(before);
            match DateTime::parse_from_rfc3339(&format!("{time}Z")) {
                Ok(moment) => {
                    let moved = (moment + self.shift)
                        .naive_utc()
                        .format("%Y-%m-%dT%H:%M:%S")
                        .to_string();
                    shifted.push_str(&moved);
                    shifted.push_str(time.get(moved.len()..).unwrap_or_default());
                }
                Err(_) => shifted.push_str(time),
            }
            shifted.push('Z');
            rest = &after[1..];
        }
        shifted + rest
    }
}

/// The vendors that the state is of, with what they had published then.
struct Vendors {
    pingone: PingOne,
    enterprise: PingOneEnterprise,
    console: SentinelOne,
    onelogin: OneLoginApi,
}

impl Vendors {
    fn with_what_is_known(recorded: &Recorded) -> Self {
        let vendors = Self {
            pingone: PingOne::start(options()),
            enterprise: PingOneEnterprise::start(Default::default()),
            console: SentinelOne::start(console_options()),
            onelogin: OneLoginApi::start(Default::default()),
        };
        for number in 0..8 {
            vendors.publish_activity(
                &format!("polled-{number}"),
                recorded.at - TimeDelta::minutes(9 - number),
            );
        }
        // A version of an agent is named by its time too, which has moved: agents are not shown again.
        for activity in recorded.published("sentinelone-activities") {
            vendors.console.publish_raw(Stream::Activities, activity);
        }
        vendors
            .onelogin
            .publish_events(recorded.published("onelogin-events").into_iter().map(event_of));
        vendors
    }

    fn publish_activity(&self, id: &str, at: DateTime<Utc>) {
        let time = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let activity = json!({"id": id, "recordedAt": time, "createdAt": time,
            "action": {"type": "USER.UPDATED", "description": "User updated"}, "result": {"status": "SUCCESS"}});
        self.pingone.publish_raw(at, activity.to_string());
    }

    fn configure(&self, handler: &mut Handler) {
        handler.add_pingone("PINGONE__", ENVIRONMENT_ID, &self.pingone);
        handler.add_sentinelone("SENTINELONE__", &self.console);
        let (enterprise, onelogin) = (
            simulator::pingone_enterprise::SubscriptionOptions::default(),
            simulator::onelogin_api::AccountOptions::default(),
        );
        for (name, value) in [
            ("PINGONE__PUSH_TOKEN", PUSH_TOKEN),
            ("PINGONE__ACME__PUSH_TOKEN", "another-token-that-nobody-may-see"),
            ("PINGONE_ENTERPRISE__POLL_URL", &self.enterprise.poll_url()),
            ("PINGONE_ENTERPRISE__TOKEN_URL", &self.enterprise.token_url()),
            ("PINGONE_ENTERPRISE__CLIENT_ID", &enterprise.client_id),
            ("PINGONE_ENTERPRISE__CLIENT_SECRET", &enterprise.client_secret),
            ("SENTINELONE__STREAMS", "activities,agents"),
            ("ONELOGIN__BEARER_TOKEN", "one-more-token-that-nobody-may-see"),
            ("ONELOGIN__URL", &self.onelogin.origin()),
            ("ONELOGIN__CLIENT_ID", &onelogin.client_id),
            ("ONELOGIN__CLIENT_SECRET", &onelogin.client_secret),
            ("POLL_SETTLE", "1s"),
            // Ten minutes without a run are not yet "behind".
            ("POLL_SCHEDULE", "0 */5 * * * *"),
        ] {
            handler.set(name, value);
        }
    }
}

fn event_of(json: String) -> ApiEvent {
    let event: Value = serde_json::from_str(&json).unwrap();
    ApiEvent {
        id: event["id"].as_u64().unwrap(),
        event_type_id: u32::try_from(event["event_type_id"].as_u64().unwrap()).unwrap(),
        created_at: event["created_at"].as_str().unwrap().parse().unwrap(),
        json,
    }
}

async fn status(handler: &Handler) -> Value {
    let ended = handler.run(&["status", "--json"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    serde_json::from_str(&ended.output).unwrap()
}

/// Every member of `old` is in `new` with its value, but for those that depend on the present.
fn assert_shows(path: &str, old: &Value, new: &Value) {
    const OF_THE_PRESENT: [&str; 5] = [".at", ".handler", "lag_seconds", "oldest", "clock_offset_seconds"];
    match (old, new) {
        (Value::Object(old), Value::Object(_)) => {
            for (name, value) in old {
                let path = format!("{path}.{name}");
                if !OF_THE_PRESENT
                    .iter()
                    .any(|name| path == *name || path.ends_with(&format!(".{name}")))
                {
                    assert_shows(&path, value, &new[name]);
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (number, (old, new)) in old.iter().zip(new).enumerate() {
                assert_shows(&format!("{path}[{number}]"), old, new);
            }
        }
        _ => assert_eq!(old, new, "{path}"),
    }
}

fn sorted<T: Ord>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort();
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_executable_left_is_shown_and_continued() {
    let recorded = Recorded::ten_minutes_ago();
    let vendors = Vendors::with_what_is_known(&recorded);
    let azure = Azure::with_tables(&[
        ACTIVITIES,
        ENTERPRISE,
        S1_ACTIVITIES,
        S1_AGENTS,
        ONELOGIN,
        ONELOGIN_EVENTS,
        "OneLoginUsersV2_CL",
        "SentinelConnectorHealth_CL",
    ]);
    let mut handler = Handler::new();
    vendors.configure(&mut handler);
    azure.configure(&mut handler);
    handler.set("HEALTH__ENABLED", "true");
    recorded.restore_to(&handler.path("data/state"));

    let old: Value = serde_json::from_str(&recorded.text("status.json")).unwrap();
    assert_shows("", &old, &status(&handler).await);

    // Of what the vendors show only this is new; the rest of the rows waits in the spool.
    vendors.publish_activity("new", now() - TimeDelta::minutes(5));
    handler.poll_well().await;
    assert_eq!(sorted(azure.ids(ACTIVITIES)), ["acme-2", "new", "waits-0", "waits-1"]);
    assert_eq!(azure.ingestion.rows(ENTERPRISE).len(), 3);
    let pushed = azure.ingestion.rows(ONELOGIN);
    assert_eq!(
        sorted(pushed.iter().map(|row| row["user_id_d"].as_u64().unwrap())),
        [2, 3]
    );
    for table in [S1_ACTIVITIES, S1_AGENTS, ONELOGIN_EVENTS] {
        assert_eq!(azure.ingestion.rows(table), Vec::<Value>::new(), "{table}");
    }

    let ended = handler.run(&["replay", "--dead-letters"]).await;
    assert!(
        azure.ids(ACTIVITIES).contains(&"refused-by-the-rule".to_owned()),
        "{}",
        ended.output
    );
    let now_left = status(&handler).await;
    assert_eq!(now_left["spool"], json!([]));
    assert_eq!(now_left["dead_letters"]["pingone/default/activities"]["letters"], 1);
    for violations in [
        vendors.pingone.violations(),
        vendors.console.violations(),
        vendors.onelogin.violations(),
        vendors.enterprise.violations(),
    ] {
        assert_eq!(violations, Vec::<String>::new());
    }
}
