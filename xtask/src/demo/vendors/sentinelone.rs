//! SentinelOne: a console whose things change between two polls. Every version that a poll can see is an event.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simulator::generate::sentinelone::{
    Activities, Activity, Agent, Agents, Alert, Alerts, Group, Groups, Threat, Threats, UnifiedAlert, UnifiedAlerts,
};
use simulator::sentinelone::{Options, SentinelOne};

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

/// What a console shows at one time.
#[derive(Default)]
struct Objects {
    activities: Vec<Activity>,
    agents: Vec<Agent>,
    groups: Vec<Group>,
    threats: Vec<Threat>,
    alerts: Vec<Alert>,
    unified_alerts: Vec<UnifiedAlert>,
}

/// The console at the beginning, and what is new or changed later.
pub struct SentinelOneScenario {
    first: Objects,
    later: Objects,
}

/// The console of one pass.
pub struct SentinelOneSimulation<'a> {
    scenario: &'a SentinelOneScenario,
    options: Options,
    vendor: SentinelOne,
}

impl SentinelOneScenario {
    pub fn generate(now: DateTime<Utc>) -> Self {
        let ago = |minutes: i64| now - TimeDelta::minutes(minutes);
        // After the first poll's view and old enough for the second one to look for.
        let between = |number: usize| ago(1) - TimeDelta::milliseconds(i64::try_from(number).unwrap_or_default());
        let mut activities = Activities::new(SEED);
        let mut agents = Agents::new(SEED);
        let mut groups = Groups::new(SEED);
        let mut threats = Threats::new(SEED);
        let mut alerts = Alerts::new(SEED);
        let mut unified = UnifiedAlerts::new(SEED);
        let first = Objects {
            activities: (0..120).map(|number| activities.at(ago(55 - number / 3))).collect(),
            agents: (0..40).map(|number| agents.new_object(ago(54 - number))).collect(),
            groups: (0..6).map(|number| groups.new_object(ago(50 - number))).collect(),
            threats: (0..15).map(|number| threats.new_object(ago(45 - number))).collect(),
            // The youngest ones stand in the overlap of the two polls: only there a change is seen.
            alerts: (0..20).map(|number| alerts.new_object(ago(2 + number))).collect(),
            unified_alerts: (0..18).map(|number| unified.new_object(ago(40 - number))).collect(),
        };
        let mut later = Objects {
            activities: (0..21).map(|number| activities.at(between(number / 3))).collect(),
            ..Objects::default()
        };
        let changed = |count: usize| (0..count).map(|number| (number, between(number)));
        for (number, at) in changed(12) {
            later.agents.push(agents.update(&first.agents[number], at));
        }
        for (number, at) in changed(2) {
            later.groups.push(groups.update(&first.groups[number], at));
        }
        for (number, at) in changed(6) {
            later.threats.push(threats.update(&first.threats[number], at));
        }
        for (number, at) in changed(3) {
            later.alerts.push(alerts.update(&first.alerts[number], at));
            later.alerts.push(alerts.late_object(ago(35), at));
        }
        for (number, at) in changed(5) {
            later
                .unified_alerts
                .push(unified.update(&first.unified_alerts[number], at));
        }
        Self { first, later }
    }

    pub fn expected(&self) -> Vec<Expected> {
        let [activities, agents, unified_alerts, alerts, groups, threats] = TABLES;
        let by_change = |row: &Value| name_from(row, "Id", "UpdatedAt");
        vec![
            Expected {
                table: activities,
                name_of: |row| name_from(row, "Id", "CreatedAt"),
                names: self.names(|of| &of.activities, |activity| name(&activity.id, activity.created_at)),
            },
            Expected {
                table: agents,
                name_of: by_change,
                names: self.names(|of| &of.agents, |agent| name(&agent.id, agent.updated_at)),
            },
            Expected {
                table: groups,
                name_of: by_change,
                names: self.names(|of| &of.groups, |group| name(&group.id, group.updated_at)),
            },
            Expected {
                table: threats,
                name_of: by_change,
                names: self.names(|of| &of.threats, |threat| name(&threat.id, threat.updated_at)),
            },
            Expected {
                table: alerts,
                name_of: |row| {
                    let info: Value = serde_json::from_str(row.get("AlertInfo")?.as_str()?).ok()?;
                    name_from(&info, "alertId", "updatedAt")
                },
                names: self.names(|of| &of.alerts, |alert| name(&alert.id, alert.updated_at)),
            },
            Expected {
                table: unified_alerts,
                name_of: |row| name_from(row, "AlertId", "UpdatedAt"),
                names: self.names(|of| &of.unified_alerts, |alert| name(&alert.id, alert.updated_at)),
            },
        ]
    }

    pub fn summary(&self) -> String {
        let (first, later) = (&self.first, &self.later);
        format!(
            "SentinelOne (simulated): {} activities, {} agents, {} groups, {} threats, {} alerts and {} unified alerts; \
             {} of these things changed between two polls, and {} alerts came long after their events",
            first.activities.len() + later.activities.len(),
            first.agents.len(),
            first.groups.len(),
            first.threats.len(),
            first.alerts.len() + later.alerts.len() / 2,
            first.unified_alerts.len(),
            later.agents.len()
                + later.groups.len()
                + later.threats.len()
                + later.alerts.len() / 2
                + later.unified_alerts.len(),
            later.alerts.len() / 2
        )
    }

    fn names<T: 'static>(&self, of: impl Fn(&Objects) -> &Vec<T>, name: impl Fn(&T) -> String) -> Vec<String> {
        of(&self.first).iter().chain(of(&self.later)).map(name).collect()
    }
}

impl<'a> SentinelOneSimulation<'a> {
    pub fn start(scenario: &'a SentinelOneScenario) -> Self {
        let options = Options::default();
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
        self.vendor.publish_activities(objects.activities.iter().cloned());
        self.vendor.publish_agents(objects.agents.iter().cloned());
        self.vendor.publish_groups(objects.groups.iter().cloned());
        self.vendor.publish_threats(objects.threats.iter().cloned());
        self.vendor.publish_alerts(objects.alerts.iter().cloned());
        self.vendor
            .publish_unified_alerts(objects.unified_alerts.iter().cloned());
    }

    pub fn violations(&self) -> Vec<String> {
        self.vendor.violations()
    }
}
