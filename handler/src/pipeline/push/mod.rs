//! Receives pushes: authenticate, split, drop what was stored before, deliver, and only then say so.

mod body;
mod lane;
mod ledger;
mod memory;
mod plan;
mod receiver;
mod room;
mod shipment;
mod split;

pub use lane::{Lane, LaneContext};
pub use ledger::PushLedger;
pub use memory::PushMemory;
pub use plan::{PushAnswer, PushPlan, PushRequest, PushRoad};
pub use receiver::{LONGEST_PATIENCE, PushReceiver};
pub use room::PushRoom;
