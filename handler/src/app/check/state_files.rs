//! What the state holds of every stream: a run would refuse what is damaged, so a check says it before that.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::finding::{Finding, Severity};
use crate::app::runtime::Runtime;
use crate::event::StreamName;
use crate::state::StoreError;
use crate::status::read_stored_files;
use crate::time::rfc3339_millis;

/// A line for every stream whose files cannot be read, and one for those that can.
pub async fn probe(runtime: Arc<Runtime>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut read = 0;
    for name in runtime.plans.stream_names() {
        match read_stored_files(&runtime.plans, &runtime.context, &runtime.recorder.healths, name).await {
            Ok(stored) => {
                read += stored.files;
                let ahead = stored.in_the_future.iter();
                findings.extend(ahead.map(|(table, watermark)| in_the_future(name, table, *watermark)));
            }
            Err(error @ StoreError::Backend { .. }) => return vec![Finding::failed("state files", error.to_string())],
            Err(error) => findings.push(Finding::failed(format!("state of {name}"), error.to_string())),
        }
    }
    if read > 0 {
        findings.push(Finding::fine("state files", format!("{read} can be read")));
    }
    findings
}

fn in_the_future(name: &StreamName, table: &str, watermark: DateTime<Utc>) -> Finding {
    let text = format!(
        "{table} was read up to {}, which lies in the future: a clock is or was wrong, or the files come from another \
         machine. The next run goes back and reads on from the present; look at this machine's clock first",
        rfc3339_millis(watermark)
    );
    Finding::new(Severity::Attention, format!("state of {name}"), text)
}
