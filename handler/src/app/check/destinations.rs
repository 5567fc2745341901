//! Every table at every destination.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::finding::{Finding, Probe};
use crate::delivery::TableRoute;
use crate::destination::ProbeError;
use crate::jobs::{Plans, StreamPlan};
use crate::time::Deadline;

/// A part for every table of a destination.
pub fn probes(plans: &Plans, health: Option<&TableRoute>, deadline: Deadline) -> Vec<Probe> {
    let mut seen = BTreeSet::new();
    let mut probes = Vec::new();
    for target in targets(plans, health) {
        let table = target.table.name();
        // A table of a destination has one lock.
        if seen.insert(Arc::as_ptr(&target.send_lock)) {
            let subject = format!("table {table}");
            probes.push(Probe::new(subject.clone(), table_of(target, subject, deadline)));
        }
    }
    probes
}

fn targets(plans: &Plans, health: Option<&TableRoute>) -> Vec<TableRoute> {
    let mut targets = Vec::new();
    for plan in &plans.streams {
        match plan {
            StreamPlan::Windows(plan) => {
                targets.extend(plan.targets.iter().cloned());
                targets.extend(plan.pushed.iter().flat_map(|pushed| pushed.targets.iter().cloned()));
            }
            StreamPlan::Snapshot(plan) => targets.extend(plan.targets.iter().cloned()),
            StreamPlan::Consumed(plan) => targets.push(plan.target.clone()),
        }
    }
    // The tables of instances that are only pushed.
    targets.extend(plans.drains.iter().map(|drain| drain.target.clone()));
    targets.extend(health.cloned());
    targets
}

async fn table_of(target: TableRoute, subject: String, deadline: Deadline) -> Vec<Finding> {
    let table = target.table.name();
    let finding = match target.destination.probe(&table, deadline).await {
        Ok(text) => Finding::fine(subject, text),
        Err(error @ ProbeError::NoToken(_)) => Finding::untried(subject, error.to_string()),
        Err(ProbeError::NoStream(text)) if target.table.has_classic_names() => {
            Finding::failed(subject, format!("{text}. {}", classic_table(&table)))
        }
        Err(error @ (ProbeError::Failed(_) | ProbeError::NoStream(_))) => Finding::failed(subject, error.to_string()),
    };
    vec![finding]
}

/// A rule cannot be made for a table of the retired API, so that its stream is missing. Source: Azure Monitor, "Migrate
/// from the HTTP Data Collector API to the Logs Ingestion API".
fn classic_table(table: &str) -> String {
    format!(
        "If {table} was made by the HTTP Data Collector API (by an older connector), it is a classic table, which no rule can \
         fill before it is migrated, once and for good: az monitor log-analytics workspace table migrate --resource-group \
         <group> --workspace-name <workspace> --table-name {table}; then deploy again"
    )
}
