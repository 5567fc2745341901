//! What a run did: outcome, counts per table, and problems with a code each.

mod cause;
mod failure_reason;
mod grouped;
mod problem;
mod run;
mod run_log;
mod subject;

pub use self::cause::Cause;
pub use self::failure_reason::failure_reason;
pub use self::grouped::{RunMessage, grouped, names};
pub use self::problem::{ErrorCode, Problem, shortened};
pub use self::run::{Outcome, RunReport, StreamReport, TableReport, by_subject, counts_by_table, run_outcome_of};
pub use self::run_log::{LoggedTables, log_run, run_lines};
pub use self::subject::ReportSubject;
