//! Polls streams and receives pushes: windows, dropping what was seen, batches, delivery, and only then the saved
//! position. It knows no vendor and no HTTP server.

mod account;
mod consume;
mod counterparts;
mod group_run;
mod plan;
mod poll;
mod push;
mod pushed_run;
mod spool_drain;
mod stream_run;
mod table_sink;
mod walk_run;
mod window;

pub use plan::{ConsumePlan, CounterpartRule, PullPlan, PushedPlan, StreamPlan, Target};
pub use poll::{Poller, Selection};
pub use push::{PushAnswer, PushMemory, PushPlan, PushReceiver, PushRequest, PushRoad, PushRoom};
pub use window::PollRules;
