//! Time: the injected clock, deadlines, and the many ways vendors write an instant.

mod clock;
mod clock_offset;
mod deadline;
mod shutdown;
mod vendor_time;

#[cfg(test)]
pub use clock::VirtualClock;
pub use clock::{Clock, SystemClock};
pub use clock_offset::ClockOffset;
pub use deadline::Deadline;
pub use shutdown::Shutdown;
pub use vendor_time::{VendorTime, rfc3339_millis};
