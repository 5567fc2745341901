//! What names an event and the stream it came from. Everyone may use it; it knows nobody but `json`.

mod identity;
mod stream_name;

pub use identity::Identity;
pub use stream_name::StreamName;
