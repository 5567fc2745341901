//! The destination tables, and the projection of a vendor's event to a row.
//!
//! `infra/tables/*.json` is the only place where a column is named. A [`Table`] is compiled from it once; projecting
//! walks the event's text one time, notes where the wanted values stand, and writes the row from those slices.

mod additional_fields;
mod aliases;
mod catalog;
mod column;
mod convert;
mod definition;
mod layout;
mod paths;
#[cfg(test)]
mod rebuild_tests;
#[cfg(test)]
mod recorded_events_tests;
mod row;
mod secret_names;
mod shorten;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub use catalog::table;
pub use catalog::{TableError, table_with};
pub use layout::TableOptions;
pub use row::{Reading, RowContext, RowNotes, Table};

/// A field of a row is cut above this many bytes of text: the Logs Ingestion API truncates longer ones silently.
/// Source: "Custom logs" in the Azure Monitor service limits.
pub const FIELD_LIMIT: usize = 64 * 1024;

/// The largest row, in bytes of JSON: a call's body of at most 1,000,000 bytes less its two brackets.
pub const ROW_LIMIT: usize = 1_000_000 - 2;
