//! Events that were pushed to a stream that is polled too: delivered under the stream's lease, through its identities.

use serde_json::value::RawValue;

use super::table_sink::{SinkContext, SinkError, TableSink};
use crate::sources::{PullStream, Window};
use crate::state::{Key, Spool, StoreError};

/// Entries that are sent together and then removed.
const ENTRIES_AT_ONCE: usize = 200;

/// Delivers what waits for one table, oldest first; `window` is the span that its identities reach over. An entry is removed after its events are delivered.
pub async fn drain(
    spool: &Spool,
    stream: &dyn PullStream,
    sink: &mut TableSink<'_>,
    window: Window,
    context: &SinkContext<'_>,
) -> Result<(), SinkError> {
    let waiting = spool.waiting(&sink.table()).await?;
    for keys in waiting.chunks(ENTRIES_AT_ONCE) {
        if context.deadline.has_passed() {
            return Ok(());
        }
        for key in keys {
            offer_entry(spool, key, stream, sink, window, context).await?;
        }
        sink.flush(context).await?;
        for key in keys {
            spool.remove(key).await?;
        }
    }
    Ok(())
}

async fn offer_entry(
    spool: &Spool,
    key: &Key,
    stream: &dyn PullStream,
    sink: &mut TableSink<'_>,
    window: Window,
    context: &SinkContext<'_>,
) -> Result<(), SinkError> {
    let Some(entry) = spool.read(key).await? else {
        return Ok(());
    };
    let events: Vec<&RawValue> = serde_json::from_str(&entry.body).map_err(|error| StoreError::Damaged {
        key: key.to_string(),
        reason: error.to_string(),
    })?;
    for event in events {
        sink.offer(event.get(), stream.key_of(event.get()), window, context)
            .await?;
    }
    Ok(())
}
