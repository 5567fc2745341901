use actix_web::web::Payload;
use futures_util::StreamExt;

/// Bytes that are read and thrown away behind a body that is too large, so that its sender gets to see the answer.
const DRAIN_LIMIT: usize = 128 * 1024 * 1024;

/// What came of reading.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// The whole body.
    Whole(Vec<u8>),
    /// It is over the limit; what was read is gone.
    TooLarge,
    /// The sender broke off after so many bytes.
    BrokenOff(usize),
}

/// Reads a body to its end. The host fails an invocation whose request was not read before the answer.
pub async fn read(mut payload: Payload, limit: usize) -> Read {
    let mut body = Vec::new();
    let mut seen = 0_usize;
    while let Some(chunk) = payload.next().await {
        let Ok(chunk) = chunk else {
            return Read::BrokenOff(seen);
        };
        seen += chunk.len();
        if seen > DRAIN_LIMIT {
            break;
        }
        if seen > limit {
            body = Vec::new();
        } else {
            body.extend_from_slice(&chunk);
        }
    }
    if seen > limit {
        Read::TooLarge
    } else {
        Read::Whole(body)
    }
}
