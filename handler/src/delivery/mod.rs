//! The only way into a table: events become rows and batches, batches are sent, and every answer becomes accounts.
//! It knows no vendor.

mod context;
mod counterparts;
mod new_keys;
pub mod no_row;
mod route;
mod row_batcher;
mod send;
mod settle;
mod suspects;
mod table_record;
mod table_writer;
#[cfg(test)]
mod testing;
mod wrapped;

pub use self::context::StreamContext;
pub use self::counterparts::Counterparts;
pub use self::new_keys::NewKeys;
pub use self::no_row::{NoRow, is_named, why_no_row};
pub use self::route::TableRoute;
pub use self::row_batcher::{EventRow, RowBatch, RowBatcher, TIME_GENERATED_MAX_AGE};
pub use self::send::{BatchSender, DELIVERY_RESERVE, GRACE_FOR_A_PAGE, Sent};
pub use self::settle::Settlement;
pub use self::table_record::TableRecord;
pub use self::table_writer::{IncomingEvent, TableWriteError, TableWriter};
pub use self::wrapped::{ElementClass, TooMany, opened, unwrapped};
