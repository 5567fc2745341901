//! Every stream: signs in, and reads as little as the vendor allows.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use parking_lot::Mutex;

use super::finding::{Finding, Probe, Severity};
use crate::jobs::{Plans, StreamPlan};
use crate::report::Cause;
use crate::sources::{DestructiveStream, PolledStream, SnapshotStream, SourceError, Window, WindowedStream};
use crate::time::{Clock, Deadline, clock_remark};

const LOOKED_AT: TimeDelta = TimeDelta::minutes(15);

/// A part for every stream and every account.
pub fn probes(plans: &Plans, clock: &Arc<dyn Clock>, deadline: Deadline) -> Vec<(String, Probe)> {
    let now = clock.now();
    let window = Window {
        from: now - LOOKED_AT,
        to: now,
    };
    let mut accounts = BTreeSet::new();
    let clocks = Clocks {
        ours: clock.clone(),
        told: Arc::default(),
    };
    let mut probes: Vec<(String, Probe)> = Vec::new();
    for plan in &plans.streams {
        let subject = plan.name().to_string();
        match plan {
            StreamPlan::Windows(plan) => {
                probes.extend(credential_of(plan.stream.clone(), &mut accounts, deadline));
                let probe = windows(plan.stream.clone(), subject.clone(), window, deadline, clocks.clone());
                probes.push((subject, Box::pin(probe)));
            }
            StreamPlan::Snapshot(plan) => {
                probes.extend(credential_of(plan.stream.clone(), &mut accounts, deadline));
                let probe = snapshot(plan.stream.clone(), subject.clone(), deadline, clocks.clone());
                probes.push((subject, Box::pin(probe)));
            }
            StreamPlan::Consumed(plan) => {
                let probe = consumed(plan.stream.clone(), subject.clone(), deadline);
                probes.push((subject, Box::pin(probe)));
            }
        }
    }
    probes
}

/// A run speaks of its budget and of the next run; a check has neither.
fn in_a_check(error: &SourceError) -> String {
    match error {
        SourceError::OutOfTime { stream, doing, .. } => {
            format!(
                "{stream}: the time of a check ended while {doing}; see whether its address can be reached from here"
            )
        }
        error => error.to_string(),
    }
}

/// This machine's clock, and the accounts whose vendor's clock was told about.
#[derive(Clone)]
struct Clocks {
    ours: Arc<dyn Clock>,
    told: Arc<Mutex<BTreeSet<(&'static str, String)>>>,
}

impl Clocks {
    /// What is worth saying of the clock behind a stream; streams of one account have the same.
    fn remark(&self, stream: &dyn PolledStream) -> Option<String> {
        let offset = stream.vendor_clock()?.offset(self.ours.now())?;
        let seconds = offset.difference_seconds()?;
        let account = (stream.name().source, stream.name().instance.clone());
        let mut told = self.told.lock();
        told.insert(account).then(|| clock_remark(seconds))
    }
}

async fn windows(
    stream: Arc<dyn WindowedStream>,
    subject: String,
    window: Window,
    deadline: Deadline,
    clocks: Clocks,
) -> Vec<Finding> {
    let read = match stream.probe(window, deadline).await {
        Ok(read) => read,
        Err(error) => return vec![Finding::failed(subject, in_a_check(&error))],
    };
    let what = match read {
        0 => "signed in and may read; nothing was recorded in the last 15 minutes",
        _ => "signed in, and read one event of the last 15 minutes",
    };
    may_read(&*stream, subject, what, &clocks)
}

async fn snapshot(
    stream: Arc<dyn SnapshotStream>,
    subject: String,
    deadline: Deadline,
    clocks: Clocks,
) -> Vec<Finding> {
    let read = match stream.probe(deadline).await {
        Ok(read) => read,
        Err(error) => return vec![Finding::failed(subject, in_a_check(&error))],
    };
    let what = match read {
        0 => "signed in and may read; there is nothing",
        _ => "signed in, and read one object",
    };
    may_read(&*stream, subject, what, &clocks)
}

fn may_read(stream: &dyn PolledStream, subject: String, what: &str, clocks: &Clocks) -> Vec<Finding> {
    let mut findings = vec![Finding::fine(subject.clone(), what)];
    let notices = stream.notices().into_iter().chain(clocks.remark(stream));
    findings.extend(notices.map(|notice| Finding::new(Severity::Attention, subject.clone(), notice)));
    findings
}

/// One probe per account.
fn credential_of(
    stream: Arc<dyn PolledStream>,
    accounts: &mut BTreeSet<(&'static str, String)>,
    deadline: Deadline,
) -> Option<(String, Probe)> {
    let account = (stream.name().source, stream.name().instance.clone());
    let subject = format!("{}/{}", account.0, account.1);
    let is_new = accounts.insert(account);
    is_new.then(|| {
        let probe = credential(stream, subject.clone(), deadline);
        (subject, Box::pin(probe) as Probe)
    })
}

/// What the account's vendor tells. That the credential is refused is said by the streams.
async fn credential(stream: Arc<dyn PolledStream>, subject: String, deadline: Deadline) -> Vec<Finding> {
    match stream.about_credential(deadline).await {
        Ok(notes) => {
            let notes = notes.into_iter().map(|note| {
                let severity = match note.is_urgent {
                    true => Severity::Attention,
                    false => Severity::Fine,
                };
                Finding::new(severity, subject.clone(), note.text)
            });
            notes.collect()
        }
        Err(error) if error.code().is_about_credential() => Vec::new(),
        Err(error) => vec![Finding::new(
            Severity::Attention,
            subject,
            format!("the end of the token is not known: {}", in_a_check(&error)),
        )],
    }
}

async fn consumed(stream: Arc<dyn DestructiveStream>, subject: String, deadline: Deadline) -> Vec<Finding> {
    let finding = match stream.probe(deadline).await {
        // Only reading would prove it, and reading consumes.
        Ok(text) => Finding::untried(subject, text),
        Err(error) => Finding::failed(subject, in_a_check(&error)),
    };
    vec![finding]
}
