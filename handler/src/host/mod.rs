//! The custom-handler side of the Azure Functions host: readiness, the JSON envelope, requests that come as they are.
//!
//! It knows no vendor and no pipeline: what a function does stands behind the trait [`Functions`].
//! Facts about the host, from the source of azure-functions-host: any answer to `GET /` means ready; an answer without
//! a body, or `null`, hangs the invocation until its timeout; a status other than 2xx fails the invocation, its logs are
//! thrown away, and its reason phrase is shown; strings in the envelope may be JSON-encoded twice.

mod body;
mod envelope;
mod functions;
mod invocation;
mod read_budget;
mod reason_phrase;
mod server;

pub use self::functions::{Functions, HttpCall, HttpReply, TimerCall, TimerReply};
pub use self::server::start;
