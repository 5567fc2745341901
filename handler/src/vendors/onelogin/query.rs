//! The address of a page.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Url;

use super::list_spec::ListSpec;
use crate::config::Origin;
use crate::sources::Window;
use crate::sources::cursor_pages::PageRequest;
use crate::sources::endpoint::address;
use crate::time::rfc3339_millis;

/// `since` excludes its bound, and how times are cut before they are compared is not documented: so much lower is
/// asked for. What comes too much is dropped by identity.
const LOWER: TimeDelta = TimeDelta::seconds(1);

/// `{api}/api/1/{path}?...`: in the order of the ids, of a window or everything. The parameters stand in every page's
/// address, and the cursor in all but the first.
pub fn page(api: &Origin, spec: &ListSpec, request: PageRequest<'_>) -> Option<Url> {
    let mut parameters = vec![("limit", request.limit.to_string()), ("sort", "+id".to_owned())];
    if spec.has_windows {
        let Window { from, to } = request.window;
        let below = from.checked_sub_signed(LOWER).unwrap_or(from);
        parameters.push(("since", rfc3339_millis(below)));
        parameters.push(("until", rfc3339_millis(up_to_the_millisecond(to))));
    }
    parameters.extend(request.cursor.map(|cursor| ("after_cursor", cursor.to_owned())));
    address(api, &format!("/api/1/{}", spec.path), &parameters)
}

/// The page behind a cursor and nothing else, as in the vendor's own `next_link`: the cursor holds the parameters.
pub fn behind(api: &Origin, spec: &ListSpec, cursor: &str) -> Option<Url> {
    address(
        api,
        &format!("/api/1/{}", spec.path),
        &[("after_cursor", cursor.to_owned())],
    )
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
    use crate::vendors::onelogin::events::EVENTS;

    fn parameters(spec: &ListSpec, window: Window, cursor: Option<&str>) -> (String, Vec<String>) {
        let api = Origin::parse("https://example.onelogin.com").unwrap();
        let request = PageRequest {
            cursor,
            ..PageRequest::first(window, 1000)
        };
        let url = page(&api, spec, request).unwrap();
        let pairs = url.query_pairs().map(|(name, value)| format!("{name}={value}"));
        (url[..url::Position::AfterPath].to_owned(), pairs.collect())
    }

    fn window(to: &str) -> Window {
        Window {
            from: "2026-11-20T10:00:00.250Z".parse().unwrap(),
            to: to.parse().unwrap(),
        }
    }

    #[test]
    fn a_window_is_asked_for_from_a_second_before_it() {
        let (address, pairs) = parameters(&EVENTS, window("2026-11-20T11:00:00Z"), None);
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
        let (_, pairs) = parameters(&EVENTS, window("2026-11-20T11:00:00.0001Z"), None);
        assert_eq!(pairs[3], "until=2026-11-20T11:00:00.001Z");
    }

    #[test]
    fn a_further_page_repeats_the_parameters_and_adds_the_cursor_unharmed() {
        let (_, first) = parameters(&EVENTS, window("2026-11-20T11:00:00Z"), None);
        let (_, mut further) = parameters(&EVENTS, window("2026-11-20T11:00:00Z"), Some("a+b/c=="));
        assert_eq!(further.pop().as_deref(), Some("after_cursor=a+b/c=="));
        assert_eq!(further, first);
    }

    #[test]
    fn everything_is_asked_for_without_times() {
        let users = ListSpec {
            path: "users",
            has_windows: false,
            ..EVENTS
        };
        let (address, pairs) = parameters(&users, window("2026-11-20T11:00:00Z"), None);
        assert_eq!(address, "https://example.onelogin.com/api/1/users");
        assert_eq!(pairs, ["limit=1000", "sort=+id"]);
    }
}
