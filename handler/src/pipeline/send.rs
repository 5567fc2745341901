//! A batch on its way to a destination, from whichever road.

use std::time::Duration;

use crate::destination::{Batch, Delivery, DeliveryError, Destination, RefusedRow};
use crate::state::{DeadLetter, RefusedBy};
use crate::time::{Deadline, Stop};

/// A call that is under way when the process is told to end gets this long to be answered.
const GRACE_AT_THE_END: Duration = Duration::from_millis(5500);
/// And a page that is being read this long: its rows must still be sent.
pub const GRACE_FOR_A_PAGE: Duration = Duration::from_secs(3);

/// Delivers, and gives up a little after the word that the process is to end.
pub async fn send(destination: &dyn Destination, batch: &Batch, deadline: Deadline, stop: &Stop) -> Delivery {
    tokio::select! {
        delivery = destination.deliver(batch, deadline) => delivery,
        () = stop.over(GRACE_AT_THE_END) => Delivery {
            unsure: batch.rows,
            ..Delivery::failed(DeliveryError::OutOfTime {
                table: batch.table.to_string(),
                rows: batch.rows,
                last: Some("was broken off because the process is ending".to_owned()),
            })
        },
    }
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
