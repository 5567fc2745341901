//! The address of a page.

use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::Url;

use super::endpoint_spec::EndpointSpec;
use crate::config::Origin;
use crate::sources::cursor_pages::PageRequest;
use crate::sources::endpoint::address;

/// `{console}/web/api/v2.1/{path}?...`: the same filters and order for every page of a window, and the cursor of all
/// but the first.
pub fn page(console: &Origin, spec: &EndpointSpec, request: PageRequest<'_>) -> Option<Url> {
    let [from, to] = spec.window_on;
    let mut parameters = vec![
        ("limit", request.limit.to_string()),
        ("sortBy", spec.sort_by.to_owned()),
        ("sortOrder", "asc".to_owned()),
        (from, instant(request.window.from)),
        (to, instant(request.window.to)),
    ];
    parameters.extend(spec.show_all.iter().map(|(name, value)| (*name, (*value).to_owned())));
    parameters.extend(request.cursor.map(|cursor| ("cursor", cursor.to_owned())));
    address(console, &format!("/web/api/v2.1/{}", spec.path), &parameters)
}

/// `2026-11-20T10:15:30.123000Z`, the form that the vendor documents.
fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::super::endpoint_spec::{ACTIVITIES, AGENTS, ALERTS, GROUPS, THREATS};
    use super::*;
    use crate::sources::Window;

    fn parameters(spec: &EndpointSpec, cursor: Option<&str>) -> (String, Vec<(String, String)>) {
        let window = Window {
            from: "2026-11-20T10:00:00Z".parse().unwrap(),
            to: "2026-11-20T11:00:00.5Z".parse().unwrap(),
        };
        let console = Origin::parse("https://example.sentinelone.net").unwrap();
        let request = PageRequest {
            cursor,
            ..PageRequest::first(window, spec.page_size)
        };
        let url = page(&console, spec, request).unwrap();
        let pairs = url.query_pairs().into_owned().collect();
        (url[..url::Position::AfterPath].to_owned(), pairs)
    }

    fn expected(limit: &str, on: &str, sort_by: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let (from, to) = ("2026-11-20T10:00:00.000000Z", "2026-11-20T11:00:00.500000Z");
        let (at_least, below) = (format!("{on}__gte"), format!("{on}__lt"));
        let mut pairs = vec![
            ("limit", limit),
            ("sortBy", sort_by),
            ("sortOrder", "asc"),
            (&at_least, from),
            (&below, to),
        ];
        pairs.extend(more);
        let owned = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        owned.collect()
    }

    #[test]
    fn every_endpoint_is_asked_by_its_own_time_in_its_order_and_hides_nothing() {
        let both = "True,False";
        for (spec, limit, on, sort_by, more) in [
            (
                &ACTIVITIES,
                "1000",
                "createdAt",
                "createdAt",
                &[("includeHidden", "true")][..],
            ),
            (
                &AGENTS,
                "1000",
                "updatedAt",
                "updatedAt",
                &[("isDecommissioned", both), ("isUninstalled", both)],
            ),
            (&ALERTS, "1000", "reportedAt", "alertInfoReportedAt", &[]),
            (&GROUPS, "300", "updatedAt", "updatedAt", &[]),
            (&THREATS, "1000", "updatedAt", "updatedAt", &[]),
        ] {
            let (address, pairs) = parameters(spec, None);
            assert_eq!(
                address,
                format!("https://example.sentinelone.net/web/api/v2.1/{}", spec.path)
            );
            assert_eq!(pairs, expected(limit, on, sort_by, more), "{}", spec.path);
        }
    }

    #[test]
    fn a_further_page_repeats_filters_and_order_and_adds_the_cursor_unharmed() {
        let (_, first) = parameters(&THREATS, None);
        let (_, mut further) = parameters(&THREATS, Some("a+b/c=="));
        assert_eq!(further.pop(), Some(("cursor".to_owned(), "a+b/c==".to_owned())));
        assert_eq!(further, first);
    }
}
