//! SentinelOne: a console whose things change between two polls. Every version that a poll can see is an event.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simulator::generate::sentinelone::{ConsoleObjects, Object};
use simulator::sentinelone::{ConsoleOptions, SentinelOne, Stream};

use super::common::{Expected, Phase, SEED, name, name_from};

pub const TABLES: [&str; 6] = [
    "SentinelOneActivities_CL",
    "SentinelOneAgents_CL",
    "SentinelOneAlertsV2_CL",
    "SentinelOneAlerts_CL",
    "SentinelOneGroups_CL",
    "SentinelOneThreats_CL",
];

const STREAMS: &str = "activities,agents,alerts,groups,threats,unified-alerts";

/// The console at the beginning, and what is new or changed later.
pub struct SentinelOneScenario {
    first: Vec<Object>,
    /// Alerts come in pairs: one that changed, and one that came long after its event.
    later: Vec<Object>,
}

/// The console of one pass.
pub struct SentinelOneSimulation<'a> {
    scenario: &'a SentinelOneScenario,
    options: ConsoleOptions,
    vendor: SentinelOne,
}

impl SentinelOneScenario {
    pub fn generate(now: DateTime<Utc>) -> Self {
        let ago = |minutes: i64| now - TimeDelta::minutes(minutes);
        // After the first poll's view and old enough for the second one to look for.
        let between = |number: usize| ago(1) - TimeDelta::milliseconds(i64::try_from(number).unwrap_or_default());
        let mut objects = ConsoleObjects::new(SEED);
        let mut first: Vec<Object> = (0..120)
            .map(|number| objects.new_object(Stream::Activities, ago(55 - number / 3)))
            .collect();
        let mut later: Vec<Object> = (0..21)
            .map(|number| objects.new_object(Stream::Activities, between(number / 3)))
            .collect();
        for (stream, made, youngest, changed) in [
            (Stream::Agents, 40, 15, 12),
            (Stream::Groups, 6, 45, 2),
            (Stream::Threats, 15, 31, 6),
            // The youngest ones stand in the overlap of the two polls: only there a change is seen.
            (Stream::Alerts, 20, 2, 3),
            (Stream::UnifiedAlerts, 18, 23, 5),
        ] {
            let old = (0..made).map(|number| objects.new_object(stream, ago(youngest + number)));
            let old: Vec<Object> = old.collect();
            for (number, object) in old.iter().take(changed).enumerate() {
                later.push(objects.update(object, between(number)));
                if stream == Stream::Alerts {
                    later.push(objects.late_alert(ago(35), between(number)));
                }
            }
            first.extend(old);
        }
        Self { first, later }
    }

    pub fn expected(&self) -> Vec<Expected> {
        let [activities, agents, unified_alerts, alerts, groups, threats] = TABLES;
        let by_change = |row: &Value| name_from(row, "Id", "UpdatedAt");
        let expected = |table, stream, name_of| Expected {
            table,
            name_of,
            names: self.names(stream),
        };
        vec![
            expected(activities, Stream::Activities, |row| name_from(row, "Id", "CreatedAt")),
            expected(agents, Stream::Agents, by_change),
            expected(groups, Stream::Groups, by_change),
            expected(threats, Stream::Threats, by_change),
            expected(alerts, Stream::Alerts, |row| {
                let info: Value = serde_json::from_str(row.get("AlertInfo")?.as_str()?).ok()?;
                name_from(&info, "alertId", "updatedAt")
            }),
            expected(unified_alerts, Stream::UnifiedAlerts, |row| {
                name_from(row, "AlertId", "UpdatedAt")
            }),
        ]
    }

    pub fn summary(&self) -> String {
        let first = |stream| count(&self.first, stream);
        let activities = count(&self.later, Stream::Activities);
        let late_alerts = count(&self.later, Stream::Alerts) / 2;
        format!(
            "SentinelOne (simulated): {} activities, {} agents, {} groups, {} threats, {} alerts and {} unified alerts; \
             {} of these things changed between two polls, and {late_alerts} alerts came long after their events",
            first(Stream::Activities) + activities,
            first(Stream::Agents),
            first(Stream::Groups),
            first(Stream::Threats),
            first(Stream::Alerts) + late_alerts,
            first(Stream::UnifiedAlerts),
            self.later.len() - activities - late_alerts,
        )
    }

    /// An activity is named by its creation, everything else by its last change.
    fn names(&self, stream: Stream) -> Vec<String> {
        let of_stream = self
            .first
            .iter()
            .chain(&self.later)
            .filter(|object| object.stream == stream);
        let named = of_stream.map(|object| match stream {
            Stream::Activities => name(&object.id, object.created_at),
            _ => name(&object.id, object.updated_at),
        });
        named.collect()
    }
}

fn count(objects: &[Object], stream: Stream) -> usize {
    objects.iter().filter(|object| object.stream == stream).count()
}

impl<'a> SentinelOneSimulation<'a> {
    pub fn start(scenario: &'a SentinelOneScenario) -> Self {
        let options = ConsoleOptions::default();
        Self {
            scenario,
            vendor: SentinelOne::start(options.clone()),
            options,
        }
    }

    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("SENTINELONE__URL", self.vendor.origin()),
            ("SENTINELONE__API_TOKEN", self.options.api_token.clone()),
            ("SENTINELONE__STREAMS", STREAMS.to_owned()),
        ]
    }

    pub fn advance(&self, phase: Phase) {
        let objects = match phase {
            Phase::Beginning => &self.scenario.first,
            Phase::Changes => &self.scenario.later,
            Phase::Repeats => return,
        };
        self.vendor.publish(objects.iter().cloned());
    }

    pub fn violations(&self) -> Vec<String> {
        self.vendor.violations()
    }
}
