//! How everything that is configured stands. Reads the store and nothing else; takes no lease and writes nothing.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::inputs::StatusInputs;
use super::model::{QueueStatus, Status, StreamKind, StreamState, StreamStatus};
use super::new_fields::new_fields;
use super::polled::fill_polled;
use super::pushed::fill_pushed;
use super::warning::{remembered, timer_warning};
use crate::jobs::{DisabledInstance, JobContext, Plans, is_about_one_entry, lease_name};
use crate::report::ReportSubject;
use crate::state::{EndedRuns, LastError, StoreError, StreamHealths, dead_letter_stats, queue_stats, timer_record};

/// Streams that are read at the same time: a store far away answers each call after milliseconds.
const AT_ONCE: usize = 16;

/// Fails if the store cannot be read; one damaged file shows in its own stream.
pub async fn collect_status(
    plans: &Plans,
    context: &JobContext,
    healths: &StreamHealths,
) -> Result<Status, StoreError> {
    let mut status = Status::new(context.clock.now());
    status.spool = spool_status(plans, context).await?;
    status.dead_letters = dead_letter_stats(&context.state()).await?;
    let tables = plans.stream_names().into_iter().flat_map(|name| plans.tables_of(name));
    status.new_fields = new_fields(&*context.store, tables.collect(), status.at).await?;
    let inputs = StatusInputs {
        plans,
        context,
        healths,
        now: status.at,
        spool: &status.spool,
    };
    let ended = ended_runs(inputs).await?;
    let streams = collect_streams(inputs, &ended, |_| true).await;
    status.streams = streams?;
    // A damaged record is reported where it is written.
    let record = timer_record(&*context.store).await.unwrap_or_default();
    status.last_timer_invocation = record.last_invocation;
    status.last_wake_poll = record.last_wake_poll;
    let warning = timer_warning(&record);
    status
        .problems
        .extend(warning.map(|problem| format!("{}; {}", problem.message, problem.remedy())));
    Ok(status)
}

/// How the streams that are asked for stand, in the order of their names. `ended` has their last good runs, which may
/// have saved nothing.
pub async fn collect_streams(
    inputs: StatusInputs<'_>,
    ended: &EndedRuns,
    is_wanted: impl Fn(&ReportSubject) -> bool,
) -> Result<Vec<StreamStatus>, StoreError> {
    let plans = inputs.plans.streams.iter();
    let plans = plans.filter(|plan| is_wanted(&plan.name().into()));
    let reads = plans.map(async |plan| {
        let mut stream = StreamStatus::never_run(plan.name(), StreamKind::Poll);
        let filled = fill_polled(inputs, plan, ended.get(&plan.name().to_string()), &mut stream).await;
        finished(stream, filled)
    });
    // Made at once: a stream over a borrowing closure is not general enough for the compiler to send between threads.
    let reads: Vec<_> = reads.collect();
    let mut streams: Vec<StreamStatus> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    for name in inputs.plans.push_streams() {
        let mut stream = StreamStatus::never_run(name, StreamKind::Push);
        if is_wanted(&stream.stream) {
            let filled = fill_pushed(inputs, name, &mut stream).await;
            streams.push(finished(stream, filled)?);
        }
    }
    let disabled_instances = inputs.plans.disabled.iter();
    let disabled_instances = disabled_instances.filter(|instance| is_wanted(&instance.subject));
    streams.extend(disabled_instances.map(disabled));
    streams.sort_by_cached_key(|stream| stream.stream.to_string());
    let mut streams: Vec<StreamStatus> = streams.into_iter().map(StreamStatus::with_problem).collect();
    add_timer_warning(inputs, &mut streams).await;
    Ok(streams)
}

/// Streams that are polled and have no problem of their own are read by wakes, where the timer died.
async fn add_timer_warning(inputs: StatusInputs<'_>, streams: &mut [StreamStatus]) {
    // A damaged record is reported where it is written.
    let record = timer_record(&*inputs.context.store).await.unwrap_or_default();
    let Some(warning) = timer_warning(&record) else { return };
    let polled = streams.iter_mut().filter(|stream| stream.kind == StreamKind::Poll);
    for stream in polled.filter(|stream| stream.problem.is_none()) {
        stream.problem = Some(remembered(&warning, record.last_wake_poll));
    }
}

/// What waits, with the stream whose runs empty each queue.
pub async fn spool_status(plans: &Plans, context: &JobContext) -> Result<Vec<QueueStatus>, StoreError> {
    let owners = plans.queue_owners();
    let waiting = queue_stats(&*context.store).await?.into_iter();
    let queues = waiting.map(|(queue, waiting)| QueueStatus {
        stream: owners
            .get(&queue)
            .copied()
            .or_else(|| plans.disabled_stream_of(&queue))
            .cloned(),
        queue,
        waiting,
    });
    Ok(queues.collect())
}

/// By the name of the stream, from the leases.
async fn ended_runs(inputs: StatusInputs<'_>) -> Result<EndedRuns, StoreError> {
    let plans = inputs.plans.streams.iter();
    let leases: BTreeSet<String> = plans.map(|plan| lease_name(plan.name(), plan.account())).collect();
    let reads = leases.into_iter();
    let reads = reads.map(async |lease| inputs.context.store.ended_runs(&lease).await);
    let runs: Vec<EndedRuns> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    Ok(runs.into_iter().flatten().collect())
}

/// A file that cannot be read is the affair of its own stream.
fn finished(mut stream: StreamStatus, filled: Result<(), StoreError>) -> Result<StreamStatus, StoreError> {
    match filled {
        Ok(()) => Ok(stream),
        Err(error) if is_about_one_entry(&error) => {
            stream.status = StreamState::Failing;
            stream.state_error = Some(error.to_string());
            Ok(stream)
        }
        Err(error) => Err(error),
    }
}

/// An instance that cannot run.
pub fn disabled(instance: &DisabledInstance) -> StreamStatus {
    let mut stream = StreamStatus::never_run(instance.subject.clone(), StreamKind::Instance);
    stream.status = StreamState::Off;
    stream.last_error = instance.reasons.first().map(|reason| LastError {
        at: None,
        code: reason.code.word().to_owned(),
        message: instance.summary(),
        remedy: reason.code.remedy().to_owned(),
    });
    stream
}
