//! SentinelOne: activities, agents, alerts, groups and threats over REST, unified alerts over GraphQL.
//!
//! Facts about the vendor, from the description of its management API 2.1 and from what consoles answer:
//! - `Authorization: ApiToken <token>`; the token belongs to a service user, has a scope and an end.
//! - A page is `{"data": [...], "pagination": {"nextCursor": ...}}`. `data` may be null, and `errors` may stand
//!   beside data that is then not whole; `totalItems` counts the window. The cursor holds the place in the order and
//!   no filter, so every page repeats filters and order; some consoles give it URL-encoded.
//! - At most 1000 events a page, 300 groups; `__gte` includes its bound and `__lt` does not.
//! - Activities have no filter on `updatedAt`, groups none on `createdAt`. An alert becomes visible at `reportedAt`,
//!   later than its `createdAt`, and changes of an alert cannot be asked for.
//! - Agents, groups and threats are snapshots: a change moves `updatedAt`, and read in its ascending order a changed
//!   one is met twice at most, never missed.
//! - No rate limit is documented for these endpoints; a 429 may come all the same.

mod alerts_page;
mod api_token;
mod build;
mod console;
mod cursor;
mod endpoint_spec;
mod event;
mod failure;
mod graphql;
mod page;
mod query;
mod rest;
mod secret;
mod selection;
mod settings;
mod totals;
mod unified_alerts;

pub use build::VENDOR;
#[cfg(test)]
pub use settings::{SentinelOne, SentinelOneStream};

#[cfg(test)]
mod tests;
