//! Polls streams and receives pushes: windows, dropping what was seen, batches, delivery, and only then the saved
//! position. It knows no vendor and no HTTP server.

mod account;
mod consume;
mod group_run;
mod plan;
mod poll;
mod push;
mod spool_drain;
mod stream_run;
mod table_sink;
mod window;

pub use plan::{ConsumePlan, PullPlan, StreamPlan, Target};
pub use poll::{Poller, Selection};
pub use push::{PushAnswer, PushMemory, PushPlan, PushReceiver, PushRequest, PushRoad, PushRoom};
pub use window::PollRules;
