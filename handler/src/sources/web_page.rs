//! A web page in the place of data: what a proxy or a sign-in service in between answers with.

use std::ops::Range;

const LOOKED_AT: usize = 8 * 1024;
const LONGEST_TITLE: usize = 60;
/// Longer words are no words: tokens look like that.
const LONGEST_WORD: usize = 24;

/// The title of a body that is a web page; empty if it has none that may be shown. `None` if it is no web page.
pub fn web_page_title(body: &[u8]) -> Option<String> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    if body.first() != Some(&b'<') {
        return None;
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)]);
    let title = title_in(&text).map(|title| title.split_whitespace().collect::<Vec<_>>().join(" "));
    Some(title.filter(|title| may_be_shown(title)).unwrap_or_default())
}

fn title_in(text: &str) -> Option<&str> {
    let Range { start, .. } = find(text, 0, "<title")?;
    let begin = find(text, start, ">")?.end;
    let end = find(text, begin, "</title")?.start;
    text.get(begin..end)
}

/// Where `wanted`, in lower case, stands behind `from`, in any case.
fn find(text: &str, from: usize, wanted: &str) -> Option<Range<usize>> {
    let start = from + text.get(from..)?.to_ascii_lowercase().find(wanted)?;
    Some(start..start + wanted.len())
}

/// A page may repeat what was sent.
fn may_be_shown(title: &str) -> bool {
    let is_plain = |character: char| character.is_alphanumeric() || " .,:;!?()'_|&-".contains(character);
    title.chars().count() <= LONGEST_TITLE
        && title.chars().all(is_plain)
        && title.split(' ').all(|word| word.chars().count() <= LONGEST_WORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_begins_with_markup_is_a_web_page_and_its_title_is_shown_if_it_is_harmless() {
        for (body, title) in [
            (
                "<!doctype html><html><head><title>Sign in</title></head>",
                Some("Sign in"),
            ),
            (
                "\u{feff} \r\n<HTML><TITLE lang=\"de\">Bitte\n  anmelden</TITLE>",
                Some("Bitte anmelden"),
            ),
            ("<html><title>eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0</title>", Some("")),
            ("<html><title>a <b>bold</b> one</title>", Some("")),
            ("<html><title>without an end", Some("")),
            ("<html>", Some("")),
            ("{\"a\":\"<title>x</title>\"}", None),
            ("", None),
        ] {
            assert_eq!(web_page_title(body.as_bytes()).as_deref(), title, "{body}");
        }
    }
}
