//! The address of a page.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

use crate::config::Origin;
use crate::sources::Window;
use crate::time::rfc3339_millis;

/// `since` excludes its bound, and how times are cut before they are compared is not documented: so much lower is
/// asked for. What comes too much is dropped by identity.
const LOWER: TimeDelta = TimeDelta::seconds(1);

/// `{api}/api/1/{path}?...`: in the order of the ids, of a window or everything. The parameters stand in every page's
/// address, and the cursor in all but the first.
pub fn page(api: &Origin, path: &str, window: Option<Window>, limit: usize, cursor: Option<&str>) -> Option<Url> {
    let mut url = format!("{}/api/1/{path}?limit={limit}", api.as_str());
    let mut add = |name: &str, value: &str| {
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        // Writing to a String cannot fail.
        let _ = write!(url, "&{name}={value}");
    };
    add("sort", "+id");
    if let Some(window) = window {
        let below = window.from.checked_sub_signed(LOWER).unwrap_or(window.from);
        add("since", &rfc3339_millis(below));
        add("until", &rfc3339_millis(up_to_the_millisecond(window.to)));
    }
    if let Some(cursor) = cursor {
        add("after_cursor", cursor);
    }
    Url::parse(&url).ok()
}

/// The page behind a cursor and nothing else, as in the vendor's own `next_link`: the cursor holds the parameters.
pub fn behind(api: &Origin, path: &str, cursor: &str) -> Option<Url> {
    let cursor = utf8_percent_encode(cursor, NON_ALPHANUMERIC);
    Url::parse(&format!("{}/api/1/{path}?after_cursor={cursor}", api.as_str())).ok()
}

/// Cut down, the bound would exclude the last millisecond of the window.
fn up_to_the_millisecond(instant: DateTime<Utc>) -> DateTime<Utc> {
    match instant.timestamp_subsec_nanos() % 1_000_000 {
        0 => instant,
        _ => instant
            .checked_add_signed(TimeDelta::milliseconds(1))
            .unwrap_or(instant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(path: &str, window: Option<Window>, cursor: Option<&str>) -> (String, Vec<String>) {
        let api = Origin::parse("https://example.onelogin.com").unwrap();
        let url = page(&api, path, window, 1000, cursor).unwrap();
        let pairs = url.query_pairs().map(|(name, value)| format!("{name}={value}"));
        (url[..url::Position::AfterPath].to_owned(), pairs.collect())
    }

    fn window(to: &str) -> Option<Window> {
        Some(Window {
            from: "2026-11-20T10:00:00.250Z".parse().unwrap(),
            to: to.parse().unwrap(),
        })
    }

    #[test]
    fn a_window_is_asked_for_from_a_second_before_it() {
        let (address, pairs) = parameters("events", window("2026-11-20T11:00:00Z"), None);
        assert_eq!(address, "https://example.onelogin.com/api/1/events");
        let expected = [
            "limit=1000",
            "sort=+id",
            "since=2026-11-20T09:59:59.250Z",
            "until=2026-11-20T11:00:00.000Z",
        ];
        assert_eq!(pairs, expected);
    }

    #[test]
    fn the_last_part_of_a_millisecond_belongs_to_the_window() {
        let (_, pairs) = parameters("events", window("2026-11-20T11:00:00.0001Z"), None);
        assert_eq!(pairs[3], "until=2026-11-20T11:00:00.001Z");
    }

    #[test]
    fn a_further_page_repeats_the_parameters_and_adds_the_cursor_unharmed() {
        let (_, first) = parameters("events", window("2026-11-20T11:00:00Z"), None);
        let (_, mut further) = parameters("events", window("2026-11-20T11:00:00Z"), Some("a+b/c=="));
        assert_eq!(further.pop().as_deref(), Some("after_cursor=a+b/c=="));
        assert_eq!(further, first);
    }

    #[test]
    fn everything_is_asked_for_without_times() {
        let (address, pairs) = parameters("users", None, None);
        assert_eq!(address, "https://example.onelogin.com/api/1/users");
        assert_eq!(pairs, ["limit=1000", "sort=+id"]);
    }
}
