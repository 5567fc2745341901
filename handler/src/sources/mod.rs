//! What a vendor is made of: the kinds of streams, and the pieces that the vendors share. Nothing here knows a
//! vendor, a destination, a table or the state.

pub mod api_client;
pub mod cursor_pager;
pub mod cursor_pages;
mod destructive;
pub mod distinct;
pub mod endpoint;
pub mod error;
pub mod form_tokens;
pub mod notes;
pub mod oauth;
pub mod page;
mod polled;
mod remedy;
pub mod unreadable;
pub mod vendor_clock;
mod web_page;
mod webhook;
mod window;

pub use self::destructive::{ConsumedReply, DestructiveStream, ParsedReply, ReadOutcome, TornRest};
pub use self::error::{SourceError, StreamError, TOKEN_ENDPOINT, TimeEnd};
pub use self::page::Page;
pub use self::polled::{CredentialNote, EventKey, Pages, PolledStream, SnapshotStream, StreamBase, WindowedStream};
pub use self::remedy::Remedy;
pub use self::unreadable::why_unreadable;
pub use self::vendor_clock::VendorClock;
pub use self::webhook::{CounterpartRule, WebhookFormat};
pub use self::window::{SHORTEST_WINDOW, Window};
