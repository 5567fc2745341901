use std::time::Duration;

use actix_web::web::Payload;
use futures_util::StreamExt;

use super::read_budget::{Held, ReadBudget};

/// Bytes that are read and thrown away behind a body that is refused, so that its sender gets to see the answer.
const DRAIN_LIMIT: usize = 128 * 1024 * 1024;
/// A body that takes longer is not waited for.
const LONGEST_READ: Duration = Duration::from_secs(10);

/// What came of reading.
#[derive(Debug)]
pub enum Read {
    /// The whole body, and its room, which is to be kept as long as the body.
    Whole(Vec<u8>, Held),
    /// It is over the limit; what was read is gone.
    TooLarge,
    /// There is no memory for it at present; what was read is gone.
    NoRoom,
    /// It did not come to its end in time, after so many bytes.
    TooSlow(usize),
    /// The sender broke off after so many bytes.
    BrokenOff(usize),
}

/// Reads a body to its end. The host fails an invocation whose request was not read before the answer.
pub async fn read(mut payload: Payload, limit: usize, room: &ReadBudget) -> Read {
    let (mut body, mut held) = (Vec::new(), Held::default());
    let mut seen = 0_usize;
    let mut refused = None;
    let reading = async {
        while let Some(chunk) = payload.next().await {
            let Ok(chunk) = chunk else { return false };
            seen += chunk.len();
            if seen > DRAIN_LIMIT {
                break;
            }
            if refused.is_some() {
                continue;
            }
            if seen > limit {
                refused = Some(Read::TooLarge);
            } else if !room.hold(&mut held, seen).await {
                refused = Some(Read::NoRoom);
            } else {
                // Not by doubling: what is taken is what is held.
                body.reserve_exact(held.bytes().min(limit) - body.len());
                body.extend_from_slice(&chunk);
                continue;
            }
            (body, held) = (Vec::new(), Held::default());
        }
        true
    };
    let ended = tokio::time::timeout(LONGEST_READ, reading).await;
    match (ended, refused) {
        (Ok(false), _) => Read::BrokenOff(seen),
        (_, Some(refused)) => refused,
        (Ok(true), None) => Read::Whole(body, held),
        (Err(_), None) => Read::TooSlow(seen),
    }
}
