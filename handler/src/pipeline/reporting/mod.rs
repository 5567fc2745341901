//! What is said of every stream beside its log lines: what is remembered of its runs, its health rows, its status.

mod health_rows;
mod lateness;
mod latest;
mod pushed_status;
pub(super) mod remember;
mod status;
