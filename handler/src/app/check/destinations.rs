//! Every table at every destination.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Check, Finding, Probe};
use crate::delivery::TableRoute;
use crate::jobs::StreamPlan;
use crate::time::Deadline;

impl Check {
    pub(super) fn destinations(&self, deadline: Deadline) -> Vec<(String, Probe)> {
        let mut seen = BTreeSet::new();
        let mut probes = Vec::new();
        for target in self.targets() {
            let table = target.table.name();
            // Everything that goes to a rule shares one client.
            let destination = Arc::as_ptr(&target.destination).cast::<()>() as usize;
            if seen.insert((table.clone(), destination)) {
                let subject = format!("table {table}");
                let probe: Probe = Box::pin(table_of(target, subject.clone(), deadline));
                probes.push((subject, probe));
            }
        }
        probes
    }

    fn targets(&self) -> Vec<TableRoute> {
        let mut targets = Vec::new();
        for plan in &self.work.plans.streams {
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
        targets.extend(self.work.plans.drains.iter().map(|drain| drain.target.clone()));
        targets.extend(self.work.recorder.health_route.clone());
        targets
    }
}

async fn table_of(target: TableRoute, subject: String, deadline: Deadline) -> Vec<Finding> {
    let table = target.table.name();
    let finding = match target.destination.probe(&table, deadline).await {
        Ok(text) => Finding::fine(subject, text),
        Err(text) => Finding::failed(subject, text),
    };
    vec![finding]
}
