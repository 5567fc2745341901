//! The way of a batch of pushed rows: into the destination in time, else into the spool while the upload goes on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::lane_context::LaneContext;
use super::memory::Fate;
use super::shipment::{Shipment, Verdict};
use super::way::{SPOOL_TIME, Unsettled, Way};
use crate::destination::Batch;
use crate::pipeline::send::{Sent, send_in_turn};
use crate::state::Key;
use crate::time::Deadline;

/// An upload may outlive the answers to its requests by this much.
const UPLOAD_TIME: Duration = Duration::from_secs(60);
/// An upload that begins later than this might still go on when its spool entry is no longer held.
const LONGEST_WAIT_FOR_A_TURN: Duration = Duration::from_secs(45);
/// When the process is told to end, a batch is given up to the spool after this.
const PATIENCE_AT_THE_END: Duration = Duration::from_millis(1500);

/// Brings a batch where it is safe. Every parcel's fate is settled, whether or not somebody still waits: a sender that
/// repeats itself must be known.
pub async fn carry(context: Arc<LaneContext>, shipment: Shipment) {
    let way = Way {
        context: &context,
        shipment: &shipment,
    };
    let _unsettled = Unsettled(&way);
    let start = Arc::new(Start::default());
    let upload = upload(context.clone(), shipment.batch.clone(), start.clone(), Instant::now());
    let mut upload = tokio::spawn(upload);
    let in_time = tokio::select! {
        biased;
        sent = &mut upload => Some(sent),
        () = tokio::time::sleep(shipment.deadline.remaining()) => None,
        () = context.stop.over(PATIENCE_AT_THE_END) => None,
    };
    if let Some(sent) = in_time {
        way.settle_in_time(sent.ok().flatten()).await;
        return;
    }
    if start.give_up() {
        way.spool_unsent().await;
        return;
    }
    let spooled = way.spool_and_tell(way.entry(&shipment.batch, true)).await;
    let sent = upload.await.ok().flatten();
    match spooled {
        Some(key) => way.settle_spooled(key, sent).await,
        None => way.settle_unspooled(sent).await,
    }
}

/// A push of more than one batch: first the spool has all of it, then it is answered, and only then is it sent. If the
/// spool cannot have all of it, it shall have none: what is repeated must not come twice.
pub async fn carry_spooled_first(context: Arc<LaneContext>, shipments: Vec<Shipment>) {
    let ways: Vec<Way<'_>> = shipments
        .iter()
        .map(|shipment| Way {
            context: &context,
            shipment,
        })
        .collect();
    let _unsettled: Vec<Unsettled<'_>> = ways.iter().map(Unsettled).collect();
    let begun_at = Instant::now();
    let (keys, failure) = spool_all(&ways).await;
    if let Some(reason) = failure {
        for (number, way) in ways.iter().enumerate() {
            way.tell(Verdict::Failed(format!("the spool does not take the rows: {reason}")));
            let is_gone = match keys.get(number) {
                Some(key) => way.remove(key).await.is_ok(),
                None => true,
            };
            way.settle_all(!is_gone);
        }
        return;
    }
    for way in &ways {
        way.settle_parcels(&way.all(), Fate::Stored);
        way.tell(Verdict::Stored);
    }
    for (way, key) in ways.iter().zip(keys) {
        let sent = upload(context.clone(), way.shipment.batch.clone(), Arc::default(), begun_at).await;
        way.settle_spooled(key, sent).await;
    }
}

/// The entries that were written, and why there are no more. Writing is never broken off: an entry of which nobody knew
/// would be delivered beside its repetition.
async fn spool_all(ways: &[Way<'_>]) -> (Vec<Key>, Option<String>) {
    let give_up = Deadline::after(SPOOL_TIME);
    let mut keys = Vec::new();
    for way in ways {
        let entry = way.entry(&way.shipment.batch, true);
        let mut spooling = std::pin::pin!(way.spool(&entry));
        let spooled = match tokio::time::timeout(give_up.remaining(), &mut spooling).await {
            Ok(spooled) => spooled,
            Err(_) => {
                let reason = "it has not taken them in time";
                for way in ways {
                    way.tell(Verdict::Failed(format!("the spool does not take the rows: {reason}")));
                }
                keys.extend(spooling.await);
                return (keys, Some(reason.to_owned()));
            }
        };
        match spooled {
            Ok(key) => keys.push(key),
            Err(error) => return (keys, Some(error.to_string())),
        }
    }
    (keys, None)
}

/// Whether an upload was begun. It is begun or given up, never both.
#[derive(Debug, Default)]
struct Start(Mutex<Option<bool>>);

impl Start {
    /// False if it was given up before.
    fn begin(&self) -> bool {
        *self.lock().get_or_insert(true)
    }

    /// False if it was begun before.
    fn give_up(&self) -> bool {
        !*self.lock().get_or_insert(false)
    }

    fn lock(&self) -> MutexGuard<'_, Option<bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `None` if it was given up before its turn came.
async fn upload(context: Arc<LaneContext>, batch: Arc<Batch>, start: Arc<Start>, asked_at: Instant) -> Option<Sent> {
    let turn = context.target.turn.clone().lock_owned().await;
    // What has waited so long may be taken by somebody else before the upload ends.
    if asked_at.elapsed() > LONGEST_WAIT_FOR_A_TURN || !start.begin() {
        return None;
    }
    let deadline = Deadline::after(UPLOAD_TIME);
    Some(send_in_turn(&context.target, &batch, deadline, &context.stop, turn).await)
}
