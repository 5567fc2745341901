//! `GET /api/1/events` and `GET /api/1/users`: parameters in, a page in the vendor's envelope out.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Value, json};

use super::Fault;
use super::rows::Selection;
use super::state::{List, State, error};
use crate::query::{only_value, pairs};
use crate::service::{Incoming, Reply};

/// The page size without a `limit` (vendor: up to 50 events per page).
const DEFAULT_LIMIT: usize = 50;

type Query = Vec<(String, String)>;

impl State {
    pub(super) fn list(&mut self, list: List, incoming: &Incoming, fault: Option<&Fault>) -> Result<Reply, Reply> {
        let query = pairs(&incoming.query);
        let parsed = self
            .selection(list, &query)
            .and_then(|selection| Ok((selection, self.limit(&query)?)));
        let (selection, limit) = match parsed {
            Ok(parsed) => parsed,
            Err(problem) => {
                self.violation(format!("{}: {problem}", incoming.path));
                return Err(error(400, &problem));
            }
        };
        let rows = match list {
            List::Events => &self.events,
            List::Users => &self.users,
        };
        let mut page = rows.page(&selection, limit);
        if fault == Some(&Fault::RepeatLastOfPreviousPage)
            && let Some(repeated) = selection.after.and_then(|id| rows.get(id))
        {
            page.objects.insert(0, repeated.json.clone());
        }
        let origin = match fault {
            Some(Fault::ForeignNext(origin)) => origin.clone(),
            _ => self.origin.clone(),
        };
        // A foreign link is a lure, and is there on the last page too.
        let goes_on = page.next_after.is_some() || origin != self.origin;
        let after_cursor = goes_on.then(|| {
            let cursor = self.opaque();
            let after = page.next_after.or(selection.after);
            self.cursors.insert(
                (list, cursor.clone()),
                Selection {
                    after,
                    ..selection.clone()
                },
            );
            cursor
        });
        let next_link = after_cursor
            .as_ref()
            .map(|cursor| format!("{origin}{}?after_cursor={cursor}", list.path()));
        Ok(Reply::json(200, envelope(&page.objects, after_cursor, next_link)))
    }

    fn selection(&mut self, list: List, query: &Query) -> Result<Selection, String> {
        let mut selection = Selection::default();
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
        let Some(cursor) = only_value(query, "after_cursor") else {
            return Ok(selection);
        };
        let known = self.cursors.get(&(list, cursor.to_owned())).cloned();
        let known = known.ok_or_else(|| "after_cursor is no cursor of an answer".to_owned())?;
        let repeated = Selection {
            after: known.after,
            ..selection.clone()
        };
        // The vendor's links carry the cursor alone; who repeats the parameters must repeat them all.
        if selection != Selection::default() && repeated != known {
            self.violation(format!("{}: the parameters changed under a cursor", list.path()));
        }
        Ok(known)
    }

    fn limit(&self, query: &Query) -> Result<usize, String> {
        let largest = self.options.largest_limit;
        match only_value(query, "limit").map(str::parse) {
            None => Ok(DEFAULT_LIMIT.min(largest)),
            Some(Ok(limit)) if (1..=largest).contains(&limit) => Ok(limit),
            Some(_) => Err(format!("limit must be from 1 to {largest}")),
        }
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

/// `yyyy-MM-ddTHH:mm:ssZ`, with three digits of fraction or none.
fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let is_long_enough = text.len() == "2026-11-20T10:00:00Z".len() || text.len() == "2026-11-20T10:00:00.000Z".len();
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.fZ")
        .ok()
        .filter(|_| is_long_enough);
    naive
        .map(|naive| naive.and_utc())
        .ok_or_else(|| format!("{text} is no time of the form ...T...Z"))
}
