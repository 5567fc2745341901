//! Events that were pushed to a stream that is polled too: delivered under the stream's lease, through its identities.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::counterparts::Counterparts;
use super::plan::CounterpartRule;
use super::send::DELIVERY_RESERVE;
use super::table_sink::{SinkContext, SinkError, TableSink};
use crate::event::Identity;
use crate::sources::{PushForm, Window};
use crate::state::{GuardedSpool, Key, SpoolEntry, StoreError};
use crate::time::Deadline;

/// Entries that are sent together and then removed.
const ENTRIES_AT_ONCE: usize = 200;
/// And bytes of them, so that few large ones are not removed late.
const BYTES_AT_ONCE: usize = 16 << 20;

/// What waits for one table.
pub struct Drain<'a> {
    /// Where it waits.
    pub spool: &'a GuardedSpool,
    /// Names the events.
    pub form: &'a dyn PushForm,
    /// The span that the table's identities reach over.
    pub window: Window,
    /// Where events are known again by something else than their identity.
    pub counterparts: Option<(CounterpartRule, &'a mut Counterparts)>,
    /// The first of several tables decides which events are needless.
    pub is_first_table: bool,
    /// Entries that cannot be read; they stay where they are, and the others are delivered.
    pub damaged: Vec<StoreError>,
}

impl Drain<'_> {
    /// Delivers oldest first. An entry is removed after its events are delivered. False if some were left because
    /// `begin_until` was near, or the process is to end.
    pub async fn run(
        &mut self,
        waiting: &[Key],
        sink: &mut TableSink<'_>,
        context: &SinkContext<'_>,
        begin_until: Deadline,
    ) -> Result<bool, SinkError> {
        let is_over = || begin_until.is_within_reserve(DELIVERY_RESERVE) || context.stop.is_asked();
        let mut waiting = waiting.iter().peekable();
        // Entries of which rows are held by the sink.
        let mut doubted = Vec::new();
        let mut doubt = None;
        while waiting.peek().is_some() && !is_over() {
            let mut offered = Vec::new();
            let mut bytes = 0;
            while offered.len() < ENTRIES_AT_ONCE && bytes < BYTES_AT_ONCE && !is_over() {
                let Some(key) = waiting.next() else { break };
                let entry = match self.spool.read(key).await {
                    Ok(Some((entry, _))) => entry,
                    Ok(None) => continue,
                    Err(error) if is_about_one_entry(&error) => {
                        self.damaged.push(error);
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                match self.offer_entry(key, &entry, sink, context).await {
                    Ok(()) => {
                        bytes += entry.body.len();
                        offered.push((key, entry.body.len()));
                    }
                    Err(SinkError::Store(error)) if is_about_one_entry(&error) => self.damaged.push(error),
                    Err(error) => return Err(error),
                }
            }
            if let Some((_, counterparts)) = &mut self.counterparts {
                counterparts.save().await?;
            }
            doubted.extend(offered);
            match sink.flush(context).await {
                Ok(()) => doubt = None,
                // One bad entry does not hold up those behind it, and one of them may show that the stream fits.
                Err(error) if error.is_doubt() && sink.is_in_doubt() => {
                    doubt = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            }
            for (key, bytes) in std::mem::take(&mut doubted) {
                self.spool.remove(key, bytes).await?;
            }
        }
        if let Some(error) = doubt {
            return Err(error);
        }
        Ok(waiting.peek().is_none())
    }

    async fn offer_entry(
        &mut self,
        key: &Key,
        entry: &SpoolEntry,
        sink: &mut TableSink<'_>,
        context: &SinkContext<'_>,
    ) -> Result<(), SinkError> {
        let events: Vec<&RawValue> = serde_json::from_str(&entry.body).map_err(|error| StoreError::Damaged {
            key: key.to_string(),
            reason: error.to_string(),
        })?;
        for event in events {
            let event = event.get();
            let event_key = self.form.key_of(event);
            if !sink.knows(&event_key.identity) && self.is_needless(event, event_key.identity, entry.at) {
                sink.pass_over(event_key.identity, entry.at);
            } else {
                sink.offer(event, event_key, self.window, context).await?;
            }
        }
        Ok(())
    }

    fn is_needless(&mut self, event: &str, own: Identity, at: DateTime<Utc>) -> bool {
        match &mut self.counterparts {
            Some((rule, counterparts)) if self.is_first_table => {
                !counterparts.take_pushed((rule.key_of)(event), own, at)
            }
            Some((_, counterparts)) => counterparts.is_needless(own),
            None => false,
        }
    }
}

/// True if only that entry cannot be used; the store itself works.
pub fn is_about_one_entry(error: &StoreError) -> bool {
    matches!(error, StoreError::Damaged { .. } | StoreError::UnknownVersion { .. })
}
