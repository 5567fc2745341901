//! PingOne: the audit activities of an environment.
//!
//! Facts about the vendor, from its documentation of "Audit Activities": a filter with a time range is mandatory,
//! its documented operators are the exclusive `gt` and `lt`; no order is documented; `_links.next` is absent on the
//! last page; only the last 14 days can be read; 10 requests a second per licence, 35 % of it per address.

mod activities;
mod build;
mod event;
mod page;
mod region;
mod request;
mod settings;
mod token;
mod webhook;

pub use build::VENDOR;
#[cfg(test)]
pub use settings::PingOne;
