//! `GET /v1/environments/{environment}/activities`: pages of audit activities.

use std::time::Duration;

use serde_json::Value;

use super::Fault;
use super::events::{Page, Selection};
use super::filter::Window;
use super::reply::Reply;
use super::state::{Incoming, State};
use crate::query::{only_value, pairs, unexpected_names};

/// The page size without a `limit` (vendor: POST model of the activities).
const DEFAULT_LIMIT: usize = 100;

/// The largest page size while [`Fault::NextPageSizeRefused`] holds.
const SMALL_LIMIT: usize = 100;

impl State {
    pub(super) fn answer_activities(&mut self, incoming: &Incoming, environment: &str) -> Reply {
        let fault = self.faults.pop_front();
        let delay: Option<Duration> = match fault {
            Some(Fault::Reset) => return Reply::cut(),
            Some(Fault::HtmlPage) => return Reply::html(),
            Some(Fault::Status { status, retry_after }) => {
                let error = self.error(status, "The request failed on purpose", None);
                return Reply { retry_after, ..error };
            }
            Some(Fault::Delay(delay)) => Some(delay),
            _ => None,
        };
        let reply = match self.page_for(incoming, environment, fault.as_ref()) {
            Ok(body) => Reply::json(200, body),
            Err(refusal) => refusal,
        };
        Reply { delay, ..reply }
    }

    /// The body of the page, or the refusal.
    fn page_for(&mut self, incoming: &Incoming, environment: &str, fault: Option<&Fault>) -> Result<Vec<u8>, Reply> {
        if incoming.method != "GET" {
            self.violation(format!("activities were asked with {}", incoming.method));
            return Err(self.error(405, "Activities are asked with GET", None));
        }
        self.check_token(incoming, fault)?;
        if environment != self.options.environment_id {
            return Err(self.error(403, "The application has no role here", None));
        }
        let selection = self.selection(&pairs(&incoming.query), fault)?;
        let mut page = self
            .events
            .page(&selection, self.options.newest_first, self.options.oldest_readable);
        if fault == Some(&Fault::RepeatLastOfPreviousPage)
            && let Some(repeated) = selection.after.as_ref().and_then(|last| self.events.at(last))
        {
            page.events.insert(0, repeated);
        }
        let next = self.next_link(incoming, &selection, &page, fault);
        let body = page_text(&self_link(&self.origin, incoming), next.as_deref(), &page);
        Ok(match fault {
            Some(Fault::TruncatedJson) => first_half(&body),
            Some(Fault::InvalidUtf8) => with_a_broken_letter(body),
            _ => body.into_bytes(),
        })
    }

    fn check_token(&mut self, incoming: &Incoming, fault: Option<&Fault>) -> Result<(), Reply> {
        let shown = incoming
            .authorization
            .as_deref()
            .and_then(|header| header.strip_prefix("Bearer "));
        let Some(token) = shown else {
            self.violation("activities were asked without a bearer token".to_owned());
            return Err(self.error(401, "A bearer token is needed", None));
        };
        if fault == Some(&Fault::RevokeToken) {
            self.tokens.remove(token);
        }
        let used_up = match self.tokens.get_mut(token) {
            None => true,
            Some(served) if self.options.token_uses == Some(*served) => true,
            Some(served) => {
                *served += 1;
                false
            }
        };
        if used_up {
            self.tokens.remove(token);
            return Err(self.error(401, "The token is unknown or has expired", None));
        }
        Ok(())
    }

    /// A filter opens a selection, a cursor goes on with one.
    fn selection(&mut self, query: &[(String, String)], fault: Option<&Fault>) -> Result<Selection, Reply> {
        if let Some(cursor) = only_value(query, "cursor") {
            if query.len() > 1 {
                self.violation("a next link was changed: the cursor is not alone".to_owned());
                return Err(self.error(400, "A cursor comes alone", Some("cursor")));
            }
            let known = self.cursors.get(cursor).cloned();
            return known.ok_or_else(|| self.error(400, "The cursor is unknown", Some("cursor")));
        }
        if let Some(name) = unexpected_names(query, &["filter", "limit"]).first() {
            self.violation(format!("activities were asked with the parameter {name}"));
            return Err(self.error(400, "There is no such parameter", Some(name)));
        }
        let Some(filter) = only_value(query, "filter") else {
            self.violation("activities were asked without a filter".to_owned());
            return Err(self.error(400, "A filter is needed", Some("filter")));
        };
        let window = match Window::parse(filter) {
            Ok(window) => window,
            Err(problem) => {
                self.violation(format!("filter refused: {problem}"));
                return Err(self.error(400, &problem, Some("filter")));
            }
        };
        let limit = self.limit(only_value(query, "limit"), fault)?;
        Ok(Selection {
            window,
            limit,
            after: None,
        })
    }

    fn limit(&mut self, given: Option<&str>, fault: Option<&Fault>) -> Result<usize, Reply> {
        let Some(given) = given else {
            return Ok(DEFAULT_LIMIT);
        };
        let largest = match fault {
            Some(Fault::NextPageSizeRefused) => SMALL_LIMIT,
            _ => self.options.largest_limit,
        };
        match given.parse::<usize>() {
            Ok(limit) if (1..=largest).contains(&limit) => Ok(limit),
            _ => Err(self.error(400, "The limit is out of range", Some("limit"))),
        }
    }

    fn next_link(
        &mut self,
        incoming: &Incoming,
        selection: &Selection,
        page: &Page,
        fault: Option<&Fault>,
    ) -> Option<String> {
        let origin = match fault {
            Some(Fault::ForeignNext(origin)) => origin.clone(),
            _ => self.origin.clone(),
        };
        // A foreign link is a lure, and is there on the last page too.
        if page.next_after.is_none() && origin == self.origin {
            return None;
        }
        let cursor = self.opaque();
        let following = Selection {
            after: page.next_after.clone().or_else(|| selection.after.clone()),
            ..selection.clone()
        };
        self.cursors.insert(cursor.clone(), following);
        Some(format!("{origin}{}?cursor={cursor}", incoming.path))
    }
}

fn self_link(origin: &str, incoming: &Incoming) -> String {
    format!("{origin}{}?{}", incoming.path, incoming.query)
}

/// The HAL text of a page; the events stand in it byte for byte as they were published.
fn page_text(own: &str, next: Option<&str>, page: &Page) -> String {
    let link = |href: &str| format!("{{\"href\":{}}}", Value::from(href));
    let next = next.map_or(String::new(), |href| format!(",\"next\":{}", link(href)));
    format!(
        "{{\"_links\":{{\"self\":{}{next}}},\"_embedded\":{{\"activities\":[{}]}}}}",
        link(own),
        page.events.join(",")
    )
}

/// The first half of `text`, at a character boundary.
fn first_half(text: &str) -> Vec<u8> {
    let mut end = text.len() / 2;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.as_bytes()[..end].to_vec()
}

/// `text` with a byte that is no UTF-8 in front of the first description.
fn with_a_broken_letter(text: String) -> Vec<u8> {
    let before = "\"description\":\"";
    let place = text.find(before).map(|start| start + before.len());
    let mut bytes = text.into_bytes();
    if let Some(place) = place {
        bytes.insert(place, 0xff);
    }
    bytes
}
