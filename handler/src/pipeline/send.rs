//! A batch on its way to a destination, from whichever road.

use std::time::Duration;

use crate::destination::{Batch, Delivery, DeliveryError, Destination, RefusedRow};
use crate::state::{DeadLetter, RefusedBy};
use crate::time::{Deadline, Stop};

/// A call that is under way when the process is told to end gets this long to be answered.
const GRACE_AT_THE_END: Duration = Duration::from_secs(4);

/// Delivers, and gives up a little after the word that the process is to end.
pub async fn send(destination: &dyn Destination, batch: &Batch, deadline: Deadline, stop: &Stop) -> Delivery {
    tokio::select! {
        delivery = destination.deliver(batch, deadline) => delivery,
        () = end_of_grace(stop) => Delivery {
            unsure: batch.rows,
            ..Delivery::failed(DeliveryError::OutOfTime {
                table: batch.table.to_string(),
                rows: batch.rows,
                last: Some("was broken off because the process is ending".to_owned()),
            })
        },
    }
}

async fn end_of_grace(stop: &Stop) {
    stop.asked().await;
    tokio::time::sleep(GRACE_AT_THE_END).await;
}

/// The rows that a destination refused, as dead letters.
pub fn refused_letters(batch: &Batch, refused: &[RefusedRow]) -> Vec<DeadLetter> {
    let letter = |refused: &RefusedRow| DeadLetter {
        reason: refused.reason.clone(),
        content: String::from_utf8_lossy(batch.row(refused.row)).into_owned(),
        refused: Some(RefusedBy {
            table: batch.table.to_string(),
            request_id: refused.request_id.clone(),
        }),
    };
    refused.iter().map(letter).collect()
}
