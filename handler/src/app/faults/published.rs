//! What the vendors have published, under marks, and what of it the tables must hold in the end.

use std::collections::BTreeMap;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::{Value, json};
use simulator::generate::{onelogin, onelogin_api, pingone, pingone_enterprise};
use simulator::sentinelone::Stream;

use super::marks::Origin;
use super::rng::SeededRng;
use super::vendors::Vendors;
use crate::time::rfc3339_millis;

const PINGONE_TABLES: [&str; 2] = ["PingOne_AuditActivitiesV2_CL", "PingOne_AuditActivities_CL"];
const USERS_TABLE: &str = "OneLoginUsersV2_CL";

/// An object of the vendors, of which only the newest version can be read.
type ObjectId = (&'static str, usize);

#[derive(Debug, Default)]
pub struct Published {
    numbers: BTreeMap<Origin, usize>,
    /// The mark of the newest version of each object of each table.
    newest: BTreeMap<ObjectId, String>,
    /// When each object that can change changed last.
    changed_at: BTreeMap<ObjectId, DateTime<Utc>>,
    onelogin: Vec<OneLoginEvent>,
    /// What reading has consumed, with the time of the reply.
    consumed: Vec<(Vec<String>, DateTime<Utc>)>,
}

/// An event of OneLogin that its webhook pushes and its API shows under another key, or only one of the two.
///
/// What both forms share does not tell all events apart: a few users, one kind, whole seconds.
#[derive(Clone, Debug)]
pub struct OneLoginEvent {
    number: usize,
    pub created_at: DateTime<Utc>,
    pub user: u64,
    pub is_in_api: bool,
}

impl OneLoginEvent {
    /// What both forms share.
    pub fn common(&self) -> (DateTime<Utc>, u64) {
        (self.created_at.trunc_subsecs(0), self.user)
    }

    /// In the rows of its pushed form.
    pub fn pushed_mark(&self) -> String {
        Origin::OneLoginPushed.mark(self.number)
    }

    /// In the rows of the form that the API shows.
    pub fn read_mark(&self) -> String {
        Origin::OneLoginEvents.mark(self.number)
    }

    /// The form that the webhook pushes, with something added to the user's name.
    pub fn pushed(&self, addition: &str) -> onelogin::WebhookEvent {
        let json = json!({
            "event_timestamp": self.created_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            "event_type_id": 5,
            "user_id": self.user,
            "user_name": format!("{} {addition}", self.pushed_mark()),
        });
        onelogin::WebhookEvent {
            event_type_id: 5,
            at: self.created_at.trunc_subsecs(0),
            json: json.to_string(),
        }
    }

    fn read(&self) -> onelogin_api::ApiEvent {
        let id = 1000 + self.number as u64;
        let json = json!({"id": id, "created_at": rfc3339_millis(self.created_at), "event_type_id": 5,
            "user_id": self.user, "user_name": self.read_mark()});
        onelogin_api::ApiEvent {
            id,
            event_type_id: 5,
            created_at: self.created_at,
            json: json.to_string(),
        }
    }
}

impl Published {
    /// What each table must hold in the end, by mark. Not among it: what reading consumes, and what is pushed.
    pub fn expected(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.newest.iter().map(|((table, _), mark)| (*table, mark.as_str()))
    }

    pub fn onelogin_events(&self) -> &[OneLoginEvent] {
        &self.onelogin
    }

    /// What each reply that consumed held, with its time.
    pub fn consumed(&self) -> &[(Vec<String>, DateTime<Utc>)] {
        &self.consumed
    }

    pub fn note_consumed(&mut self, marks: Vec<String>, at: DateTime<Utc>) {
        if !marks.is_empty() {
            self.consumed.push((marks, at));
        }
    }

    pub fn pingone(&mut self, vendors: &Vendors, recorded_at: DateTime<Utc>) -> pingone::Activity {
        let (number, mark) = self.next(Origin::PingOne);
        for table in PINGONE_TABLES {
            self.newest.insert((table, number), mark.clone());
        }
        let time = rfc3339_millis(recorded_at);
        let json = json!({"id": mark, "recordedAt": time, "createdAt": time, "action": {"type": "USER.CREATED"}});
        let activity = pingone::Activity {
            id: mark,
            action_type: "USER.CREATED".to_owned(),
            recorded_at: recorded_at.trunc_subsecs(3),
            created_at: recorded_at.trunc_subsecs(3),
            json: json.to_string(),
        };
        vendors.pingone.publish([activity.clone()]);
        activity
    }

    pub fn enterprise(&mut self, vendors: &Vendors, recorded: DateTime<Utc>) {
        let (_, mark) = self.next(Origin::Enterprise);
        let json = json!({"id": mark, "source": "SSO", "recorded": rfc3339_millis(recorded)});
        vendors.enterprise.publish([pingone_enterprise::SubscriptionEvent {
            id: mark,
            source: "SSO",
            recorded,
            day_before_month: false,
            json: json.to_string(),
        }]);
    }

    /// An object of a SentinelOne stream, or a change of one that is there.
    pub fn sentinelone(&mut self, vendors: &Vendors, rng: &SeededRng, stream: Stream, at: DateTime<Utc>) {
        let table = table_of(stream);
        let can_change = !matches!(stream, Stream::Activities | Stream::Alerts);
        let (number, mark) = self.next(Origin::SentinelOne);
        let object = match can_change && rng.hits(0.3) {
            true => self.any_of(table, rng).unwrap_or(number),
            false => number,
        };
        let at = self.change((table, object), at);
        let event = sentinelone_object(stream, object, at, &mark);
        self.newest.insert((table, object), mark);
        vendors.sentinelone.publish_raw(stream, event.to_string());
    }

    /// A user of OneLogin, or a change of one.
    pub fn onelogin_user(&mut self, vendors: &Vendors, rng: &SeededRng, at: DateTime<Utc>) {
        let (number, mark) = self.next(Origin::OneLoginUsers);
        let object = match rng.hits(0.4) {
            true => self.any_of(USERS_TABLE, rng).unwrap_or(number),
            false => number,
        };
        let updated_at = self.change((USERS_TABLE, object), at);
        let (id, time) = (object as u64, rfc3339_millis(updated_at));
        let json = json!({"id": id, "username": mark, "created_at": time, "updated_at": time});
        self.newest.insert((USERS_TABLE, object), mark);
        vendors.onelogin.publish_users([onelogin_api::User {
            id,
            created_at: at,
            updated_at,
            json: json.to_string(),
        }]);
    }

    /// An event that the API of OneLogin shows at once, or never.
    pub fn onelogin_event(
        &mut self,
        vendors: &Vendors,
        rng: &SeededRng,
        created_at: DateTime<Utc>,
        is_in_api: bool,
    ) -> OneLoginEvent {
        let event = OneLoginEvent {
            number: self.onelogin.len(),
            created_at: created_at.trunc_subsecs(3),
            user: rng.between(1, 4),
            is_in_api,
        };
        if is_in_api {
            vendors.onelogin.publish_events([event.read()]);
        }
        self.onelogin.push(event.clone());
        event
    }

    /// An event that only the webhook of OneLogin has, with something added to its notes.
    pub fn pushed_only(&mut self, at: DateTime<Utc>, addition: &str) -> (String, onelogin::WebhookEvent) {
        let (number, mark) = self.next(Origin::OneLoginPushed);
        let json = json!({"event_timestamp": "2026-11-20 11:59:00 UTC", "event_type_id": 5, "user_id": number,
            "notes": format!("{mark} {addition}")});
        let event = onelogin::WebhookEvent {
            event_type_id: 5,
            at,
            json: json.to_string(),
        };
        (mark, event)
    }

    /// The next number, and the mark with it.
    fn next(&mut self, origin: Origin) -> (usize, String) {
        let number = self.numbers.entry(origin).or_default();
        *number += 1;
        (*number, origin.mark(*number))
    }

    /// An object of the table that is already there.
    fn any_of(&self, table: &'static str, rng: &SeededRng) -> Option<usize> {
        let objects: Vec<usize> = self
            .newest
            .range((table, 0)..=(table, usize::MAX))
            .map(|((_, object), _)| *object)
            .collect();
        (!objects.is_empty()).then(|| rng.one_of(&objects))
    }

    /// The object changes at that time, or right after its change before.
    fn change(&mut self, object: ObjectId, at: DateTime<Utc>) -> DateTime<Utc> {
        let before = self.changed_at.get(&object).copied();
        let at = before.map_or(at, |before| at.max(before + TimeDelta::milliseconds(1)));
        self.changed_at.insert(object, at);
        at
    }
}

fn table_of(stream: Stream) -> &'static str {
    match stream {
        Stream::Activities => "SentinelOneActivities_CL",
        Stream::Agents => "SentinelOneAgents_CL",
        Stream::Groups => "SentinelOneGroups_CL",
        Stream::Threats => "SentinelOneThreats_CL",
        Stream::Alerts => "SentinelOneAlerts_CL",
        Stream::UnifiedAlerts => "SentinelOneAlertsV2_CL",
    }
}

/// As much of an object as its row needs to be told from others.
fn sentinelone_object(stream: Stream, object: usize, at: DateTime<Utc>, mark: &str) -> Value {
    let id = object.to_string();
    let at = at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    match stream {
        Stream::Activities => json!({"id": id, "activityType": 5020, "createdAt": at, "updatedAt": at,
            "primaryDescription": mark}),
        Stream::Agents => json!({"id": id, "createdAt": at, "updatedAt": at, "computerName": mark,
            "isDecommissioned": object.is_multiple_of(3), "isUninstalled": object.is_multiple_of(5)}),
        Stream::Groups => json!({"id": id, "createdAt": at, "updatedAt": at, "name": mark}),
        Stream::Threats => json!({"id": id, "threatInfo": {"createdAt": at, "updatedAt": at, "threatName": mark}}),
        Stream::Alerts => json!({"alertInfo": {"alertId": id, "createdAt": at, "reportedAt": at, "updatedAt": at},
            "ruleInfo": {"name": mark}}),
        Stream::UnifiedAlerts => json!({"id": id, "createdAt": at, "updatedAt": at, "detectedAt": at, "name": mark}),
    }
}
