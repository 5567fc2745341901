//! A batch of pushed rows is uploaded in time, or goes into the spool while the upload continues.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::batch_upload::{BatchUpload, MAX_UPLOAD_WAIT, UploadContext};
use crate::delivery::{BatchSender, RowBatch, Sent};
use crate::destination::{Batch, StreamFit};
use crate::logging::spawn_in_invocation;
use crate::state::EntryPlace;
use crate::time::Deadline;

/// An upload may outlive the answers to its pushes by this much.
const UPLOAD_TIME: Duration = Duration::from_secs(60);
/// An upload that begins later than this might still go on when its spool entry is no longer held.
const MAX_WAIT_FOR_SEND_LOCK: Duration = Duration::from_secs(45);
/// What is safe in the spool waits no longer than this for others: it takes memory that pushes need.
const MAX_WAIT_OF_SPOOLED: Duration = Duration::from_secs(3);
/// When the process is told to end, a batch goes into the spool after this.
const GRACE_AT_SHUTDOWN: Duration = Duration::from_millis(1500);

/// Stores a batch. Every event of it is settled, whether or not a sender still waits: a sender that repeats itself must
/// be known.
pub async fn upload_or_spool(upload: BatchUpload) {
    let is_decided = Arc::new(AtomicBool::new(false));
    let sending = send_unless_given_up(upload.context.clone(), upload.rows.clone(), is_decided.clone());
    let mut sending = spawn_in_invocation(sending);
    let in_time = tokio::select! {
        biased;
        sent = &mut sending => Some(sent),
        () = tokio::time::sleep(upload.deadline.remaining()) => None,
        () = upload.context.shutdown.grace_elapsed(GRACE_AT_SHUTDOWN) => None,
    };
    if let Some(sent) = in_time {
        upload.settle_in_time(sent.ok().flatten()).await;
        return;
    }
    if !is_decided.swap(true, Ordering::AcqRel) {
        // It waits for the table's lock.
        sending.abort();
        upload.settle_in_time(None).await;
        return;
    }
    let spooled = upload.spool_held().await;
    let sent = sending.await.ok().flatten();
    match spooled {
        Some(place) => upload.settle_spooled(place, sent).await,
        None => upload.settle_unspooled(sent).await,
    }
}

/// Stores the batches of a push of more than one: first the spool has all of it, then it is answered, and only then is
/// it sent. If the spool cannot have all of it, it shall have none: what is repeated must not come twice.
pub async fn spool_then_upload(context: Arc<UploadContext>, uploads: Vec<BatchUpload>) {
    let begun_at = Instant::now();
    let places = match spool_all(&uploads).await {
        Ok(places) => places,
        Err(written) => {
            for (upload, place) in uploads.iter().zip(written) {
                let stays = match place {
                    Some(place) => upload.cannot_be_removed(&place).await,
                    None => false,
                };
                upload.settle_all(stays);
            }
            return;
        }
    };
    for upload in &uploads {
        upload.settle_all(true);
        upload.claims.answer(Ok(()));
    }
    // Behind a destination that hangs, the timer sends them: their memory is for others.
    let give_up = begun_at + MAX_WAIT_OF_SPOOLED;
    for (upload, place) in uploads.iter().zip(places) {
        let lock = tokio::time::timeout_at(give_up, context.route.send_lock.clone().lock_owned()).await;
        let sent = match lock {
            Ok(lock) if begun_at.elapsed() <= MAX_WAIT_FOR_SEND_LOCK => {
                Some(send_locked(&context, &upload.rows.batch, lock).await)
            }
            _ => None,
        };
        upload.settle_spooled(place, sent).await;
    }
}

/// All entries; else those that were written, and the senders are answered. Writing is never broken off: an entry of
/// which nobody knew would be delivered beside its repetition.
async fn spool_all(uploads: &[BatchUpload]) -> Result<Vec<EntryPlace>, Vec<Option<EntryPlace>>> {
    let fail = |reason: &str| {
        for upload in uploads {
            let answer = format!("the spool does not take the rows: {reason}");
            upload.claims.answer(Err(answer));
        }
    };
    let writing = uploads
        .iter()
        .map(async |upload| upload.write_entry(&upload.entry(&upload.rows.batch, true)).await);
    let mut writing = std::pin::pin!(join_all(writing));
    let written = match tokio::time::timeout(MAX_UPLOAD_WAIT, &mut writing).await {
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

/// An upload is begun or given up, never both: whoever finds `is_decided` false decides. `None` if it was given up before
/// it had the table's lock.
async fn send_unless_given_up(
    context: Arc<UploadContext>,
    rows: Arc<RowBatch<()>>,
    is_decided: Arc<AtomicBool>,
) -> Option<Sent> {
    let asked_at = Instant::now();
    let lock = context.route.send_lock.clone().lock_owned().await;
    // What has waited so long may be taken by somebody else before the upload ends.
    if asked_at.elapsed() > MAX_WAIT_FOR_SEND_LOCK || is_decided.swap(true, Ordering::AcqRel) {
        return None;
    }
    Some(send_locked(&context, &rows.batch, lock).await)
}

async fn send_locked(context: &UploadContext, batch: &Batch, lock: OwnedMutexGuard<()>) -> Sent {
    let sender = BatchSender {
        route: &context.route,
        deadline: Deadline::after(UPLOAD_TIME),
        shutdown: &context.shutdown,
    };
    // Where no row is taken, the batch waits in the spool for the timer, which sees more than one batch.
    sender.send_locked(StreamFit::Unknown, batch, lock).await
}
