//! Receives pushes: authenticate, split, drop what was stored before, deliver, and only then say so.

mod body;
mod delivery;
mod memory;
mod plan;
mod receiver;
mod room;
mod split;

pub use memory::PushMemory;
pub use plan::{PushAnswer, PushPlan, PushRequest, PushRoad};
pub use receiver::PushReceiver;
pub use room::PushRoom;
