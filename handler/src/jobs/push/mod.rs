//! Receives pushes: authenticate, split, drop what was stored before, deliver, and only then say so.

pub mod body;
pub mod carry;
pub mod judged;
pub mod lane;
pub mod lane_context;
pub mod ledger;
pub mod memory;
pub mod parked;
pub mod patience;
pub mod plan;
pub mod receiver;
pub mod room;
pub mod shipment;
pub mod split;
pub mod way;
