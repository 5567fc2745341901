//! What is pushed where the same events are polled too: into the spool, for the poller.

use super::dedupe::{Claim, Fate, Parcel};
use super::lane_context::Room;
use super::receiver::{PushReceiver, seen_once_more};
use crate::delivery::TableRoute;
use crate::state::{EntryKind, Spool, SpoolEntry, SpoolError};

impl PushReceiver {
    /// Puts what is new into the spool, an entry for each table. In a task of its own: an entry that is written late
    /// must be known when the sender repeats itself.
    pub async fn park(
        &self,
        plan: usize,
        parcels: Vec<(Parcel, &str)>,
        (spool, targets): (&Spool, &[TableRoute]),
        room: &Room,
    ) -> Result<(), String> {
        let ledger = &self.plans[plan].ledger;
        let mut fresh: Vec<(Vec<Parcel>, Vec<&str>)> = vec![Default::default(); targets.len()];
        for (parcel, event) in parcels {
            let table = targets[parcel.target].table.name();
            // A twin on its way is parked as well: the poller's identities tell them apart.
            if matches!(self.memory.claim(parcel), Claim::StoredBefore) {
                ledger.settled(&table, seen_once_more);
                continue;
            }
            fresh[parcel.target].0.push(parcel);
            fresh[parcel.target].1.push(event);
        }
        let mut entries = Vec::new();
        for (target, (parcels, events)) in targets.iter().zip(fresh) {
            if parcels.is_empty() {
                continue;
            }
            let entry = SpoolEntry {
                at: self.clock.now(),
                kind: EntryKind::Events,
                held_until: None,
                body: format!("[{}]", events.join(",")),
            };
            entries.push((target.table.name(), parcels, entry));
        }
        let (spool, memory, ledger, room) = (spool.clone(), self.memory.clone(), ledger.clone(), room.clone());
        let parking = tokio::spawn(async move {
            let _room = room;
            let mut failure = None;
            for (table, parcels, entry) in entries {
                let rows = parcels.len() as u64;
                let parked = park_one(&spool, &table, &entry).await;
                let fate = if parked.is_ok() { Fate::Stored } else { Fate::Failed };
                memory.settle(&parcels, fate);
                ledger.settled(&table, |counts| {
                    counts.received += rows;
                    match fate {
                        Fate::Stored => counts.spooled += rows,
                        _ => counts.in_flight += rows,
                    }
                });
                failure = parked.err().map(|error| error.to_string()).or(failure);
            }
            failure.map_or(Ok(()), Err)
        });
        parking
            .await
            .unwrap_or_else(|_| Err("internal error; the log says more".to_owned()))
    }
}

async fn park_one(spool: &Spool, table: &str, entry: &SpoolEntry) -> Result<(), SpoolError> {
    spool.require_room(entry.body.len() as u64).await?;
    spool.add(table, entry).await?;
    Ok(())
}
