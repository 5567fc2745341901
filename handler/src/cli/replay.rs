//! `handler replay`

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;

use super::exit_code::{CommandEnd, code_of};
use super::prepare::prepare;
use super::signals;
use crate::app::{Runtime, RuntimeProvider};
use crate::config::Environment;
use crate::jobs;
use crate::jobs::{ReplayError, Replayed, RunRequest, RunScope};
use crate::report::RunReport;
use crate::state::Holder;
use crate::status::record_replayed;
use crate::time::{Clock, Deadline, Shutdown, SystemClock};

/// A person waits for it: it may take longer than a run of the timer.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What follows `replay`.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub struct ReplayArguments {
    /// Only the dead letters.
    #[arg(long)]
    dead_letters: bool,
    /// Only the spool.
    #[arg(long)]
    spool: bool,
}

/// Exit 0 if everything that can be sent was sent or is held by somebody else, 1 if something could not be sent now, 64 for bad settings.
pub async fn run(environment: Arc<Environment>, arguments: ReplayArguments) -> CommandEnd {
    let stop = signals::listen();
    let provider = RuntimeProvider::new(environment, Holder::of_command("replay"), stop.clone());
    let (_, runtime) = prepare(&provider).await?;
    let replay = async {
        let mut is_well = true;
        if !arguments.dead_letters {
            is_well &= replay_spool(&runtime, &stop).await;
        }
        if !arguments.spool {
            is_well &= replay_dead_letters(&runtime).await;
        }
        is_well
    };
    let is_well = signals::finished_in_time(&stop, replay).await;
    Ok(code_of(is_well.unwrap_or(true)))
}

async fn replay_spool(runtime: &Runtime, stop: &Shutdown) -> bool {
    loop {
        let request = RunRequest {
            scope: RunScope::SpoolOnly,
            ..RunRequest::everything(Deadline::after(LONGEST))
        };
        let report = runtime.run(&request).await;
        if report.failed() {
            return false;
        }
        let Some(until) = held_until(&report) else {
            if report.streams.is_empty() {
                log::info!("nothing waits in the spool");
            }
            return true;
        };
        let wait = (until - SystemClock.now()).to_std().unwrap_or_default();
        log::info!(
            "some of what waits may still be on its way to the destination; it is sent in {} s, when that is decided",
            wait.as_secs() + 1
        );
        tokio::select! {
            () = tokio::time::sleep(wait + Duration::from_secs(1)) => {}
            () = stop.requested() => return true,
        }
    }
}

fn held_until(report: &RunReport) -> Option<DateTime<Utc>> {
    report.streams.iter().filter_map(|stream| stream.held_until).max()
}

async fn replay_dead_letters(runtime: &Runtime) -> bool {
    let deadline = Deadline::after(LONGEST);
    let replayed = match jobs::replay_dead_letters(&runtime.plans, &runtime.context, deadline).await {
        Ok(replayed) => replayed,
        // What somebody else holds is skipped, and that is no failure.
        Err(held @ ReplayError::Held(_)) => {
            log::warn!("dead letters: skipped: {held}");
            return true;
        }
        Err(error) => {
            log::error!("dead letters: {error}");
            return false;
        }
    };
    runtime.save_new_keys().await;
    record_replayed(&runtime.recorder.healths, &replayed.rows, runtime.context.clock.now()).await;
    let Replayed {
        sent,
        refused,
        unusable,
        unknown,
        failed,
        rows: _,
    } = replayed;
    log::info!(sent = sent, refused = refused, unusable = unusable, unknown = unknown;
        "dead letters: {sent} delivered, {refused} refused again, {unusable} that hold no row and stay for a person to read, \
         {unknown} of sources or tables that are not configured");
    if let Some((count, reason)) = failed {
        log::error!(failed = count; "dead letters: {count} could not be sent: {reason}");
        return false;
    }
    true
}
