//! Receives pushes: authenticate, split, drop what was stored before, deliver, and only then say so.

mod body;
mod carry;
mod judged;
mod lane;
mod lane_context;
mod ledger;
mod memory;
mod parked;
mod patience;
mod plan;
mod receiver;
mod room;
mod shipment;
mod split;
mod way;

pub use lane::Lane;
pub use lane_context::LaneContext;
pub use ledger::PushLedger;
pub use memory::PushMemory;
pub use patience::{LONGEST_PATIENCE, LONGEST_WAIT};
pub use plan::{PushAnswer, PushPlan, PushRequest, PushRoad};
pub use receiver::PushReceiver;
pub use room::PushRoom;
