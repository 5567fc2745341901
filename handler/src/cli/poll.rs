//! `handler poll`

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::exit_code::{CommandEnd, code_of, no_such_stream};
use super::prepare::prepare;
use super::signals;
use super::watch::watch;
use crate::app::{Runtime, RuntimeProvider, demo_folder_warning};
use crate::config::Environment;
use crate::jobs::{RunRequest, Selection, StreamPlan};
use crate::report::{LoggedTables, ReportSubject, RunReport, names};
use crate::state::Holder;
use crate::time::{Deadline, Shutdown};

/// What follows `poll`.
#[derive(Args, Debug)]
pub struct PollArguments {
    /// Only these streams: source, source/instance or source/instance/stream.
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// Go on by the schedule (POLL_SCHEDULE) until the process is stopped.
    #[arg(long)]
    watch: bool,
    /// A line for every table, also for those without news.
    #[arg(long, short)]
    verbose: bool,
}

/// What every run of this command does.
struct PollRun {
    selection: Selection,
    logged_tables: LoggedTables,
    stop: Shutdown,
}

/// Exit 0 if all went well or the process was told to end, 1 if a stream failed or an instance is off, 64 if a setting of
/// the whole program is bad or there is nothing to do.
pub async fn run(environment: Arc<Environment>, arguments: PollArguments) -> CommandEnd {
    let stop = signals::listen();
    let provider = RuntimeProvider::new(environment, Holder::of_command("poll"), stop.clone());
    let (settings, runtime) = prepare(&provider).await?;
    if let Some(warning) = demo_folder_warning(&settings) {
        log::warn!("{warning}");
    }
    let poll = PollRun {
        selection: select(&runtime, arguments.source.as_deref())?,
        logged_tables: match arguments.verbose {
            true => LoggedTables::All,
            false => LoggedTables::Moved,
        },
        stop,
    };
    if arguments.watch {
        let polled = polled(&runtime, &poll.selection);
        return watch(&settings.poll.schedule, &polled, &poll.stop, async || {
            poll_again(&provider, &poll).await;
        })
        .await;
    }
    let report = poll_once(&runtime, &poll).await;
    Ok(code_of(!report.is_some_and(|report| report.failed())))
}

/// With secrets that may have come or changed since the last time.
async fn poll_again(provider: &RuntimeProvider, poll: &PollRun) {
    match provider.for_run().await {
        Ok(runtime) => {
            if let Some(report) = poll_once(&runtime, poll).await {
                provider.run_ended(&report);
            }
        }
        Err(reason) => log::error!("nothing is polled: {reason}"),
    }
}

/// The report; `None` if the process was told to end and the run did not come to its end in time: then
/// the state is as a kill leaves it, and the next run goes on from there.
async fn poll_once(runtime: &Runtime, poll: &PollRun) -> Option<RunReport> {
    let run = async {
        let deadline = Deadline::after(runtime.budget);
        let request = RunRequest {
            selection: poll.selection.clone(),
            logged_tables: poll.logged_tables,
            ..RunRequest::everything(deadline)
        };
        runtime.run(&request).await
    };
    signals::finished_in_time(&poll.stop, run).await
}

/// `<source>/<instance>/<stream>, <source>/<instance> (<stream>, <stream>)`
fn polled(runtime: &Runtime, selection: &Selection) -> String {
    let streams = runtime.plans.streams.iter().map(StreamPlan::name);
    let selected = streams.filter(|name| selection.takes(name));
    let names = names(&selected.map(ReportSubject::from).collect::<Vec<_>>());
    if names.is_empty() { "nothing".to_owned() } else { names }
}

fn select(runtime: &Runtime, source: Option<&str>) -> Result<Selection, ExitCode> {
    let plans = &runtime.plans;
    let Some(source) = source else {
        if plans.streams.is_empty() && plans.disabled.is_empty() {
            log::info!("nothing that is configured is polled; pushes are received by `handler serve`");
        }
        return Ok(Selection::all());
    };
    let mut known: Vec<ReportSubject> = plans.streams.iter().map(|plan| plan.name().into()).collect();
    known.extend(plans.drains.iter().map(|drain| drain.form.name().into()));
    known.extend(plans.disabled.iter().map(|instance| instance.subject.clone()));
    known.dedup();
    let selection = Selection::only(source);
    if known.iter().any(|name| selection.takes(name)) {
        return Ok(selection);
    }
    // A stream of an instance that is disabled: its report says why.
    let mut disabled = plans.disabled.iter().map(|instance| &instance.subject);
    if let Some(instance) =
        disabled.find(|instance| Selection::only(&instance.to_string()).takes(&source.to_ascii_lowercase()))
    {
        return Ok(Selection::only(&instance.to_string()));
    }
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    Err(no_such_stream(&known))
}
