//! How everything stands: the status as JSON, text and page, the health record of each stream, and the health rows.

mod clock;
mod collect;
mod health_rows;
mod lateness;
mod latest;
mod model;
mod page;
mod pushed;
mod record;
mod row;
mod text;

pub use self::clock::clock_remark;
#[cfg(test)]
pub use self::model::Standing;
pub use self::model::in_words;
pub use self::record::ended_run;
