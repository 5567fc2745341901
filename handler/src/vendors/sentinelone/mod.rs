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

mod api_token;
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
mod totals;
mod unified_alerts;

use std::sync::Arc;

use self::console::Console;
use self::endpoint_spec::EndpointSpec;
use self::rest::RestStream;
use self::unified_alerts::UnifiedAlerts;
use crate::config::{SentinelOne, SentinelOneStream};
use crate::event::StreamName;
use crate::http::HttpClient;
use crate::sources::WindowedStream;
use crate::time::Clock;

/// The streams `sentinelone/<instance>/<stream>` that `settings` choose, each with the name of its table.
///
/// They share one client of the console, so that a pause that it asks for holds them all, and one account text: its
/// origin. The token is no part of it, so positions survive a new token.
pub fn streams(
    instance: &str,
    settings: &SentinelOne,
    http: HttpClient,
    clock: Arc<dyn Clock>,
) -> Vec<(Arc<dyn WindowedStream>, &'static str)> {
    let console = Arc::new(Console::new(settings, http, clock));
    let chosen = settings.streams.iter().map(|stream| {
        let name = StreamName {
            source: "sentinelone",
            instance: instance.to_owned(),
            stream: stream.name(),
        };
        let rest = |spec: &'static EndpointSpec| -> Arc<dyn WindowedStream> {
            Arc::new(RestStream::new(name.clone(), spec, console.clone()))
        };
        match stream {
            SentinelOneStream::Activities => (rest(&endpoint_spec::ACTIVITIES), "SentinelOneActivities_CL"),
            SentinelOneStream::Agents => (rest(&endpoint_spec::AGENTS), "SentinelOneAgents_CL"),
            SentinelOneStream::Alerts => (rest(&endpoint_spec::ALERTS), "SentinelOneAlerts_CL"),
            SentinelOneStream::Groups => (rest(&endpoint_spec::GROUPS), "SentinelOneGroups_CL"),
            SentinelOneStream::Threats => (rest(&endpoint_spec::THREATS), "SentinelOneThreats_CL"),
            SentinelOneStream::UnifiedAlerts => {
                let unified: Arc<dyn WindowedStream> = Arc::new(UnifiedAlerts::new(name.clone(), console.clone()));
                (unified, "SentinelOneAlertsV2_CL")
            }
        }
    });
    chosen.collect()
}

#[cfg(test)]
mod tests;
