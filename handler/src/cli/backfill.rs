//! `handler backfill`

use std::process::ExitCode;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::Args;
use tokio::time::Instant;

use super::exit_code::{CommandEnd, misused, no_such_stream};
use super::prepare::prepare;
use super::progress::Progress;
use super::signals::finished_in_time;
use super::{EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, confirm, signals};
use crate::app::{Runtime, RuntimeProvider};
use crate::config::Environment;
use crate::jobs::{
    BackfillMode, BackfillRequest, BackfillWatcher, DisabledInstance, PullPlan, Selection, StreamPlan, backfill,
    note_what_is_wanted, why_not,
};
use crate::report::{LoggedTables, Outcome, RunReport, StreamReport, log_run};
use crate::sources::Window;
use crate::state::Holder;
use crate::time::{Clock, SystemClock};

/// What follows `backfill`.
#[derive(Args, Debug)]
pub struct BackfillArguments {
    /// The streams: source, source/instance or source/instance/stream.
    #[arg(long, value_name = "SOURCE")]
    source: String,
    /// The start of the window: 2026-11-20T10:15:00Z, or 2026-11-20 for the beginning of that day in UTC.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: DateTime<Utc>,
    /// The end of the window, which does not belong to it; written as the start.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: DateTime<Utc>,
    /// Reads the window anew, also what was read before: for what the vendor showed late. Says first how many rows may
    /// arrive twice, and asks.
    #[arg(long)]
    again: bool,
    /// With --again: does not ask.
    #[arg(long, requires = "again")]
    yes: bool,
}

/// Exit 0 if nothing is missing any more that can be read, 1 if a stream could not be filled, if nothing of the window
/// can be read any more, or if somebody said no, 64 for bad settings,
/// bad times, streams that have nothing to fill, or nobody to ask, 130 if the process was told to end before.
pub async fn run(environment: Arc<Environment>, arguments: BackfillArguments) -> CommandEnd {
    let window = Window {
        from: arguments.from,
        to: arguments.to,
    };
    if window.from >= window.to {
        return Err(misused("--from must be before --to"));
    }
    let stop = signals::listen();
    let provider = RuntimeProvider::new(environment, Holder::of_command("backfill").yielding(), stop.clone());
    let (_, runtime) = prepare(&provider).await?;
    let selection = Selection::only(&arguments.source);
    let plans = fillable(&runtime, &selection)?;
    let mode = match arguments.again {
        true => BackfillMode::Anew,
        false => BackfillMode::Missing,
    };
    if mode == BackfillMode::Anew {
        let confirmed = finished_in_time(&stop, async {
            let perhaps_twice = confirm::count_possible_duplicates(&runtime, &plans, window).await?;
            if perhaps_twice == 0 || arguments.yes {
                return Ok(());
            }
            confirm::ask_to_read_anew(perhaps_twice, &stop).await
        });
        confirmed.await.ok_or_else(cut_off)??;
    }
    let request = BackfillRequest { window, mode };
    let progress = Progress::start();
    let started = Instant::now();
    let filled = finished_in_time(&stop, fill(&runtime, &plans, request, &progress)).await;
    progress.end();
    let filled = filled.ok_or_else(cut_off)?;
    let disabled = runtime.plans.disabled.iter();
    let disabled = disabled.filter(|instance| selection.takes(&instance.subject));
    let report = RunReport {
        streams: disabled.map(DisabledInstance::report).chain(filled).collect(),
        took: started.elapsed(),
    };
    log_run(&report, LoggedTables::Moved);
    let mut streams = report.streams.iter();
    let is_unfinished = streams.any(|stream| stream.outcome == Outcome::BudgetEnded);
    Ok(ExitCode::from(match (is_unfinished, report.failed()) {
        (true, _) => EXIT_INTERRUPTED,
        (false, true) => EXIT_FAILED,
        (false, false) => 0,
    }))
}

/// The work did not end in the time that a process has after it was told to end.
fn cut_off() -> ExitCode {
    log::warn!(
        "what was under way did not come to its end in time and was cut off; what was read to its end before is saved, and \
         the same command fills the rest"
    );
    ExitCode::from(EXIT_INTERRUPTED)
}

async fn fill(
    runtime: &Runtime,
    plans: &[&PullPlan],
    request: BackfillRequest,
    progress: &Progress,
) -> Vec<StreamReport> {
    if request.begins_with_old_rows(SystemClock.now()) {
        progress.says(
            "in Sentinel, rows older than 48 hours get the time of their arrival as TimeGenerated; the vendor's own time \
             stays in its column",
        );
    }
    note_what_is_wanted(&runtime.context, plans, request, progress).await;
    let mut reports = Vec::with_capacity(plans.len());
    for plan in plans {
        reports.push(backfill(&runtime.context, plan, request, progress).await);
    }
    runtime.save_new_keys().await;
    reports
}

/// The selected streams that can be filled; says why the others cannot.
fn fillable<'w>(runtime: &'w Runtime, selection: &Selection) -> Result<Vec<&'w PullPlan>, ExitCode> {
    let plans = &runtime.plans.streams;
    let is_off = runtime.plans.disabled.iter().any(|off| selection.takes(&off.subject));
    let selected: Vec<&StreamPlan> = plans.iter().filter(|plan| selection.takes(plan.name())).collect();
    if selected.is_empty() && !is_off {
        let known: Vec<String> = plans.iter().map(|plan| plan.name().to_string()).collect();
        return Err(no_such_stream(&known));
    }
    let refusals: Vec<String> = selected.iter().filter_map(|plan| why_not(plan)).collect();
    let fillable = selected.iter().filter_map(|plan| match plan {
        StreamPlan::Windows(windows) if why_not(plan).is_none() => Some(windows),
        _ => None,
    });
    let fillable: Vec<&PullPlan> = fillable.collect();
    if fillable.is_empty() && !is_off {
        refusals.iter().for_each(|refusal| log::error!("{refusal}"));
        return Err(ExitCode::from(EXIT_USAGE));
    }
    refusals.iter().for_each(|refusal| log::warn!("{refusal}"));
    Ok(fillable)
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc());
    }
    let day = text.parse::<NaiveDate>();
    day.map(|day| day.and_time(NaiveTime::MIN).and_utc())
        .map_err(|_| "write 2026-11-20T10:15:00Z, or 2026-11-20 for the beginning of that day in UTC".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_its_zone_or_is_the_beginning_of_a_day() {
        let at = |text: &str| instant(text).map(|instant| instant.to_rfc3339());
        assert_eq!(at("2026-11-20").unwrap(), "2026-11-20T00:00:00+00:00");
        assert_eq!(at("2026-11-20T10:15:00+02:00").unwrap(), "2026-11-20T08:15:00+00:00");
        for text in ["", "yesterday", "2026-11-20T10:15:00", "2026-13-01", "20.11.2026"] {
            assert!(at(text).unwrap_err().contains("2026-11-20T10:15:00Z"), "{text}");
        }
    }
}
