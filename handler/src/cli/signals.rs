//! The word to end, as the system says it.

use std::future::Future;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::time::Shutdown;

/// A process that was told to end has ended after ten seconds; this is what its work gets of them.
const LONGEST_END: Duration = Duration::from_secs(8);

/// Passes SIGINT and SIGTERM on to everybody who works. They are caught from when this returns.
pub fn listen() -> Shutdown {
    let stop = Shutdown::default();
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
        // Without handlers the signals end the process by themselves.
        return stop;
    };
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        log::info!("told to end: no new work is taken, and what is under way is finished or saved");
        told.trigger();
    });
    stop
}

/// The work's outcome, or `None` if it did not come to its end in time after the word.
pub async fn finished_in_time<T>(stop: &Shutdown, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        outcome = work => Some(outcome),
        () = out_of_patience(stop) => None,
    }
}

async fn out_of_patience(stop: &Shutdown) {
    stop.requested().await;
    tokio::time::sleep(LONGEST_END).await;
}
