//! JSON strings: quoting, unquoting, and escapes that are no character.

use std::borrow::Cow;

/// Writes `text` as a JSON string.
pub fn quote_into(text: &str, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail, and neither can a str.
    let _ = serde_json::to_writer(out, text);
}

/// The text of a JSON string (with its quotes). Escapes that are no character become U+FFFD.
pub fn unquote(quoted: &str) -> Cow<'_, str> {
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(quoted);
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    let repaired = repair_surrogates(quoted);
    serde_json::from_str::<String>(&repaired).map_or(Cow::Borrowed(inner), Cow::Owned)
}

/// The text of an object's key, given as it stands between its quotes.
pub fn key_text(key: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', key.as_bytes()).is_none() {
        return Cow::Borrowed(key);
    }
    Cow::Owned(unquote(&format!("\"{key}\"")).into_owned())
}

/// Replaces `\uD800`-like escapes that have no partner by `\uFFFD`: they are valid by the JSON grammar, but name no
/// character, and strict readers refuse the whole document for one of them.
pub fn repair_surrogates(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let mut repaired: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &bytes[at..]) {
        let start = at + found;
        let Some(unit) = escaped_unit(bytes, start) else {
            at = (start + 2).min(bytes.len());
            continue;
        };
        let is_pair = is_high(unit) && escaped_unit(bytes, start + 6).is_some_and(is_low);
        if is_pair {
            at = start + 12;
            continue;
        }
        if is_high(unit) || is_low(unit) {
            let copy = repaired.get_or_insert_with(|| bytes.to_vec());
            copy[start..start + 6].copy_from_slice(b"\\ufffd");
        }
        at = start + 6;
    }
    match repaired.map(String::from_utf8) {
        Some(Ok(text)) => Cow::Owned(text),
        _ => Cow::Borrowed(json),
    }
}

fn escaped_unit(bytes: &[u8], at: usize) -> Option<u16> {
    let escape = bytes.get(at..at + 6)?;
    if !escape.starts_with(b"\\u") {
        return None;
    }
    let digits = std::str::from_utf8(&escape[2..]).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

fn is_high(unit: u16) -> bool {
    (0xD800..0xDC00).contains(&unit)
}

fn is_low(unit: u16) -> bool {
    (0xDC00..0xE000).contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpaired_surrogate_escapes_are_replaced_and_pairs_are_kept() {
        let text = r#""\ud83d\ude00 \ud83d \udc00 \\ud83d \u00e9""#;
        let repaired = repair_surrogates(text);
        assert_eq!(repaired, r#""\ud83d\ude00 \ufffd \ufffd \\ud83d \u00e9""#);
        assert_eq!(unquote(text), "😀 \u{fffd} \u{fffd} \\ud83d é");
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        assert!(matches!(unquote("\"plain\""), Cow::Borrowed("plain")));
        assert!(matches!(repair_surrogates(r#""\n\u00e9""#), Cow::Borrowed(_)));
    }

    #[test]
    fn an_escape_at_the_very_end_is_no_panic() {
        for text in ["\\", "\\u", "\\ud8", "\"\\ud800\""] {
            let _ = repair_surrogates(text);
            let _ = unquote(text);
        }
    }
}
