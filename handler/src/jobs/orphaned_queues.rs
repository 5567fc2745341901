//! Queues of the spool that no configured stream or table empties.

use std::collections::BTreeMap;

use super::job_context::JobContext;
use super::plan::Plans;
use crate::event::StreamName;
use crate::report::{Cause, ReportSubject, StreamReport};
use crate::state::Key;

/// One notice for each orphaned queue; `None` if there is none.
pub async fn report_orphaned_queues(plans: &Plans, context: &JobContext) -> Option<StreamReport> {
    let owners = plans.queue_owners();
    let waiting = match context.store.list(&Key::new(["spool"])).await {
        Ok(waiting) => waiting,
        Err(error) => return Some(StreamReport::failed(ReportSubject::Spool, error.problem())),
    };
    let mut orphaned: BTreeMap<&str, usize> = BTreeMap::new();
    for listed in &waiting {
        let queue = listed.key.as_str().rsplit_once('/').map_or("", |(queue, _)| queue);
        if !owners.contains_key(queue) {
            *orphaned.entry(queue).or_default() += 1;
        }
    }
    if orphaned.is_empty() {
        return None;
    }
    let mut report = StreamReport::new(ReportSubject::Spool);
    for (queue, entries) in orphaned {
        let notice = match plans.disabled_stream_of(queue) {
            Some(StreamName { source, instance, .. }) => format!(
                "{queue}: {entries} entries wait for {source}/{instance}, which is switched off at present; they are \
                 delivered once it works again"
            ),
            None => format!(
                "{queue}: {entries} entries wait for a source or table that is not configured (any more); configure it \
                 again to have them delivered (their events were acknowledged: removing the entries loses them)"
            ),
        };
        report.notices.push(notice);
    }
    Some(report)
}
