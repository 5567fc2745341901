//! `GET /v1/environments/{environment}/activities`: pages of audit activities.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::events::{ActivityPage, ActivitySelection};
use super::filter::Window;
use super::options::PingOneFault;
use super::state::Environment;
use crate::query::{only_value, pairs, unexpected_names};
use crate::service::{Fault, Reply, Request};

/// The page size without a `limit` (vendor: POST model of the activities).
const DEFAULT_LIMIT: usize = 100;

/// The largest page size while [`PingOneFault::NextPageSizeRefused`] holds.
const SMALL_LIMIT: usize = 100;

pub(super) fn reply(
    state: &mut Environment,
    request: &Request,
    environment: &str,
    now: DateTime<Utc>,
) -> Result<Reply, Reply> {
    let fault = state.controls.faults.pop_front();
    let error = |status, message: &str| state.error(status, message, None);
    if let Some(reply) = fault.as_ref().and_then(|fault| fault.reply(error)) {
        return Err(reply);
    }
    if request.method != "GET" {
        state
            .controls
            .violation(format!("activities were asked with {}", request.method));
        return Err(state.error(405, "Activities are asked with GET", None));
    }
    check_token(state, request, fault.as_ref(), now)?;
    if environment != state.options.environment_id {
        return Err(state.error(403, "The application has no role here", None));
    }
    let page = page(state, request, fault.as_ref())?;
    Ok(match fault {
        Some(Fault::Vendor(PingOneFault::InvalidUtf8)) => with_a_broken_letter(page),
        Some(fault) => fault.applied_to(page),
        None => page,
    })
}

fn check_token(
    state: &mut Environment,
    request: &Request,
    fault: Option<&Fault<PingOneFault>>,
    now: DateTime<Utc>,
) -> Result<(), Reply> {
    let Some(token) = request.credentials("Bearer") else {
        state.controls.violation("activities were asked without a bearer token");
        return Err(state.error(401, "A bearer token is needed", None));
    };
    if fault == Some(&Fault::RevokeToken) {
        state.tokens.revoke(token);
    }
    if !state.tokens.serve(token, now) {
        return Err(state.error(401, "The token is unknown or has expired", None));
    }
    Ok(())
}

fn page(state: &mut Environment, request: &Request, fault: Option<&Fault<PingOneFault>>) -> Result<Reply, Reply> {
    let selection = selection(state, &pairs(&request.query), fault)?;
    let mut page = state
        .events
        .page(&selection, state.options.newest_first, state.options.oldest_readable);
    if fault == Some(&Fault::RepeatLastOfPreviousPage)
        && let Some(repeated) = selection.after.as_ref().and_then(|last| state.events.at(last))
    {
        page.events.insert(0, repeated);
    }
    let lure = match fault {
        Some(Fault::Vendor(PingOneFault::ForeignNext(origin))) => Some(origin.as_str()),
        _ => None,
    };
    // A foreign link is a lure, and is there on the last page too.
    let next = (page.next_after.is_some() || lure.is_some()).then(|| {
        let after = page.next_after.clone().or_else(|| selection.after.clone());
        let cursor = state.issue_cursor(ActivitySelection { after, ..selection });
        format!("{}{}?cursor={cursor}", lure.unwrap_or(&request.origin), request.path)
    });
    let own = format!("{}{}?{}", request.origin, request.path, request.query);
    Ok(Reply::json(200, page_text(&own, next.as_deref(), &page)))
}

/// A filter opens a selection, a cursor goes on with one.
fn selection(
    state: &mut Environment,
    query: &[(String, String)],
    fault: Option<&Fault<PingOneFault>>,
) -> Result<ActivitySelection, Reply> {
    if let Some(cursor) = only_value(query, "cursor") {
        if query.len() > 1 {
            state
                .controls
                .violation("a next link was changed: the cursor is not alone");
            return Err(state.error(400, "A cursor comes alone", Some("cursor")));
        }
        let known = state.selection_at(cursor);
        return known.ok_or_else(|| state.error(400, "The cursor is unknown", Some("cursor")));
    }
    if let Some(name) = unexpected_names(query, &["filter", "limit"]).first() {
        state
            .controls
            .violation(format!("activities were asked with the parameter {name}"));
        return Err(state.error(400, "There is no such parameter", Some(name)));
    }
    let Some(filter) = only_value(query, "filter") else {
        state.controls.violation("activities were asked without a filter");
        return Err(state.error(400, "A filter is needed", Some("filter")));
    };
    let window = Window::parse(filter).map_err(|problem| {
        state.controls.violation(format!("filter refused: {problem}"));
        state.error(400, &problem, Some("filter"))
    })?;
    let limit = limit(state, only_value(query, "limit"), fault)?;
    let limit = state.options.page_cap.map_or(limit, |cap| cap.min(limit));
    Ok(ActivitySelection {
        window,
        limit,
        after: None,
    })
}

fn limit(state: &mut Environment, given: Option<&str>, fault: Option<&Fault<PingOneFault>>) -> Result<usize, Reply> {
    let largest = match fault {
        Some(Fault::Vendor(PingOneFault::NextPageSizeRefused)) => SMALL_LIMIT,
        _ => state.options.largest_limit,
    };
    match given.map(str::parse) {
        None => Ok(DEFAULT_LIMIT.min(largest)),
        Some(Ok(limit)) if (1..=largest).contains(&limit) => Ok(limit),
        Some(_) => Err(state.error(400, "The limit is out of range", Some("limit"))),
    }
}

/// The HAL text of a page; the events stand in it byte for byte as they were published.
fn page_text(own: &str, next: Option<&str>, page: &ActivityPage) -> String {
    let link = |href: &str| format!("{{\"href\":{}}}", Value::from(href));
    let next = next.map_or(String::new(), |href| format!(",\"next\":{}", link(href)));
    format!(
        "{{\"_links\":{{\"self\":{}{next}}},\"_embedded\":{{\"activities\":[{}]}}}}",
        link(own),
        page.events.join(",")
    )
}

/// The same reply with a byte that is no UTF-8 in front of the first description.
fn with_a_broken_letter(mut reply: Reply) -> Reply {
    let before = b"\"description\":\"";
    let mut places = reply.body.windows(before.len());
    if let Some(start) = places.position(|bytes| bytes == before) {
        reply.body.insert(start + before.len(), 0xff);
    }
    reply
}
