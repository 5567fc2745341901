//! What happens in the demo: which events there are, and when each vendor shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simulator::generate::onelogin::{Event, Events};
use simulator::generate::pingone::{Activities, Activity};
use simulator::tables::TableSchema;

/// The simulated environment.
pub const ENVIRONMENT_ID: &str = "d3300000-0000-4000-8000-000000000001";
pub const ACTIVITIES: &str = "PingOne_AuditActivitiesV2_CL";
pub const ONELOGIN: &str = "OneLogin_CL";

const SEED: u64 = 2026;
const ACCOUNT_ID: u32 = 4711;

/// The events of both vendors.
pub struct Script {
    /// Shown from the beginning; three in every millisecond that has any.
    pub early: Vec<Activity>,
    /// Shown after the first poll, though recorded before its end.
    pub late: Vec<Activity>,
    /// Pushed one by one, a second apart.
    pub pushed: Vec<Event>,
}

impl Script {
    /// Seeded events of the last hour.
    pub fn write() -> Self {
        let now = DateTime::<Utc>::from(SystemTime::now());
        let mut activities = Activities::new(SEED, ENVIRONMENT_ID);
        let start = now - TimeDelta::minutes(50);
        let early: Vec<_> = (0..600)
            .map(|number| activities.at(start + TimeDelta::seconds(number / 3 * 14)))
            .collect();
        let late = early
            .iter()
            .rev()
            .take(9)
            .map(|activity| activities.at(activity.recorded_at))
            .collect();
        let mut events = Events::new(SEED, ACCOUNT_ID);
        let pushed = (0..57)
            .map(|number| events.at(now - TimeDelta::seconds(57 - number)))
            .collect();
        Self { early, late, pushed }
    }

    /// Every event once, in rows that fit their tables.
    pub fn check(&self, tables: &BTreeMap<String, Vec<Value>>) -> Result<(), String> {
        let schemas = TableSchema::load_all();
        for (table, rows) in tables {
            let schema = schemas
                .get(table)
                .ok_or_else(|| format!("{table} is no table of ours"))?;
            for row in rows {
                if let Some(violation) = schema.violations(row).first() {
                    return Err(format!("{table}: {violation} in {row}"));
                }
            }
        }
        let none = Vec::new();
        let activities = tables.get(ACTIVITIES).unwrap_or(&none);
        let ids: BTreeSet<&str> = activities.iter().filter_map(|row| row.get("Id")?.as_str()).collect();
        let expected: BTreeSet<&str> = self
            .early
            .iter()
            .chain(&self.late)
            .map(|activity| activity.id.as_str())
            .collect();
        if ids != expected || activities.len() != expected.len() {
            return Err(format!(
                "{} activities were recorded, {} rows arrived, {} of them different",
                expected.len(),
                activities.len(),
                ids.len()
            ));
        }
        let pushed = tables.get(ONELOGIN).map_or(0, Vec::len);
        if pushed != self.pushed.len() {
            return Err(format!(
                "{} events were pushed, {pushed} rows arrived",
                self.pushed.len()
            ));
        }
        Ok(())
    }
}
