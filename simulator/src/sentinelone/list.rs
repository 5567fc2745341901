//! The list endpoints: parameters in, a page in the vendor's envelope out.

use std::sync::Arc;

use serde_json::{Value, json};

use super::catalogue::{Page, Selection};
use super::contract::Stream;
use super::cursor::{Cursor, old_form};
use super::options::ConsoleFault;
use super::parameters::{self, lasting};
use super::state::Console;
use crate::query::{Query, only_value, pairs};
use crate::service::{Fault, Reply, Request};

/// The page, or the refusal.
pub(super) fn reply(
    console: &mut Console,
    stream: Stream,
    request: &Request,
    fault: Option<&Fault<ConsoleFault>>,
) -> Result<Reply, Reply> {
    let query = pairs(&request.query);
    let mut selection =
        parameters::selection(stream, &query, &console.options).map_err(|problem| console.refused(stream, &problem))?;
    if let Some(text) = only_value(&query, "cursor") {
        follow(console, stream, &query, text)
            .and_then(|cursor| go_on(&mut selection, stream, cursor))
            .map_err(|problem| console.refused(stream, &problem))?;
    }
    selection.limit = console.page_limit(selection.limit);
    let repeated = match (fault, &selection.after) {
        (Some(Fault::RepeatLastOfPreviousPage), Some(place)) => {
            console.catalogue(stream).at(place).map(|stored| stored.json.clone())
        }
        _ => None,
    };
    let page = console.catalogue(stream).page(&selection);
    let versions: Vec<usize> = page.objects.iter().map(|stored| stored.version).collect();
    let own = page.objects.iter().map(|stored| stored.json.clone());
    let data: Vec<Arc<str>> = repeated.into_iter().chain(own).collect();
    let total = page.total;
    let next = next_cursor(&selection, &page);
    if shows_its_data(fault) {
        console.mark_shown(&versions);
    }
    let next = next.map(|cursor| {
        let text = cursor_text(console, &cursor, fault);
        let decoded = percent_encoding::percent_decode_str(&text).decode_utf8_lossy();
        console.issue(stream, decoded.into_owned(), cursor, lasting(&query));
        text
    });
    Ok(Reply::json(200, envelope(&data, next, total, fault)))
}

/// Reads a cursor; one that no answer has given is a violation.
fn follow(console: &mut Console, stream: Stream, query: &Query, text: &str) -> Result<Cursor, String> {
    if let Some(cursor) = console.follow(stream, text, &lasting(query)) {
        return Ok(cursor);
    }
    let cursor = Cursor::decode(text).ok_or_else(|| "the cursor cannot be read".to_owned())?;
    console.violation(stream, "no answer has given this cursor");
    Ok(cursor)
}

fn go_on(selection: &mut Selection, stream: Stream, cursor: Cursor) -> Result<(), String> {
    let sort = stream.contract().sort(&cursor.sort_by);
    selection.sort = sort.ok_or_else(|| "the cursor names an unknown column".to_owned())?;
    selection.descending = cursor.descending;
    selection.after = Some(cursor.after);
    Ok(())
}

fn next_cursor(selection: &Selection, page: &Page<'_>) -> Option<Cursor> {
    Some(Cursor {
        sort_by: selection.sort.name.to_owned(),
        descending: selection.descending,
        after: page.next_after.clone()?,
    })
}

/// The text of a cursor.
fn cursor_text(console: &Console, cursor: &Cursor, fault: Option<&Fault<ConsoleFault>>) -> String {
    match fault {
        Some(Fault::Vendor(ConsoleFault::OldCursorForm)) => old_form(58_000_000 + console.cursors_issued() as u64),
        Some(Fault::Vendor(ConsoleFault::UrlEncodedCursor)) => cursor.url_encoded(),
        _ => cursor.encoded(),
    }
}

/// Whether the client can read the data of the answer.
pub(super) fn shows_its_data(fault: Option<&Fault<ConsoleFault>>) -> bool {
    !matches!(
        fault,
        Some(Fault::TruncatedJson | Fault::Vendor(ConsoleFault::NullData))
    )
}

/// The objects stand in the envelope byte for byte as they were published.
fn envelope(data: &[Arc<str>], next: Option<String>, total: usize, fault: Option<&Fault<ConsoleFault>>) -> String {
    let data = match fault {
        Some(Fault::Vendor(ConsoleFault::NullData)) => "null".to_owned(),
        _ => format!("[{}]", data.join(",")),
    };
    let errors = match fault {
        Some(Fault::Vendor(ConsoleFault::ErrorsBesideData)) => ",\"errors\":[{}]",
        _ => "",
    };
    let pagination = json!({"nextCursor": next.map_or(Value::Null, Value::from), "totalItems": total});
    format!("{{\"data\":{data},\"pagination\":{pagination}{errors}}}")
}
