//! Where a stream reads on whose checkpoint is gone although it ran before: because it was damaged and somebody moved
//! it away, as its error says.
//!
//! Beginning at `POLL_LOOKBACK`, as a stream that never ran does, would pass over whatever came since the last run. The
//! health record holds the place a second time; where that is gone too, the oldest that the vendor shows is read.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::window::before;
use crate::delivery::StreamContext;
use crate::event::StreamName;
use crate::sources::PolledStream;
use crate::state::{Checkpoints, StoreError, StreamHealth, StreamHealths, TablePosition, account_digest};
use crate::time::rfc3339_millis;

/// Further back than this nothing is read again of a vendor that shows events for ever.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);
/// A health record of an older version names no place, only the end of the last good run; that read at least to here.
const BEFORE_LAST_SUCCESS: Duration = Duration::from_secs(24 * 3600);

/// Where tables stood.
pub enum Lost {
    /// As the health record tells.
    Stood(BTreeMap<String, DateTime<Utc>>),
    /// Nobody knows; from here on it is read again.
    Unknown(DateTime<Utc>),
}

impl Lost {
    /// `None` if the stream never ran for this account.
    pub async fn find(
        stream: &dyn PolledStream,
        context: &StreamContext<'_>,
        checkpoints: &Checkpoints,
    ) -> Result<Option<Self>, StoreError> {
        let now = context.now;
        let healths = StreamHealths::new(context.store.clone());
        let health = match healths.read(&stream.name().to_string()).await {
            Ok(health) => health,
            Err(error @ StoreError::Backend { .. }) => return Err(error),
            // Damaged as well: it is there all the same.
            Err(_) => return Ok(Some(Self::Unknown(oldest(stream.readable_for(), None, now)))),
        };
        let stood = health.as_ref().and_then(|health| health.stood.clone());
        if let Some(stood) = &stood
            && stood.account == account_digest(stream.account())
        {
            return Ok(Some(Self::Stood(stood.read_to.clone())));
        }
        let last_success = health.and_then(|health: StreamHealth| health.last_success);
        // A record of another account says nothing of this one.
        let ran = (stood.is_none() && last_success.is_some()) || checkpoints.has_identities().await?;
        Ok(ran.then(|| Self::Unknown(oldest(stream.readable_for(), last_success, now))))
    }

    /// The position from which a table is read on; `None` for one that the stream did not have.
    pub fn position(&self, table: &str, overlap: Duration) -> Option<TablePosition> {
        match self {
            Self::Stood(read_to) => read_to.get(table).map(|read_to| {
                let mut position = TablePosition::beginning_at(before(*read_to, overlap));
                position.watermark = *read_to;
                position
            }),
            Self::Unknown(oldest) => Some(TablePosition::beginning_at(*oldest)),
        }
    }

    pub fn notice(&self, stream: &StreamName) -> String {
        let from = match self {
            Self::Stood(read_to) => {
                let oldest = read_to.values().min().map(|oldest| rfc3339_millis(*oldest));
                format!(
                    "{}, where its health record says that it stood",
                    oldest.unwrap_or_default()
                )
            }
            Self::Unknown(oldest) => format!(
                "{}, the oldest that can be asked for, because nothing tells where it stood",
                rfc3339_millis(*oldest)
            ),
        };
        format!(
            "{stream}: it ran before and its checkpoint is gone; reading goes on from {from}. Nothing is passed over, and rows since \
             then may arrive twice"
        )
    }
}

fn oldest(readable_for: Option<Duration>, last_success: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    match (readable_for, last_success) {
        (Some(readable_for), _) => before(now, readable_for),
        (None, Some(last_success)) => before(last_success, BEFORE_LAST_SUCCESS),
        (None, None) => before(now, LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_the_recorded_one_else_the_oldest_that_is_shown() {
        let now: DateTime<Utc> = "2026-11-20T12:00:00Z".parse().unwrap();
        let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(86_400));
        let stood = Lost::Stood(BTreeMap::from([("T_CL".to_owned(), now)]));
        let position = stood.position("T_CL", hour).unwrap();
        assert_eq!((position.begin, position.watermark), (before(now, hour), now));
        assert!(stood.position("U_CL", hour).is_none());
        assert_eq!(oldest(Some(14 * day), Some(now), now), before(now, 14 * day));
        assert_eq!(oldest(None, Some(now), now), before(now, day));
        assert_eq!(oldest(None, None, now), before(now, 30 * day));
    }
}
