//! The only way into a table: events become rows and batches, batches are sent, and every answer becomes accounts.
//! It knows no vendor.

mod counterparts;
pub mod no_row;
mod route;
mod send;
mod suspects;
mod table_record;
mod table_writer;
mod wrapped;

pub use self::counterparts::Counterparts;
pub use self::no_row::{NoRow, is_named, why_no_row};
pub use self::route::TableRoute;
pub use self::send::{
    DELIVERY_RESERVE, GRACE_FOR_A_PAGE, Sent, refused_letters, send, send_in_turn, send_knowing, send_next,
};
pub use self::table_record::TableRecord;
pub use self::table_writer::{OLD_AFTER, SinkContext, SinkError, TableWriter};
pub use self::wrapped::{Standing, TooMany, opened, unwrapped};
