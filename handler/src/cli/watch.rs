//! `poll --watch`: runs by the schedule until the process is told to stop.

use std::pin::pin;
use std::process::ExitCode;

use futures_util::FutureExt;
use tokio::signal::unix::{SignalKind, signal};

use crate::settings::Schedule;
use crate::time::{Clock, SystemClock};

/// Runs at every tick. Ticks that pass during a run are one, as under the host. Ends with 0 on SIGINT and SIGTERM,
/// after the run in progress.
pub async fn watch(schedule: &Schedule, mut run: impl AsyncFnMut() -> bool) -> ExitCode {
    // One listener for the whole time: a signal that comes during a run ends the watch after it.
    let mut stop = pin!(stop_asked());
    loop {
        let now = SystemClock.now();
        let Some(next) = schedule.next_after(now) else {
            log::error!("POLL_SCHEDULE: has no time in the future");
            return ExitCode::from(super::EXIT_USAGE);
        };
        let wait = (next - now).to_std().unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = &mut stop => return ExitCode::SUCCESS,
        }
        run().await;
        if (&mut stop).now_or_never().is_some() {
            return ExitCode::SUCCESS;
        }
    }
}

/// Returns when the process is asked to stop.
pub async fn stop_asked() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
