//! What a run did, in words and numbers.

mod report;

pub use report::{Outcome, RunReport, StreamReport, TableReport};
