//! What the state holds of every stream: a run would refuse what is damaged, so a check says it before that.

use std::future::Future;
use std::sync::Arc;

use super::{Check, Finding};
use crate::functions::Work;
use crate::state::StoreError;

impl Check {
    /// A line for every stream whose files cannot be read, and one for those that can.
    pub(super) fn state_files(&self) -> impl Future<Output = Vec<Finding>> + Send + use<> {
        look(self.work.clone())
    }
}

async fn look(work: Arc<Work>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut read = 0;
    for name in work.poller.stream_names() {
        match work.poller.look_at_state(&name).await {
            Ok(files) => read += files,
            Err(error @ StoreError::Backend { .. }) => return vec![Finding::failed("state files", error.to_string())],
            Err(error) => findings.push(Finding::failed(format!("state of {name}"), error.to_string())),
        }
    }
    if read > 0 {
        findings.push(Finding::fine("state files", format!("{read} can be read")));
    }
    findings
}
