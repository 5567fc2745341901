//! Polls streams and receives pushes: windows, dropping what was seen, batches, delivery, and only then the saved
//! position. It knows no vendor and no HTTP server.

mod poll;
mod push;
mod stream_run;
mod table_sink;
mod window;

pub use poll::{Poller, PullPlan, Selection};
pub use push::{PushAnswer, PushMemory, PushPlan, PushReceiver, PushRequest};
pub use table_sink::Target;
pub use window::PollRules;
