//! The bytes of a push -> its text.

use std::io::Read;

use flate2::read::MultiGzDecoder;

/// The largest body, inflated.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// The first bytes of gzip.
pub const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Why a body has no text.
#[derive(Debug, PartialEq, Eq)]
pub enum BodyError {
    /// Larger than [`BODY_LIMIT`].
    TooLarge,
    /// Not a content encoding that we know.
    UnknownEncoding,
    /// Gzip that cannot be inflated; says where.
    BadGzip(String),
}

/// The inflated text without its byte order mark, and how many places were not UTF-8.
///
/// Gzip is known by its first bytes, whatever the header says: forwarding hosts drop the header and keep the bytes,
/// proxies inflate the bytes and keep the header.
pub fn text_of(body: Vec<u8>, content_encoding: Option<&str>) -> Result<(String, u64), BodyError> {
    let mut encodings = content_encoding.unwrap_or_default().split(',').map(str::trim);
    let known = ["", "gzip", "x-gzip", "identity"];
    if !encodings.all(|encoding| known.iter().any(|known| encoding.eq_ignore_ascii_case(known))) {
        return Err(BodyError::UnknownEncoding);
    }
    let plain = if body.starts_with(&GZIP_MAGIC) {
        inflate(&body)?
    } else {
        body
    };
    if plain.len() > BODY_LIMIT {
        return Err(BodyError::TooLarge);
    }
    let (mut text, replaced) = crate::json::lossy_text(plain);
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    Ok((text, replaced))
}

fn inflate(body: &[u8]) -> Result<Vec<u8>, BodyError> {
    let mut inflated = Vec::new();
    // One byte more than allowed tells "too large" from "exactly full", and bounds what a small body can become.
    let mut decoder = MultiGzDecoder::new(body).take(BODY_LIMIT as u64 + 1);
    match decoder.read_to_end(&mut inflated) {
        Ok(_) => Ok(inflated),
        Err(error) => Err(BodyError::BadGzip(format!(
            "{error}, after byte {} of the inflated text",
            inflated.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_known_by_its_bytes_and_the_header_alone_changes_nothing() {
        for encoding in [None, Some("gzip"), Some("x-gzip"), Some("GZIP, identity"), Some("")] {
            assert_eq!(text_of(gzip(b"[1]"), encoding), Ok(("[1]".to_owned(), 0)));
            assert_eq!(text_of(b"[1]".to_vec(), encoding), Ok(("[1]".to_owned(), 0)));
        }
        assert_eq!(text_of(b"[1]".to_vec(), Some("br")), Err(BodyError::UnknownEncoding));
    }

    #[test]
    fn a_body_is_refused_from_one_byte_over_the_limit() {
        let full = vec![b' '; BODY_LIMIT];
        assert!(text_of(full.clone(), None).is_ok() && text_of(gzip(&full), None).is_ok());
        let over = vec![b' '; BODY_LIMIT + 1];
        assert_eq!(text_of(over.clone(), None), Err(BodyError::TooLarge));
        assert_eq!(text_of(gzip(&over), None), Err(BodyError::TooLarge));
    }

    #[test]
    fn torn_gzip_says_where_it_broke() {
        let mut torn = gzip(&(0..10_000).map(|number| (number % 251) as u8).collect::<Vec<_>>());
        torn.truncate(torn.len() / 2);
        let Err(BodyError::BadGzip(reason)) = text_of(torn, None) else {
            panic!("torn gzip was taken")
        };
        assert!(reason.contains("after byte"), "{reason}");
    }

    #[test]
    fn the_byte_order_mark_goes() {
        assert_eq!(text_of("\u{feff}{}".into(), None), Ok(("{}".to_owned(), 0)));
    }
}
