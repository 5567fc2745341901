//! Every table at every destination.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::finding::{Finding, Probe};
use crate::delivery::TableRoute;
use crate::functions::Work;
use crate::jobs::StreamPlan;
use crate::time::Deadline;

/// A part for every table of a destination.
pub fn probes(work: &Work, deadline: Deadline) -> Vec<(String, Probe)> {
    let mut seen = BTreeSet::new();
    let mut probes = Vec::new();
    for target in targets(work) {
        let table = target.table.name();
        // A table of a destination has one lock.
        if seen.insert(Arc::as_ptr(&target.send_lock)) {
            let subject = format!("table {table}");
            let probe: Probe = Box::pin(table_of(target, subject.clone(), deadline));
            probes.push((subject, probe));
        }
    }
    probes
}

fn targets(work: &Work) -> Vec<TableRoute> {
    let mut targets = Vec::new();
    for plan in &work.plans.streams {
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
    targets.extend(work.plans.drains.iter().map(|drain| drain.target.clone()));
    targets.extend(work.recorder.health_route.clone());
    targets
}

async fn table_of(target: TableRoute, subject: String, deadline: Deadline) -> Vec<Finding> {
    let table = target.table.name();
    let finding = match target.destination.probe(&table, deadline).await {
        Ok(text) => Finding::fine(subject, text),
        Err(text) => Finding::failed(subject, text),
    };
    vec![finding]
}
