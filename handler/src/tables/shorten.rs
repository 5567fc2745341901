//! Fits a value that is too long into the field limit, with a mark that says so.

use std::fmt::Write;

use crate::json::{Cursor, Kind, kind, members, quote_into, unquote};

/// Strings are not cut below this while there are arrays to shorten.
const SHORT_STRING: usize = 1024;
/// JSON nested deeper than this is cut as plain text.
const DEEPEST_SHORTENED: usize = 64;

/// `text` cut at a character boundary, mark included in `limit` bytes.
pub fn cut_text(text: &str, limit: usize) -> String {
    let mark = format!("…[cut: {} bytes in all]", text.len());
    let mut end = limit.saturating_sub(mark.len()).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{mark}", &text[..end])
}

/// Compact JSON shortened from inside to at most `limit` bytes: the longest strings first, then the longest arrays,
/// then the members of objects. It stays valid JSON, and every place that was shortened carries a mark.
pub fn shorten_json(compact: &str, limit: usize) -> String {
    if crate::json::depth(compact) <= DEEPEST_SHORTENED {
        let strings = (0..6).map(|step| Caps {
            string: (limit / 2) >> step,
            ..Caps::NONE
        });
        let strings = strings.filter(|caps| caps.string >= SHORT_STRING);
        let arrays = (0..15).map(|step| Caps {
            string: SHORT_STRING,
            array: 8192 >> step,
            ..Caps::NONE
        });
        let objects = (0..8).map(|step| Caps {
            string: SHORT_STRING >> step.min(4),
            array: 1,
            object: 128 >> step,
        });
        for caps in strings.chain(arrays).chain(objects) {
            let shortened = caps.apply(compact);
            if shortened.len() <= limit {
                return shortened;
            }
        }
    }
    // Quoting may make the text longer; what is left of it must fit all the same.
    let mut room = limit;
    loop {
        let mut quoted = Vec::new();
        quote_into(&cut_text(compact, room), &mut quoted);
        if quoted.len() <= limit || room == 0 {
            return String::from_utf8(quoted).unwrap_or_default();
        }
        room /= 2;
    }
}

/// How long the parts of a value may be.
#[derive(Clone, Copy, Debug)]
struct Caps {
    /// bytes of a string
    string: usize,
    /// elements of an array
    array: usize,
    /// members of an object
    object: usize,
}

impl Caps {
    const NONE: Self = Self {
        string: usize::MAX,
        array: usize::MAX,
        object: usize::MAX,
    };

    fn apply(self, value: &str) -> String {
        let mut out = String::with_capacity(value.len() / 2);
        self.write(value, &mut out);
        out
    }

    // Recursion is bounded by DEEPEST_SHORTENED.
    fn write(self, value: &str, out: &mut String) {
        match kind(value) {
            Kind::String if value.len() > self.string.saturating_add(2) => {
                let mut quoted = Vec::new();
                quote_into(&cut_text(&unquote(value), self.string), &mut quoted);
                out.push_str(&String::from_utf8_lossy(&quoted));
            }
            Kind::Array => self.write_array(value, out),
            Kind::Object => self.write_object(value, out),
            _ => out.push_str(value),
        }
    }

    fn write_array(self, value: &str, out: &mut String) {
        let mut cursor = Cursor::new(value);
        cursor.enter(b'[');
        let mut count = 0_usize;
        out.push('[');
        while cursor.next_element() {
            let Some(element) = cursor.value() else { break };
            if count < self.array {
                separate(count, out);
                self.write(element, out);
            }
            count += 1;
        }
        if count > self.array {
            separate(self.array, out);
            let _ = write!(out, "\"…[cut: {} of {count} elements left out]\"", count - self.array);
        }
        out.push(']');
    }

    fn write_object(self, value: &str, out: &mut String) {
        let mut count = 0_usize;
        out.push('{');
        for (key, member) in members(value) {
            if count < self.object {
                separate(count, out);
                let _ = write!(out, "\"{key}\":");
                self.write(member, out);
            }
            count += 1;
        }
        if count > self.object {
            separate(self.object, out);
            let _ = write!(out, "\"…cut\":\"{} of {count} members left out\"", count - self.object);
        }
        out.push('}');
    }
}

fn separate(count: usize, out: &mut String) {
    if count > 0 {
        out.push(',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_cut_at_a_character_boundary_and_marked() {
        let text = "é".repeat(100);
        let cut = cut_text(&text, 61);
        assert!(
            cut.len() <= 61 && cut.starts_with("éé") && cut.ends_with("[cut: 200 bytes in all]"),
            "{cut}"
        );
    }

    #[test]
    fn the_longest_string_goes_first_and_short_parts_stay() {
        let value = format!(
            r#"{{"id":12345678901234567890,"big":"{}","list":[1,2,3]}}"#,
            "x".repeat(100_000)
        );
        let shortened = shorten_json(&value, 65_536);
        assert!(
            shortened.len() <= 65_536 && shortened.len() > 30_000,
            "{}",
            shortened.len()
        );
        assert!(shortened.starts_with(r#"{"id":12345678901234567890,"big":"xxx"#));
        assert!(shortened.ends_with(r#"[cut: 100000 bytes in all]","list":[1,2,3]}"#));
    }

    #[test]
    fn a_long_array_keeps_its_first_elements() {
        let value = format!("[{}]", vec![r#"{"name":"user"}"#; 10_000].join(","));
        let shortened = shorten_json(&value, 65_536);
        let parsed: Vec<serde_json::Value> = serde_json::from_str(&shortened).unwrap();
        assert!(shortened.len() <= 65_536 && parsed.len() > 2_000);
        assert!(
            parsed
                .last()
                .unwrap()
                .as_str()
                .unwrap()
                .contains("of 10000 elements left out")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn whatever_is_shortened_fits_and_stays_json(
            strings in proptest::collection::vec("[a\"\\\\\u{1}é]{0,200}", 1..20), keys in 1_usize..60, limit in 200_usize..2_000
        ) {
            let members: serde_json::Map<_, _> = (0..keys).map(|key| (format!("key{key}"), serde_json::json!(strings))).collect();
            let value = serde_json::to_string(&members).unwrap();
            let shortened = shorten_json(&value, limit);
            prop_assert!(shortened.len() <= limit, "{} > {limit}", shortened.len());
            prop_assert!(serde_json::from_str::<serde_json::Value>(&shortened).is_ok());
        }
    }
}
