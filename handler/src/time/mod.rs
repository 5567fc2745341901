//! Time: the injected clock, deadlines, and the many ways vendors write an instant.

mod clock;
mod clock_offset;
mod clock_remark;
mod deadline;
mod shutdown;
mod span_text;
mod vendor_time;

#[cfg(test)]
pub use clock::VirtualClock;
pub use clock::{Clock, SystemClock};
pub use clock_offset::ClockOffset;
pub use clock_remark::clock_remark;
pub use deadline::Deadline;
pub use shutdown::Shutdown;
pub use span_text::span_text;
pub use vendor_time::{VendorTime, rfc3339_millis};
