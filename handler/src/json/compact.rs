//! JSON text without the whitespace between its parts.

/// Writes a value without whitespace outside strings. Numbers and strings stay as they are, digit for digit.
pub fn compact_into(value: &str, out: &mut Vec<u8>) {
    let bytes = value.as_bytes();
    let mut copied = 0;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at),
            b' ' | b'\t' | b'\n' | b'\r' => {
                out.extend_from_slice(&bytes[copied..at]);
                at += 1;
                copied = at;
            }
            _ => at += 1,
        }
    }
    out.extend_from_slice(&bytes[copied..]);
}

/// How many objects and arrays stand inside each other at the deepest place; 0 for a scalar.
pub fn depth(value: &str) -> usize {
    let bytes = value.as_bytes();
    let (mut current, mut deepest, mut at) = (0_usize, 0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'{' | b'[' => {
                current += 1;
                deepest = deepest.max(current);
            }
            b'}' | b']' => current = current.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    deepest
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compact(value: &str) -> String {
        let mut out = Vec::new();
        compact_into(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whitespace_goes_only_outside_strings() {
        let text = "{ \"a b\" : [ 1.50 , \"x \\\" y\" ] ,\r\n\t\"c\":12345678901234567890 }";
        assert_eq!(compact(text), r#"{"a b":[1.50,"x \" y"],"c":12345678901234567890}"#);
    }

    #[test]
    fn depth_counts_only_brackets_outside_strings() {
        assert_eq!(depth("1"), 0);
        assert_eq!(depth(r#"{"a":["[[[",{}]}"#), 3);
        assert_eq!(depth(&"[".repeat(100_000)), 100_000);
    }
}
