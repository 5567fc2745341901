//! How everything stands: the status as JSON, text and page, the health record of each stream, and the health rows.

mod collect;
mod health_rows;
mod inputs;
mod lateness;
mod latest;
mod model;
mod new_fields;
mod page;
mod polled;
mod pushed;
mod record;
mod row;
mod run_and_record;
mod run_recorder;
mod stored_files;
mod text;
mod warning;

pub use self::collect::collect_status;
pub use self::model::Status;
#[cfg(test)]
pub use self::model::StreamState;
pub use self::page::status_page;
pub use self::record::record_replayed;
pub use self::run_and_record::run_and_record;
pub use self::run_recorder::RunRecorder;
pub use self::stored_files::read_stored_files;
pub use self::text::status_text;
