//! A digest of what a JSON value says, whatever way it is written.

use sha2::{Digest, Sha256};

use super::compact_into;
use super::cursor::{Cursor, members};
use super::text::{key_text, unquote};

/// Objects deeper than this are hashed as they are written: no honest event comes near.
const DEEPEST_SORTED: usize = 64;
/// Sorting reads a value once more at every depth. An event larger than this is sorted near its surface only.
const LARGE: usize = 256 * 1024;
const DEEPEST_SORTED_OF_LARGE: usize = 6;

/// A 16-byte digest that does not change with whitespace, with the order of keys, or with the way a character is
/// escaped. Numbers count digit for digit.
pub fn canonical_digest(value: &str) -> [u8; 16] {
    let mut canonical = Vec::with_capacity(value.len());
    let deepest = if value.len() > LARGE {
        DEEPEST_SORTED_OF_LARGE
    } else {
        DEEPEST_SORTED
    };
    write_canonical(value, deepest, &mut canonical);
    let digest = Sha256::digest(&canonical);
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

fn write_canonical(value: &str, levels_left: usize, out: &mut Vec<u8>) {
    let mut cursor = Cursor::new(value);
    match cursor.peek() {
        Some(b'{') if levels_left > 0 => write_object(value, levels_left, out),
        Some(b'[') if levels_left > 0 => {
            cursor.enter(b'[');
            out.push(b'[');
            while cursor.next_element() {
                let Some(element) = cursor.value() else { break };
                write_canonical(element, levels_left - 1, out);
                out.push(b',');
            }
            out.push(b']');
        }
        Some(b'"') => write_string(&unquote(value.trim_ascii()), out),
        _ => compact_into(value, out),
    }
}

fn write_object(object: &str, levels_left: usize, out: &mut Vec<u8>) {
    let mut sorted: Vec<_> = members(object).map(|(key, value)| (key_text(key), value)).collect();
    sorted.sort_by(|left, right| left.0.cmp(&right.0));
    out.push(b'{');
    for (key, value) in sorted {
        write_string(&key, out);
        out.push(b':');
        write_canonical(value, levels_left - 1, out);
        out.push(b',');
    }
    out.push(b'}');
}

/// Length first, so that no text can imitate the brackets around it.
fn write_string(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"");
    out.extend_from_slice(&(text.len() as u64).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn key_order_whitespace_and_escapes_do_not_change_the_digest() {
        let one = r#"{"a":1,"b":{"c":"é","d":[1,2]}}"#;
        let other = "{ \"b\" : {\"d\": [1, 2], \"\\u0063\": \"\\u00e9\"}, \"a\": 1 }";
        assert_eq!(canonical_digest(one), canonical_digest(other));
    }

    #[test]
    fn any_difference_in_content_changes_the_digest() {
        let base = canonical_digest(r#"{"a":1,"b":[1,2]}"#);
        for other in [
            r#"{"a":2,"b":[1,2]}"#,
            r#"{"a":1,"b":[2,1]}"#,
            r#"{"a":"1","b":[1,2]}"#,
            r#"{"a":1}"#,
            "[]",
        ] {
            assert_ne!(canonical_digest(other), base, "{other}");
        }
    }

    #[test]
    fn absurd_nesting_is_hashed_without_overflowing_the_stack() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert_ne!(canonical_digest(&deep), canonical_digest("[]"));
    }

    proptest! {
        #[test]
        fn text_never_imitates_structure(left in "[a\",:{}]{0,8}", right in "[a\",:{}]{0,8}") {
            let pair = |a: &str, b: &str| serde_json::to_string(&[a, b]).unwrap();
            let joined = serde_json::to_string(&[format!("{left},{right}")]).unwrap();
            prop_assert_ne!(canonical_digest(&pair(&left, &right)), canonical_digest(&joined));
        }
    }
}
