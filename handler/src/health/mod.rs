//! What a run did, and how everything stands: in words and numbers, for people, programs and a table.

mod clock;
mod problem;
mod report;
mod row;
mod status;
mod status_page;
mod status_text;

pub use clock::clock_remark;
pub use problem::{ErrorCode, Problem, shortened};
pub use report::{Outcome, RunReport, StreamReport, TableReport};
pub use row::{HealthRow, RowFacts, by_stream, watermark_of};
pub use status::{Overlap, QueueStatus, Standing, Status, StreamKind, StreamStatus, TableStatus, in_words};
