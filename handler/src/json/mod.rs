//! JSON text as byte slices.
//!
//! Events are read, hashed and projected without building a tree: the vendors' replies are validated once by
//! `serde_json` and from then on this room walks the text. Nothing here knows a vendor or a table.

mod canonical;
mod compact;
mod cursor;
mod object;
mod text;

use std::ops::Range;

pub use canonical::canonical_digest;
pub use compact::{compact_into, depth};
pub use cursor::{Cursor, Kind, elements, kind, members};
pub use object::{member, value_at, without_member};
pub use text::{key_text, quote_into, repair_surrogates, unquote};

/// Text of a reply or a request body: what is not UTF-8 becomes U+FFFD, and is counted.
pub fn lossy_text(bytes: Vec<u8>) -> (String, u64) {
    match String::from_utf8(bytes) {
        Ok(text) => (text, 0),
        Err(error) => {
            let mut replaced = 0;
            let mut text = String::with_capacity(error.as_bytes().len());
            for chunk in error.as_bytes().utf8_chunks() {
                text.push_str(chunk.valid());
                if !chunk.invalid().is_empty() {
                    text.push(char::REPLACEMENT_CHARACTER);
                    replaced += 1;
                }
            }
            (text, replaced)
        }
    }
}

/// Where `part` stands in `whole`, of which it is a slice.
pub fn range_in(whole: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + part.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_not_utf8_is_replaced_and_counted() {
        let (text, replaced) = lossy_text(b"a\xffb\xf0\x9fc".to_vec());
        assert_eq!(text, "a\u{fffd}b\u{fffd}c");
        assert_eq!(replaced, 2);
    }
}
