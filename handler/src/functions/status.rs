//! `GET /api/status`: how every stream stands, as JSON, or as a page for a browser.

use std::sync::Arc;
use std::time::Duration;

use url::form_urlencoded::{Serializer, parse};

use crate::app::{Runtime, RuntimeUnavailable};
use crate::host::{HttpCall, HttpReply};
use crate::status::status_page;

/// The page holds everything that it shows, and its address may hold a key that is nobody else's business.
const PAGE_HEADERS: [(&str, &str); 4] = [
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
];

/// So long the answer waits until what was counted of pushes is saved.
const LEDGERS_TIME: Duration = Duration::from_secs(2);

/// Answers a request. `runtime` is why there is none when the settings are bad.
pub async fn answer(runtime: Result<Arc<Runtime>, RuntimeUnavailable>, call: &HttpCall) -> HttpReply {
    status_reply(runtime, call)
        .await
        .with_header("Cache-Control", "no-store")
}

async fn status_reply(runtime: Result<Arc<Runtime>, RuntimeUnavailable>, call: &HttpCall) -> HttpReply {
    if call.method != "GET" && call.method != "HEAD" {
        return HttpReply::error(405, "the status is read with GET").with_header("Allow", "GET");
    }
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(reason) => return HttpReply::error(503, &reason.to_string()),
    };
    // What this process received shows at once.
    let _ = tokio::time::timeout(LEDGERS_TIME, runtime.save_ledgers()).await;
    let status = match runtime.status().await {
        Ok(status) => status,
        Err(error) => {
            log::error!("the status cannot be shown: {error}");
            return HttpReply::error(503, &error.to_string());
        }
    };
    if !wants_page(call) {
        return HttpReply::json(200, status.to_json());
    }
    let headers = PAGE_HEADERS.iter().map(|(name, value)| (*name, (*value).to_owned()));
    HttpReply {
        status: 200,
        headers: headers.collect(),
        body: status_page(&status, &links_of(call)),
    }
}

/// A browser asks for HTML; `format=json` in the address is for a person who wants the other form.
fn wants_page(call: &HttpCall) -> bool {
    if value_in_query(call, "format").is_some_and(|format| format == "json") {
        return false;
    }
    let accepted = call.header("accept").unwrap_or_default().to_ascii_lowercase();
    String::from_utf8_lossy(&accepted).contains("text/html")
}

/// The query of links on the page: the function key, where the address has one, goes along.
fn links_of(call: &HttpCall) -> String {
    let mut links = Serializer::new(String::new());
    links.append_pair("format", "json");
    if let Some(code) = value_in_query(call, "code") {
        links.append_pair("code", &code);
    }
    links.finish()
}

fn value_in_query(call: &HttpCall, wanted: &str) -> Option<String> {
    let mut pairs = parse(call.query.as_bytes());
    pairs
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(query: &str, accept: &str) -> HttpCall {
        HttpCall {
            method: "GET".to_owned(),
            path: "status".to_owned(),
            query: query.to_owned(),
            headers: vec![("accept".to_owned(), accept.as_bytes().to_vec())],
            body: Some(Vec::new()),
            invocation_id: None,
        }
    }

    #[test]
    fn only_a_browser_gets_the_page_unless_it_asks_for_the_other_form() {
        let browser = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
        for (query, accept, expected) in [
            ("", browser, true),
            ("code=x", "Text/HTML", true),
            ("format=json&code=x", browser, false),
            ("", "*/*", false),
            ("", "application/json", false),
        ] {
            assert_eq!(wants_page(&call(query, accept)), expected, "{query} {accept}");
        }
    }

    #[test]
    fn links_keep_the_key_and_nothing_else_of_the_address() {
        assert_eq!(
            links_of(&call("a=1&code=k%3D%3D%26&b=2", "")),
            "format=json&code=k%3D%3D%26"
        );
        assert_eq!(links_of(&call("", "")), "format=json");
    }
}
