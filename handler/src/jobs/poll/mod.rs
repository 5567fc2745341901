//! Polls a stream: windows cut into slices, or a snapshot, from where the last run ended.

pub mod boundary_filter;
mod group_run;
pub mod loading;
mod lost_checkpoint;
pub mod pairing;
pub mod polled_run;
mod pushed_queues;
pub mod slice_reader;
pub mod snapshot_run;
mod vendor_clock;
pub mod window;
pub mod windowed;
pub mod windowed_run;
