//! SentinelOne: the list endpoints of the management API 2.1 and the unified alerts, of one console.
//!
//! Contract after the vendor's swagger (parameters, limits, sort names, envelope), decoded cursors and known
//! error bodies. What is stricter here than documented: parameters that narrow a list in ways that no reader of
//! whole streams needs are refused like unknown ones, times must end in `Z`, and a cursor must come back with
//! the filters and the sort of its page. What no source tells: which activity types are hidden (an option), the
//! order without `sortBy` (by id), and that both ends of a `dateTimeRange` are inside.

mod catalogue;
mod contract;
mod cursor;
mod errors;
mod filters;
mod graphql;
mod list;
mod options;
mod parameters;
mod published;
mod state;
mod stored;
mod token_details;

use chrono::{DateTime, Utc};

use crate::generate::sentinelone::Object;
use crate::service::{Controls, Reply, Request, Server, Service, Simulation};
use errors::error;

pub use crate::service::{Fault, RecordedRequest};
pub use contract::Stream;
pub use options::{ConsoleFault, ConsoleOptions, PlannedFault};
pub use published::Version;
pub use state::Console;

/// A running console.
pub type SentinelOne = Server<Console>;

impl Service for Console {
    type Fault = PlannedFault;

    fn controls(&mut self) -> &mut Controls<PlannedFault> {
        &mut self.controls
    }

    fn reply(&mut self, request: &Request, _: DateTime<Utc>) -> Reply {
        let reply = routed(self, request).unwrap_or_else(|refusal| refusal);
        let tag = Some(self.shown.begin());
        Reply { tag, ..reply }
    }

    fn finish(&mut self, tag: Option<usize>, sent: bool) {
        self.forget_shown(tag, sent);
    }
}

fn routed(console: &mut Console, request: &Request) -> Result<Reply, Reply> {
    console.look_for_secrets(request);
    if request.path == token_details::PATH {
        return token_details::reply(console, request);
    }
    let Some(stream) = Stream::of_path(&request.path) else {
        let problem = format!("{} {}: no such path", request.method, request.path);
        console.controls.violation(problem);
        return Err(error(404, "There is nothing at this path"));
    };
    let is_graphql = stream == Stream::UnifiedAlerts;
    if request.method != if is_graphql { "POST" } else { "GET" } {
        console.violation(stream, &format!("asked with {}", request.method));
        return Err(error(405, "The method is not allowed here"));
    }
    let fault = console.next_fault(stream);
    if let Some(reply) = fault.as_ref().and_then(|fault| fault.reply(error)) {
        return Err(reply);
    }
    if fault == Some(Fault::RevokeToken) {
        console.token_is_valid = false;
    }
    console.check_token(stream, request)?;
    if console.options.unavailable.contains(&stream) {
        return Err(error(404, "This console does not have it"));
    }
    let reply = if is_graphql {
        graphql::reply(console, request, fault.as_ref())?
    } else {
        list::reply(console, stream, request, fault.as_ref())?
    };
    Ok(match fault {
        Some(fault) => fault.applied_to(reply),
        None => reply,
    })
}

impl Simulation<Console> {
    /// Adds objects, or newer versions of them.
    pub fn publish(&self, objects: impl IntoIterator<Item = Object>) {
        let mut console = self.lock();
        for object in objects {
            console.publish_raw(object.stream, &object.json);
            console.published.objects.push(object);
        }
    }

    /// Adds an element that need not be what the stream holds, but must be JSON. It is shown where the times and
    /// the id that can be read from it put it; one without a time that is filtered on is always shown.
    pub fn publish_raw(&self, stream: Stream, json: String) {
        self.lock().publish_raw(stream, &json);
    }

    /// The faults of the next requests of that stream; they come before those of [`fail_next`](Self::fail_next).
    pub fn fail_next_on(&self, stream: Stream, faults: impl IntoIterator<Item = Fault<ConsoleFault>>) {
        let stream = Some(stream);
        self.fail_next(faults.into_iter().map(|fault| PlannedFault { stream, fault }));
    }

    /// Makes this the only valid token. Until then [`Fault::RevokeToken`] holds.
    pub fn set_api_token(&self, api_token: &str) {
        let mut state = self.lock();
        state.options.api_token = api_token.to_owned();
        state.token_is_valid = true;
    }

    /// The versions that stood in at least one whole answer, in order of publication. What was overwritten before
    /// anybody asked is not among them.
    pub fn versions_shown(&self) -> Vec<Version> {
        self.lock().published.versions(|version| version.shown)
    }

    /// The versions that the API shows now (hidden and decommissioned ones included), in order of publication.
    pub fn versions_current(&self) -> Vec<Version> {
        self.lock().published.versions(|version| version.current)
    }

    /// Every version of every object of a stream but for raw elements, in order of publication.
    pub fn published(&self, stream: Stream) -> Vec<Object> {
        let state = self.lock();
        let objects = state.published.objects.iter();
        objects.filter(|object| object.stream == stream).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
