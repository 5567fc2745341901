//! Cursors: the place in the order behind which the next page begins.

use percent_encoding::percent_decode_str;

/// A cursor as the console means it. Some consoles give it URL-encoded, and encoding that once more would make it
/// another one. Base64 has no `%`, so decoding leaves a plain one as it is.
pub fn decoded(cursor: &str) -> String {
    percent_decode_str(cursor)
        .decode_utf8()
        .map_or_else(|_| cursor.to_owned(), |decoded| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_cursor_is_decoded_once_and_a_plain_one_stays() {
        for (given, meant) in [
            ("eyJpZCI6MX0=", "eyJpZCI6MX0="),
            ("eyJpZCI6MX0%3D", "eyJpZCI6MX0="),
            ("a+b/c==", "a+b/c=="),
            ("a%2Bb%2Fc%3d%3D", "a+b/c=="),
            ("a%253D", "a%3D"),
            ("%ff", "%ff"),
            ("100%", "100%"),
        ] {
            assert_eq!(decoded(given), meant);
        }
    }
}
