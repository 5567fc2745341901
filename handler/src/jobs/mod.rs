//! What runs: polling, destructive reads, pushes, draining the spool, backfill and replay. A job says which events and
//! when; delivery does the rest. It knows no vendor and no HTTP server.

mod account;
mod backfill;
mod consume;
mod disabled_instance;
mod drain;
mod fair_order;
mod housekeeping;
mod job_context;
mod orphaned_queues;
pub mod plan;
mod poll;
mod push;
mod replay;
mod run;
mod selection;
#[cfg(test)]
mod testing;
mod timer_silence;

pub use self::account::lease_name;
pub use self::backfill::{
    BackfillMode, BackfillRequest, BackfillWatcher, PerhapsTwice, WindowCount, backfill, count_before_reading_anew,
    note_what_is_wanted, why_not,
};
pub use self::disabled_instance::{DisabledInstance, DisabledReason};
pub use self::drain::pushed_events::is_about_one_entry;
pub use self::housekeeping::Housekeeping;
pub use self::job_context::JobContext;
pub use self::plan::{ConsumePlan, DrainPlan, Plans, PullPlan, PushedPlan, SnapshotPlan, StreamPlan};
pub use self::poll::window::PollRules;
pub use self::push::batch_upload::{MAX_UPLOAD_WAIT, UploadContext};
pub use self::push::dedupe::Dedupe;
pub use self::push::group_commit::{GroupCommit, GroupCommitConfig};
pub use self::push::inflight_budget::InflightBudget;
pub use self::push::ledger::PushLedger;
pub use self::push::plan::{PushAnswer, PushPlan, PushRequest, PushRoute};
pub use self::push::poller_queues::PollerQueues;
pub use self::push::receiver::{MAX_ANSWER_TIME, PushReceiver};
pub use self::replay::{ReplayError, Replayed, ReplayedRows, replay_dead_letters};
pub use self::run::{RunRequest, RunScope, run};
pub use self::selection::Selection;
pub use self::timer_silence::dead_from;
