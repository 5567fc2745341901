//! Events that were pushed to a stream that is polled too: delivered under the stream's lease, through its identities.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::counterparts::Counterparts;
use super::plan::{CounterpartRule, PushedPlan};
use super::table_sink::{SinkContext, SinkError, TableSink};
use crate::sources::Window;
use crate::state::{Key, StoreError};

/// Entries that are sent together and then removed.
const ENTRIES_AT_ONCE: usize = 200;

/// What waits for one table.
pub struct Drain<'a> {
    /// Where it waits, and what names it.
    pub pushed: &'a PushedPlan,
    /// The span that the table's identities reach over.
    pub window: Window,
    /// Where events are known again by something else than their identity.
    pub counterparts: Option<(CounterpartRule, &'a mut Counterparts)>,
    /// The first of several tables decides which events are needless.
    pub is_first_table: bool,
}

impl Drain<'_> {
    /// Delivers oldest first. An entry is removed after its events are delivered.
    pub async fn run(
        &mut self,
        waiting: &[Key],
        sink: &mut TableSink<'_>,
        context: &SinkContext<'_>,
    ) -> Result<(), SinkError> {
        for keys in waiting.chunks(ENTRIES_AT_ONCE) {
            if context.deadline.has_passed() {
                return Ok(());
            }
            for key in keys {
                self.offer_entry(key, sink, context).await?;
            }
            if let Some((_, counterparts)) = &mut self.counterparts {
                counterparts.save().await?;
            }
            sink.flush(context).await?;
            for key in keys {
                self.pushed.spool.remove(key).await?;
            }
        }
        Ok(())
    }

    async fn offer_entry(
        &mut self,
        key: &Key,
        sink: &mut TableSink<'_>,
        context: &SinkContext<'_>,
    ) -> Result<(), SinkError> {
        let Some(entry) = self.pushed.spool.read(key).await? else {
            return Ok(());
        };
        let events: Vec<&RawValue> = serde_json::from_str(&entry.body).map_err(|error| StoreError::Damaged {
            key: key.to_string(),
            reason: error.to_string(),
        })?;
        for event in events {
            let event = event.get();
            let event_key = self.pushed.form.key_of(event);
            if !sink.knows(&event_key.identity) && self.is_needless(event, event_key.identity, entry.at) {
                sink.pass_over(event_key.identity, entry.at);
            } else {
                sink.offer(event, event_key, self.window, context).await?;
            }
        }
        Ok(())
    }

    fn is_needless(&mut self, event: &str, own: crate::event::Identity, at: DateTime<Utc>) -> bool {
        match &mut self.counterparts {
            Some((rule, counterparts)) if self.is_first_table => {
                !counterparts.take_pushed((rule.key_of)(event), own, at)
            }
            Some((_, counterparts)) => counterparts.is_needless(own),
            None => false,
        }
    }
}
