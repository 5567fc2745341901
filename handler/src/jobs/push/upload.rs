//! The way of a batch of pushed rows: into the destination in time, else into the spool while the upload goes on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::batch_upload::{Unsettled, Way};
use super::dedupe::Fate;
use super::lane_context::LaneContext;
use super::patience::LONGEST_PATIENCE;
use super::shipment::{Shipment, Verdict};
use crate::delivery::{Sent, send_in_turn};
use crate::destination::{Batch, StreamFit};
use crate::state::Place;
use crate::time::Deadline;

/// An upload may outlive the answers to its requests by this much.
const UPLOAD_TIME: Duration = Duration::from_secs(60);
/// An upload that begins later than this might still go on when its spool entry is no longer held.
const LONGEST_WAIT_FOR_A_TURN: Duration = Duration::from_secs(45);
/// What is safe in the spool waits no longer than this for others: it keeps memory that pushes need.
const LONGEST_WAIT_BEHIND_OTHERS: Duration = Duration::from_secs(3);
/// When the process is told to end, a batch is given up to the spool after this.
const PATIENCE_AT_THE_END: Duration = Duration::from_millis(1500);

/// Brings a batch where it is safe. Every parcel's fate is settled, whether or not somebody still waits: a sender that
/// repeats itself must be known.
pub async fn carry(context: Arc<LaneContext>, shipment: Shipment) {
    let way = Way::new(&context, &shipment);
    let _unsettled = Unsettled(&way);
    let start = Arc::new(Start::default());
    let upload = upload(context.clone(), shipment.batch.clone(), start.clone(), Instant::now());
    let mut upload = tokio::spawn(upload);
    let in_time = tokio::select! {
        biased;
        sent = &mut upload => Some(sent),
        () = tokio::time::sleep(shipment.deadline.remaining()) => None,
        () = context.stop.grace_elapsed(PATIENCE_AT_THE_END) => None,
    };
    if let Some(sent) = in_time {
        way.settle_in_time(sent.ok().flatten()).await;
        return;
    }
    if start.give_up() {
        // It waits for its turn with the batch in its hands.
        upload.abort();
        way.spool_unsent().await;
        return;
    }
    let spooled = way.spool_and_tell(way.entry(&shipment.batch, true)).await;
    let sent = upload.await.ok().flatten();
    match spooled {
        Some(place) => way.settle_spooled(place, sent).await,
        None => way.settle_unspooled(sent).await,
    }
}

/// A push of more than one batch: first the spool has all of it, then it is answered, and only then is it sent. If the
/// spool cannot have all of it, it shall have none: what is repeated must not come twice.
pub async fn carry_spooled_first(context: Arc<LaneContext>, shipments: Vec<Shipment>) {
    let ways: Vec<Way<'_>> = shipments.iter().map(|shipment| Way::new(&context, shipment)).collect();
    let _unsettled: Vec<Unsettled<'_>> = ways.iter().map(Unsettled).collect();
    let begun_at = Instant::now();
    let places = match spool_all(&ways).await {
        Ok(places) => places,
        Err(written) => {
            for (way, place) in ways.iter().zip(written) {
                let stays = match place {
                    Some(place) => way.cannot_be_taken_out(&place).await,
                    None => false,
                };
                way.settle_all(stays);
            }
            return;
        }
    };
    for way in &ways {
        way.settle_parcels(&way.all(), Fate::Stored);
        way.tell(Verdict::Stored);
    }
    // Behind a destination that hangs, the timer sends them: their memory is for others.
    let give_up = begun_at + LONGEST_WAIT_BEHIND_OTHERS;
    for (way, place) in ways.iter().zip(places) {
        let turn = tokio::time::timeout_at(give_up, context.target.turn.clone().lock_owned()).await;
        let sent = match turn {
            Ok(turn) if begun_at.elapsed() <= LONGEST_WAIT_FOR_A_TURN => {
                Some(upload_in_turn(&context, &way.shipment.batch, turn).await)
            }
            _ => None,
        };
        way.settle_spooled(place, sent).await;
    }
}

/// All entries; else those that were written, and everybody is told. Writing is never broken off: an entry of which
/// nobody knew would be delivered beside its repetition.
async fn spool_all(ways: &[Way<'_>]) -> Result<Vec<Place>, Vec<Option<Place>>> {
    let fail = |reason: &str| {
        for way in ways {
            way.tell(Verdict::Failed(format!("the spool does not take the rows: {reason}")));
        }
    };
    let writing = ways
        .iter()
        .map(async |way| way.spool(&way.entry(&way.shipment.batch, true)).await);
    let mut writing = std::pin::pin!(join_all(writing));
    let written = match tokio::time::timeout(LONGEST_PATIENCE, &mut writing).await {
        Ok(written) => written,
        Err(_) => {
            fail("it has not taken them in time");
            return Err(writing.await.into_iter().map(Result::ok).collect());
        }
    };
    if let Some(error) = written.iter().find_map(|written| written.as_ref().err()) {
        fail(&error.to_string());
        return Err(written.into_iter().map(Result::ok).collect());
    }
    Ok(written.into_iter().flatten().collect())
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
    Some(upload_in_turn(&context, &batch, turn).await)
}

async fn upload_in_turn(context: &LaneContext, batch: &Batch, turn: OwnedMutexGuard<()>) -> Sent {
    let deadline = Deadline::after(UPLOAD_TIME);
    // Where no row is taken, the batch waits in the spool for the timer, which sees more than one batch.
    let target = (&context.target, StreamFit::Unknown);
    send_in_turn(target, batch, deadline, &context.stop, turn).await
}
