//! The rules every address obeys, be it an origin or a full URL.

use url::{Host, Url};

/// Reads an address with a scheme that may be used for its host, and nothing that the parser
/// would have to tidy up: what is written is what is called.
///
/// `None` stands for every fault: the caller knows the accepted form.
pub fn parse(text: &str) -> Option<Url> {
    // The parser drops tabs and line breaks, and takes a backslash for a slash.
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('\\') {
        return None;
    }
    let (scheme, rest) = text.split_once("://")?;
    if rest.starts_with('/') || !is_web_scheme(scheme) || has_dot_segment(rest) {
        return None;
    }

    let url = Url::parse(text).ok()?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    let authority = rest.split(['/', '?', '#']).next()?;
    if has_user || authority.contains('@') || url.fragment().is_some() {
        return None;
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return None;
    }
    Some(url)
}

/// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_web_scheme(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
}

/// Whether a part of the path would be taken for "here" or "one up", encoded or not.
fn has_dot_segment(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    path.split('/').skip(1).any(|segment| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        segment == "." || segment == ".."
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_accepted_everywhere_and_http_on_this_machine_only() {
        for accepted in [
            "https://example.com",
            "HTTPS://Example.com/a/b?c=d",
            "http://localhost:9000",
            "http://127.0.0.1",
            "http://127.9.8.7:1/x",
            "http://[::1]:10000/a/b",
        ] {
            assert!(parse(accepted).is_some(), "{accepted}");
        }
        for refused in [
            "http://example.com",
            "http://localhost.example.com",
            "http://128.0.0.1",
            "http://[::2]",
            "http://0.0.0.0",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
        ] {
            assert!(parse(refused).is_none(), "{refused}");
        }
    }

    #[test]
    fn what_the_parser_would_tidy_up_is_refused() {
        for refused in [
            "",
            "example.com",
            "https:example.com",
            "https:///example.com",
            "https://",
            "https://exa\tmple.com",
            "https://example.com\\a",
            "https://example.com/a b",
            "https://ex\u{e4}mple.com",
            "https://me@example.com",
            "https://@example.com",
            "https://me:secret@example.com/",
            "https://example.com/#top",
            "https://example.com/..",
            "https://example.com/a/../b",
            "https://example.com/a/./b",
            "https://example.com/a/%2E%2e/b",
            "https://example.com:99999",
        ] {
            assert!(parse(refused).is_none(), "{refused:?}");
        }
    }
}
