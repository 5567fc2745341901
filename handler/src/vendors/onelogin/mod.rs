//! OneLogin: events that its Event Webhook posts, and events and users that its API shows.
//!
//! Facts about the API, from OneLogin's pages on tokens, events and query parameters and from collectors in use:
//! - A token is asked for with `Authorization: client_id:<id>, client_secret:<secret>` and shown as `bearer:<token>`.
//! - `since` and `until` exclude their bounds and look at `created_at` only. Users that change are not found by them,
//!   so all users are read again.
//! - A page is `{"status": {...}, "pagination": {"after_cursor": ...}, "data": [...]}`. 50 objects a page are
//!   documented, 1000 are asked for by a collector.
//! - 5000 calls an hour are allowed. Beyond them some see 429, others a 400 whose message is `rate_limit_exceeded`.
//! - An event has an integer as its id here and a uuid in the webhook: the two forms share no key.

mod build;
mod client;
mod counterpart;
mod events;
mod failure;
mod fields;
mod list;
mod list_spec;
mod page;
mod query;
mod settings;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_by_script;
#[cfg(test)]
mod tests_of_trouble;
mod token;
mod users;
mod webhook;

pub use self::build::VENDOR;
#[cfg(test)]
pub use self::settings::OneLogin;
