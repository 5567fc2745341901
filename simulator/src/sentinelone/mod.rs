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
mod filters;
mod graphql;
mod list;
mod published;
mod state;
mod times;
mod token_details;

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::generate::sentinelone::{Activity, Agent, Alert, Group, Threat, UnifiedAlert};
use crate::loopback::DateHeader;
use crate::service::Served;
use state::State;

pub use crate::service::RecordedRequest;
pub use contract::Stream;
pub use published::Version;

/// What the console is like.
#[derive(Clone, Debug)]
pub struct Options {
    /// The token of `Authorization: ApiToken`.
    pub api_token: String,
    /// Activity types that are shown with `includeHidden=true` only.
    pub hidden_activity_types: Vec<u32>,
    /// Unified alerts neither filter nor sort on `updatedAt`: there are such consoles.
    pub without_updated_at: bool,
    /// Streams that this console does not have (404), for example alerts on premises.
    pub unavailable: Vec<Stream>,
    /// What `users/api-token-details` tells; without it the user may not ask (403).
    pub token_ends: Option<DateTime<Utc>>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            api_token: "mooring-71.tokenOf-a-service-user".to_owned(),
            hidden_activity_types: vec![1501, 5020],
            without_updated_at: false,
            unavailable: Vec::new(),
            token_ends: None,
        }
    }
}

/// What goes wrong with one request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// An error of the service, with an error body of the vendor's form.
    Status {
        /// The HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
    },
    /// 200 with the first half of the right body.
    TruncatedJson,
    /// 200 with a page of markup, as a proxy in between would send.
    HtmlPage,
    /// The right answer, after this time.
    Delay(Duration),
    /// The connection is closed without an answer.
    Reset,
    /// 401, now and until [`SentinelOne::set_api_token`].
    RevokeToken,
    /// The right page, led by the last object of the page before.
    RepeatLastOfPreviousPage,
    /// The right page; its `nextCursor` is percent-encoded already (seen by clients). Lists only.
    UrlEncodedCursor,
    /// The right page; its `nextCursor` has the older form, base64 of `name:number` (swagger example). Lists only.
    OldCursorForm,
    /// The right envelope, with null in place of the data.
    NullData,
    /// The right page with `"errors":[{}]` beside its data.
    ErrorsBesideData,
}

/// A running console.
pub struct SentinelOne {
    served: Served<State>,
}

impl SentinelOne {
    /// Starts a console without objects.
    pub fn start(options: Options) -> SentinelOne {
        SentinelOne {
            served: Served::start(State::new(options)),
        }
    }

    /// `http://127.0.0.1:<port>`, the console's origin; the API lies under `/web/api/v2.1`.
    pub fn origin(&self) -> String {
        self.served.origin()
    }

    /// Sets what the `Date` header of every answer says from now on.
    pub fn set_date(&self, header: DateHeader) {
        self.served.set_date(header);
    }

    /// Adds activities.
    pub fn publish_activities(&self, activities: impl IntoIterator<Item = Activity>) {
        self.served.lock().publish(activities);
    }

    /// Adds agents, or newer versions of them.
    pub fn publish_agents(&self, agents: impl IntoIterator<Item = Agent>) {
        self.served.lock().publish(agents);
    }

    /// Adds groups, or newer versions of them.
    pub fn publish_groups(&self, groups: impl IntoIterator<Item = Group>) {
        self.served.lock().publish(groups);
    }

    /// Adds threats, or newer versions of them.
    pub fn publish_threats(&self, threats: impl IntoIterator<Item = Threat>) {
        self.served.lock().publish(threats);
    }

    /// Adds alerts, or newer versions of them.
    pub fn publish_alerts(&self, alerts: impl IntoIterator<Item = Alert>) {
        self.served.lock().publish(alerts);
    }

    /// Adds unified alerts, or newer versions of them.
    pub fn publish_unified_alerts(&self, alerts: impl IntoIterator<Item = UnifiedAlert>) {
        self.served.lock().publish(alerts);
    }

    /// Adds an element that need not be what the stream holds, but must be JSON. It is shown where the times and
    /// the id that can be read from it put it; one without a time that is filtered on is always shown.
    pub fn publish_raw(&self, stream: Stream, json: String) {
        self.served.lock().publish_raw(stream, &json);
    }

    /// The faults of the next requests of any stream, one each, in order, after those already waiting.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.served.lock().faults.extend(faults);
    }

    /// The faults of the next requests of that stream; they come before those of [`fail_next`](Self::fail_next).
    pub fn fail_next_on(&self, stream: Stream, faults: impl IntoIterator<Item = Fault>) {
        let mut state = self.served.lock();
        state.stream_faults.entry(stream).or_default().extend(faults);
    }

    /// Faults that no request has met yet.
    pub fn waiting_faults(&self) -> usize {
        let state = self.served.lock();
        let of_streams: usize = state.stream_faults.values().map(|faults| faults.len()).sum();
        state.faults.len() + of_streams
    }

    /// Makes this the only valid token, also after [`Fault::RevokeToken`].
    pub fn set_api_token(&self, api_token: &str) {
        let mut state = self.served.lock();
        state.options.api_token = api_token.to_owned();
        state.token_is_valid = true;
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.served.lock().requests.clone()
    }

    /// What the client did against the contract, one sentence each.
    pub fn violations(&self) -> Vec<String> {
        self.served.lock().violations.clone()
    }

    /// Every version of every object, also of activities, in order of publication.
    pub fn versions_published(&self) -> Vec<Version> {
        self.served.lock().published.versions(|_| true)
    }

    /// The versions that stood in at least one whole answer, in order of publication. What was overwritten before
    /// anybody asked is not among them.
    pub fn versions_shown(&self) -> Vec<Version> {
        self.served.lock().published.versions(|version| version.shown)
    }

    /// The versions that the API shows now (hidden and decommissioned ones included), in order of publication.
    pub fn versions_current(&self) -> Vec<Version> {
        self.served.lock().published.versions(|version| version.current)
    }

    /// The activities published so far, in order of publication.
    pub fn published_activities(&self) -> Vec<Activity> {
        self.served.lock().published.activities.clone()
    }

    /// Every version of every agent, in order of publication.
    pub fn published_agents(&self) -> Vec<Agent> {
        self.served.lock().published.agents.clone()
    }

    /// Every version of every group, in order of publication.
    pub fn published_groups(&self) -> Vec<Group> {
        self.served.lock().published.groups.clone()
    }

    /// Every version of every threat, in order of publication.
    pub fn published_threats(&self) -> Vec<Threat> {
        self.served.lock().published.threats.clone()
    }

    /// Every version of every alert, in order of publication.
    pub fn published_alerts(&self) -> Vec<Alert> {
        self.served.lock().published.alerts.clone()
    }

    /// Every version of every unified alert, in order of publication.
    pub fn published_unified_alerts(&self) -> Vec<UnifiedAlert> {
        self.served.lock().published.unified_alerts.clone()
    }
}

#[cfg(test)]
mod tests;
