//! Receives pushes: authenticate, split, drop what was stored before, deliver, and only then say so.

pub mod batch_upload;
pub mod body;
pub mod classify;
pub mod dedupe;
pub mod group_commit;
pub mod inflight_budget;
pub mod lane_context;
pub mod ledger;
pub mod patience;
pub mod plan;
pub mod poller_queue;
pub mod receiver;
pub mod shipment;
pub mod split;
pub mod upload;
