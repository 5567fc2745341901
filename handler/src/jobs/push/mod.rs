//! Receives pushes: authenticate, split, drop what was stored before, deliver, and only then say so.

pub mod batch_upload;
pub mod body;
pub mod classify;
pub mod dedupe;
pub mod direct;
pub mod group_commit;
pub mod inflight_budget;
pub mod ledger;
pub mod plan;
pub mod poller_queues;
pub mod pushed_events;
pub mod receiver;
pub mod split;
pub mod upload;
#[cfg(test)]
mod upload_tests;
