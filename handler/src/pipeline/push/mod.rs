//! Receives pushes: authenticate, split, drop what was stored before, deliver, and only then say so.

mod body;
mod delivery;
mod memory;
mod receiver;
mod split;

pub use memory::PushMemory;
pub use receiver::{PushAnswer, PushPlan, PushReceiver, PushRequest, PushRoad};
