//! Delivers what waits in the spool.

pub mod pushed_run;
pub mod queue_order;
pub mod rows_run;
pub mod spool_drain;
