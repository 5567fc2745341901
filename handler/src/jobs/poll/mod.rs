//! Polls a stream: windows cut into slices, or a snapshot, from where the last run ended.

pub mod boundary_filter;
pub mod group_run;
pub mod loading;
pub mod lost_checkpoint;
pub mod polled_run;
pub mod snapshot_run;
pub mod stream_run;
pub mod vendor_clock;
pub mod window;
