//! The address of a window's first page.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use reqwest::Url;

use crate::config::Origin;
use crate::sources::Window;
use crate::sources::cursor_pages::PageRequest;
use crate::sources::endpoint::address;

/// `recordedAt` runs in milliseconds and `gt` excludes its bound: one lower asks for the bound itself.
fn filter(window: Window) -> String {
    let literal = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Millis, true);
    let below = window.from - Duration::milliseconds(1);
    format!(
        "recordedAt gt \"{}\" AND recordedAt lt \"{}\"",
        literal(below),
        literal(window.to)
    )
}

/// `{api}/v1/environments/{id}/activities?filter=...&limit=...`
pub fn first_page(api: &Origin, environment_id: &str, request: PageRequest<'_>) -> Option<Url> {
    let path = format!("/v1/environments/{environment_id}/activities");
    let parameters = [("filter", filter(request.window)), ("limit", request.limit.to_string())];
    address(api, &path, &parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_bound_is_asked_for_by_the_millisecond_before_it() {
        let window = Window {
            from: "2026-11-20T10:00:00Z".parse().unwrap(),
            to: "2026-11-20T11:00:00.5Z".parse().unwrap(),
        };
        let expected = r#"recordedAt gt "2026-11-20T09:59:59.999Z" AND recordedAt lt "2026-11-20T11:00:00.500Z""#;
        assert_eq!(filter(window), expected);
    }
}
