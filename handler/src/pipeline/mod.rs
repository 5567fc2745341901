//! Polls streams and receives pushes: windows, dropping what was seen, batches, delivery, and only then the saved
//! position. It knows no vendor and no HTTP server.

mod account;
mod backfill;
mod cause;
mod consume;
mod consume_reply;
mod counterparts;
mod edges;
mod group_run;
mod housekeeping;
mod last_resort;
mod loading;
mod lost_checkpoint;
mod no_row;
mod plan;
mod poll;
mod push;
mod pushed_run;
mod queue_order;
mod replay;
mod replay_file;
mod reporting;
mod rows_run;
mod send;
mod spool_drain;
mod stream_run;
mod suspects;
mod table_record;
mod table_sink;
mod vendor_clock;
mod walk_run;
mod window;
mod wrapped;

pub use backfill::{BackfillWatcher, PerhapsTwice, Reading, WindowCount, why_not};
pub use housekeeping::Housekeeping;
pub use plan::{ConsumePlan, CounterpartRule, DrainPlan, PullPlan, PushedPlan, StreamPlan, Target};
pub use poll::{Poller, RunScope, Selection};
pub use push::{
    LONGEST_PATIENCE, LONGEST_WAIT, Lane, LaneContext, PushAnswer, PushLedger, PushMemory, PushPlan, PushReceiver,
    PushRequest, PushRoad, PushRoom,
};
pub use replay::{ReplayError, Replayed};
pub use table_record::TableRecord;
pub use window::PollRules;

pub use crate::sources::Window;
pub use crate::state::BACKFILL;
