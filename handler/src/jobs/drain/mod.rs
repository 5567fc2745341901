//! Delivers what waits in the spool: queues of rows under a lease of their own, queues of events in the run of the stream
//! that is polled too.

pub mod event_queue;
pub mod pushed_events;
pub mod queue_order;
pub mod row_queue;
