//! A batch on its way to a destination, from whichever road.

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

/// A batch's turn at its table, and what came of it. The turn ends when this is dropped: after what was accepted is
/// remembered.
pub struct Sent {
    /// What became of the rows.
    pub delivery: Delivery,
    _turn: Option<OwnedMutexGuard<()>>,
}

/// Waits for the table's turn and delivers. Gives up at the deadline, and a little after the word that the process is
/// to end.
pub async fn send(target: &TableRoute, batch: &Batch, deadline: Deadline, stop: &Shutdown) -> Sent {
    send_knowing(None, target, batch, deadline, stop).await
}

/// The same, with what is known of the stream; else it is what this run has seen when the batch's turn comes.
pub async fn send_knowing(
    fit: Option<StreamFit>,
    target: &TableRoute,
    batch: &Batch,
    deadline: Deadline,
    stop: &Shutdown,
) -> Sent {
    let turn = target.turn.clone().lock_owned();
    let turn = tokio::select! {
        biased;
        turn = turn => turn,
        () = stop.grace_elapsed(GRACE_AT_THE_END) => return unsent(batch, "was not begun because the process is ending"),
        () = tokio::time::sleep(deadline.remaining()) => return unsent(batch, "waited for another one to the same table"),
    };
    let fit = fit.unwrap_or_else(|| target.record.fit());
    send_in_turn((target, fit), batch, deadline, stop, turn).await
}

/// Delivers one more batch in the turn of the one before, if there was one.
pub async fn send_next(
    before: Option<Sent>,
    target: &TableRoute,
    batch: &Batch,
    deadline: Deadline,
    stop: &Shutdown,
) -> Sent {
    match before.and_then(|sent| sent._turn) {
        Some(turn) => send_in_turn((target, target.record.fit()), batch, deadline, stop, turn).await,
        None => send(target, batch, deadline, stop).await,
    }
}

/// Delivers in a turn that was waited for.
pub async fn send_in_turn(
    (target, fit): (&TableRoute, StreamFit),
    batch: &Batch,
    deadline: Deadline,
    stop: &Shutdown,
    turn: OwnedMutexGuard<()>,
) -> Sent {
    let delivery = tokio::select! {
        biased;
        delivery = target.destination.deliver(batch, fit, deadline) => delivery,
        () = stop.grace_elapsed(GRACE_AT_THE_END) => Delivery {
            unsure: batch.rows,
            ..Delivery::failed(out_of_time(batch, "was broken off because the process is ending"))
        },
    };
    if !delivery.accepted.is_empty() {
        target.record.note_accepted();
    }
    Sent {
        delivery,
        _turn: Some(turn),
    }
}

fn unsent(batch: &Batch, why: &str) -> Sent {
    Sent {
        delivery: Delivery::failed(out_of_time(batch, why)),
        _turn: None,
    }
}

fn out_of_time(batch: &Batch, why: &str) -> DeliveryError {
    DeliveryError::OutOfTime {
        table: batch.table.to_string(),
        rows: batch.rows,
        last: Some(why.to_owned()),
    }
}
