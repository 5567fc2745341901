//! Sends batches to a destination, for every job.

use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::route::TableRoute;
use crate::destination::{Batch, Delivery, DeliveryError, StreamFit};
use crate::time::{Deadline, Shutdown};

/// A call that is under way when the process is told to end gets this long to be answered.
const GRACE_AT_THE_END: Duration = Duration::from_millis(5500);
/// And a page that is being read this long: its rows must still be sent.
pub const GRACE_FOR_A_PAGE: Duration = Duration::from_secs(3);

/// At the end of a run, no batch is begun that only fails for want of time: it might arrive all the same, and again.
pub const DELIVERY_RESERVE: Duration = Duration::from_secs(20);

/// What came of a batch. The table's send lock is held until this is dropped: after what was accepted is remembered.
pub struct Sent {
    /// What became of the rows.
    pub delivery: Delivery,
    _lock: Option<OwnedMutexGuard<()>>,
}

/// Sends batches to one table. Gives up at the deadline, and a little after the process is told to end.
#[derive(Clone, Copy)]
pub struct BatchSender<'a> {
    /// The table.
    pub route: &'a TableRoute,
    /// Until when batches may be sent.
    pub deadline: Deadline,
    /// Triggered when the process is to end.
    pub shutdown: &'a Shutdown,
}

impl BatchSender<'_> {
    /// Waits for the table's send lock and delivers, with what this run has seen of the stream by then.
    pub async fn send(&self, batch: &Batch) -> Sent {
        self.send_next(None, batch).await
    }

    /// The same, with what is known of the stream.
    pub async fn send_knowing(&self, fit: StreamFit, batch: &Batch) -> Sent {
        match self.lock(batch).await {
            Ok(lock) => self.send_locked(fit, batch, lock).await,
            Err(unsent) => unsent,
        }
    }

    /// Delivers one more batch under the lock of the one before, if there was one.
    pub async fn send_next(&self, before: Option<Sent>, batch: &Batch) -> Sent {
        match before.and_then(|sent| sent._lock) {
            Some(lock) => self.send_locked(self.route.record.fit(), batch, lock).await,
            None => match self.lock(batch).await {
                Ok(lock) => self.send_locked(self.route.record.fit(), batch, lock).await,
                Err(unsent) => unsent,
            },
        }
    }

    /// Delivers under the table's send lock.
    pub async fn send_locked(&self, fit: StreamFit, batch: &Batch, lock: OwnedMutexGuard<()>) -> Sent {
        let delivery = tokio::select! {
            biased;
            delivery = self.route.destination.deliver(batch, fit, self.deadline) => delivery,
            () = self.shutdown.grace_elapsed(GRACE_AT_THE_END) => Delivery {
                unsure: batch.rows,
                ..Delivery::failed(out_of_time(batch, "was broken off because the process is ending"))
            },
        };
        if !delivery.accepted.is_empty() {
            self.route.record.note_accepted();
        }
        Sent {
            delivery,
            _lock: Some(lock),
        }
    }

    async fn lock(&self, batch: &Batch) -> Result<OwnedMutexGuard<()>, Sent> {
        let lock = self.route.send_lock.clone().lock_owned();
        tokio::select! {
            biased;
            lock = lock => Ok(lock),
            () = self.shutdown.grace_elapsed(GRACE_AT_THE_END) => Err(unsent(batch, "was not begun because the process is ending")),
            () = tokio::time::sleep(self.deadline.remaining()) => Err(unsent(batch, "waited for another one to the same table")),
        }
    }
}

fn unsent(batch: &Batch, why: &str) -> Sent {
    Sent {
        delivery: Delivery::failed(out_of_time(batch, why)),
        _lock: None,
    }
}

fn out_of_time(batch: &Batch, why: &str) -> DeliveryError {
    DeliveryError::OutOfTime {
        table: batch.table.to_string(),
        rows: batch.rows,
        last: Some(why.to_owned()),
    }
}
