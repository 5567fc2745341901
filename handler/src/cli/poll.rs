//! `handler poll`

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::watch::watch;
use super::{EXIT_FAILED, EXIT_USAGE};
use crate::app::{BuildError, ConnectorWorkplace, NoWork};
use crate::functions::{Work, Workplace};
use crate::pipeline::Selection;
use crate::settings::Environment;
use crate::time::Deadline;

/// What follows `poll`.
#[derive(Args, Debug)]
pub struct PollArguments {
    /// Only these streams: source, source/instance or source/instance/stream.
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// Go on by the schedule (POLL_SCHEDULE) until the process is stopped.
    #[arg(long)]
    watch: bool,
}

/// Exit 0 if all went well, 1 if a stream failed, 64 for bad settings or nothing to do.
pub async fn run(environment: Arc<dyn Environment>, arguments: PollArguments) -> ExitCode {
    let workplace = ConnectorWorkplace::new(environment, "poll");
    workplace.look_up().await;
    // What is wrong with them is logged already.
    let Ok(settings) = workplace.settings() else {
        return ExitCode::from(EXIT_USAGE);
    };
    if settings.nothing_configured() {
        log::error!(
            "nothing is configured: set PINGONE__ENVIRONMENT_ID, PINGONE__CLIENT_ID and PINGONE__CLIENT_SECRET to poll PingOne, for example"
        );
        return ExitCode::from(EXIT_USAGE);
    }
    let work = match workplace.work() {
        Ok(work) => work,
        Err(error) => {
            log::error!("{error}");
            let code = if matches!(error, NoWork::Build(BuildError::BlobState)) {
                EXIT_USAGE
            } else {
                EXIT_FAILED
            };
            return ExitCode::from(code);
        }
    };
    let selection = match select(&work, arguments.source.as_deref()) {
        Ok(selection) => selection,
        Err(reason) => {
            log::error!("{reason}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    if arguments.watch {
        return watch(&settings.poll.schedule, async || {
            poll_again(&workplace, &selection).await
        })
        .await;
    }
    if poll_once(&work, &selection).await {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_FAILED)
    }
}

/// With secrets that may have come or changed since the last time. True if no stream failed.
async fn poll_again(workplace: &ConnectorWorkplace, selection: &Selection) -> bool {
    match workplace.for_run().await {
        Ok(work) => poll_once(&work, selection).await,
        Err(reason) => {
            log::error!("nothing is polled: {reason}");
            false
        }
    }
}

/// True if no stream failed.
async fn poll_once(work: &Work, selection: &Selection) -> bool {
    let report = work.poller.run(selection, Deadline::after(work.budget)).await;
    report.log();
    !report.failed()
}

fn select(work: &Work, source: Option<&str>) -> Result<Selection, String> {
    let mut known: Vec<String> = work.poller.plans.iter().map(|plan| plan.name().to_string()).collect();
    known.extend(work.poller.off.iter().map(|off| off.stream.clone()));
    let Some(source) = source else {
        if known.is_empty() {
            log::info!("nothing that is configured is polled; pushes are received by `handler serve`");
        }
        return Ok(Selection::all());
    };
    let selection = Selection::only(source);
    if known.iter().any(|name| selection.takes(name)) {
        return Ok(selection);
    }
    let known = if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    };
    Err(format!(
        "--source: no configured stream has that name; configured are: {known}"
    ))
}
