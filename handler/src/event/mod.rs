//! What names an event and the stream it came from. Everyone may use it; it knows nobody but `json`.

mod identity;
mod stream_name;

pub use identity::Identity;
pub use stream_name::StreamName;

/// Members of an object in which other products, and lists in one object, hold the events that they wrap.
pub const WRAPPING_MEMBERS: [&str; 9] = [
    "event",
    "events",
    "logs",
    "message",
    "log",
    "records",
    "data",
    "attributes",
    "body",
];
