//! `GET /api/1/events` and `GET /api/1/users`: parameters in, a page in the vendor's envelope out.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::errors::error;
use super::options::OneLoginFault;
use super::rows::RowSelection;
use super::state::{Account, List};
use crate::query::{Query, only_value, pairs};
use crate::service::{Fault, Reply, Request};
use crate::times::utc_time;

/// The page size without a `limit` (vendor: up to 50 events per page).
const DEFAULT_LIMIT: usize = 50;

pub(super) fn reply(account: &mut Account, list: List, request: &Request, now: DateTime<Utc>) -> Result<Reply, Reply> {
    if request.method != "GET" {
        account
            .controls
            .violation(format!("{} was asked with {}", request.path, request.method));
        return Err(error(405, "Lists are asked with GET"));
    }
    let fault = account.controls.faults.pop_front();
    if fault == Some(Fault::Vendor(OneLoginFault::RateLimitExceeded)) {
        return Err(error(400, "rate_limit_exceeded"));
    }
    if let Some(reply) = fault.as_ref().and_then(|fault| fault.reply(error)) {
        return Err(reply);
    }
    let token = token(account, request)?;
    if fault == Some(Fault::RevokeToken) {
        account.tokens.revoke(token);
    }
    if !account.tokens.serve(token, now) {
        return Err(error(401, "The token is unknown or has expired"));
    }
    let page = page(account, list, request, fault.as_ref()).map_err(|problem| {
        account.controls.violation(format!("{}: {problem}", request.path));
        error(400, &problem)
    })?;
    Ok(match fault {
        Some(fault) => fault.applied_to(page),
        None => page,
    })
}

/// `Authorization: bearer:<token>` as documented, or the common `Bearer <token>`.
fn token<'a>(account: &mut Account, request: &'a Request) -> Result<&'a str, Reply> {
    let shown = request.authorization().split_once([':', ' ']);
    let Some((_, token)) = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
        account
            .controls
            .violation(format!("{} was asked without a bearer token", request.path));
        return Err(error(401, "A bearer token is needed"));
    };
    Ok(token.trim())
}

fn page(
    account: &mut Account,
    list: List,
    request: &Request,
    fault: Option<&Fault<OneLoginFault>>,
) -> Result<Reply, String> {
    let query = pairs(&request.query);
    let selection = selection(account, list, &query)?;
    let limit = limit(account.options.largest_limit, &query)?;
    let limit = account.options.page_cap.map_or(limit, |cap| cap.min(limit));
    let rows = account.rows(list);
    let mut page = rows.page(&selection, limit);
    if fault == Some(&Fault::RepeatLastOfPreviousPage)
        && let Some(repeated) = selection.after.and_then(|id| rows.get(id))
    {
        page.objects.insert(0, repeated.json.clone());
    }
    let lure = match fault {
        Some(Fault::Vendor(OneLoginFault::ForeignNext(origin))) => Some(origin.as_str()),
        _ => None,
    };
    // A foreign link is a lure, and is there on the last page too.
    let after_cursor = (page.next_after.is_some() || lure.is_some()).then(|| {
        let cursor = account.opaque();
        let after = page.next_after.or(selection.after);
        let following = RowSelection { after, ..selection };
        account.cursors.insert((list, cursor.clone()), following);
        cursor
    });
    let origin = lure.unwrap_or(&request.origin);
    let next_link = after_cursor
        .as_ref()
        .map(|cursor| format!("{origin}{}?after_cursor={cursor}", list.path()));
    Ok(Reply::json(200, envelope(&page.objects, after_cursor, next_link)))
}

fn selection(account: &mut Account, list: List, query: &Query) -> Result<RowSelection, String> {
    let given = given_selection(list, query)?;
    let Some(cursor) = only_value(query, "after_cursor") else {
        return Ok(given);
    };
    let known = account.cursors.get(&(list, cursor.to_owned())).cloned();
    let known = known.ok_or_else(|| "after_cursor is no cursor of an answer".to_owned())?;
    let repeated = RowSelection {
        after: known.after,
        ..given.clone()
    };
    // The vendor's links carry the cursor alone; who repeats the parameters must repeat them all.
    if given != RowSelection::default() && repeated != known {
        account
            .controls
            .violation(format!("{}: the parameters changed under a cursor", list.path()));
    }
    Ok(known)
}

fn given_selection(list: List, query: &Query) -> Result<RowSelection, String> {
    let mut selection = RowSelection::default();
    for (name, value) in query {
        if only_value(query, name).is_none() {
            return Err(format!("{name} is given more than once"));
        }
        match name.as_str() {
            "since" => selection.since = Some(time(value)?),
            "until" => selection.until = Some(time(value)?),
            "limit" | "after_cursor" => {}
            // A plus that is not encoded arrives as a blank.
            "sort" => match value.as_str() {
                "+id" | " id" | "id" => selection.descending = false,
                "-id" => selection.descending = true,
                _ => return Err(format!("sort cannot be {value}")),
            },
            "event_type_id" if list == List::Events => {
                let types: Result<Vec<u32>, _> = value.split(',').map(str::parse).collect();
                selection.event_types = Some(types.map_err(|_| "event_type_id takes numbers".to_owned())?);
            }
            _ => return Err(format!("{name} is no parameter here")),
        }
    }
    Ok(selection)
}

fn limit(largest: usize, query: &Query) -> Result<usize, String> {
    match only_value(query, "limit").map(str::parse) {
        None => Ok(DEFAULT_LIMIT.min(largest)),
        Some(Ok(limit)) if (1..=largest).contains(&limit) => Ok(limit),
        Some(_) => Err(format!("limit must be from 1 to {largest}")),
    }
}

/// The objects stand in the envelope byte for byte as they were published.
fn envelope(objects: &[String], after_cursor: Option<String>, next_link: Option<String>) -> String {
    let status = json!({"error": false, "code": 200, "type": "success", "message": "Success"});
    let or_null = |text: Option<String>| text.map_or(Value::Null, Value::from);
    let pagination = json!({
        "before_cursor": null,
        "after_cursor": or_null(after_cursor),
        "previous_link": null,
        "next_link": or_null(next_link),
    });
    format!(
        "{{\"status\":{status},\"pagination\":{pagination},\"data\":[{}]}}",
        objects.join(",")
    )
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    utc_time(text, 3..=3).ok_or_else(|| format!("{text} is no time of the form ...T...Z"))
}
