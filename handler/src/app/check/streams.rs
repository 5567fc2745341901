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
pub fn probes(plans: &Plans, clock: &Arc<dyn Clock>, deadline: Deadline) -> Vec<Probe> {
    let now = clock.now();
    let check = StreamCheck {
        window: Window {
            from: now - LOOKED_AT,
            to: now,
        },
        deadline,
        clock: clock.clone(),
        clocks_told: Arc::default(),
    };
    let mut accounts = BTreeSet::new();
    let mut probes = Vec::new();
    for plan in &plans.streams {
        let subject = plan.name().to_string();
        match plan {
            StreamPlan::Windows(plan) => {
                probes.extend(credential_of(plan.stream.clone(), &mut accounts, deadline));
                probes.push(Probe::new(subject, windows(plan.stream.clone(), check.clone())));
            }
            StreamPlan::Snapshot(plan) => {
                probes.extend(credential_of(plan.stream.clone(), &mut accounts, deadline));
                probes.push(Probe::new(subject, snapshot(plan.stream.clone(), check.clone())));
            }
            StreamPlan::Consumed(plan) => {
                let probe = consumed(plan.stream.clone(), deadline);
                probes.push(Probe::new(subject, probe));
            }
        }
    }
    probes
}

/// A run speaks of its budget and of the next run; a check has neither.
fn in_a_check(error: &SourceError) -> String {
    match error {
        SourceError::OutOfTime { doing, .. } => {
            format!("the time of a check ended while {doing}; see whether its address can be reached from here")
        }
        error => error.to_string(),
    }
}

/// What the probes of all streams share.
#[derive(Clone)]
struct StreamCheck {
    window: Window,
    deadline: Deadline,
    /// This machine's.
    clock: Arc<dyn Clock>,
    /// The accounts whose vendor's clock was told about.
    clocks_told: Arc<Mutex<BTreeSet<(&'static str, String)>>>,
}

impl StreamCheck {
    /// What is worth saying of the clock behind a stream; streams of one account have the same.
    fn remark(&self, stream: &dyn PolledStream) -> Option<String> {
        let offset = stream.vendor_clock()?.offset(self.clock.now())?;
        let seconds = offset.difference_seconds()?;
        let account = (stream.name().source, stream.name().instance.clone());
        let mut told = self.clocks_told.lock();
        told.insert(account).then(|| clock_remark(seconds))
    }

    /// What is said of a stream, and that `what` was read, unless reading failed.
    fn findings(&self, stream: &dyn PolledStream, what: Result<&str, SourceError>) -> Vec<Finding> {
        let subject = stream.name().to_string();
        let what = match what {
            Ok(what) => what,
            Err(error) => return vec![Finding::failed(subject, in_a_check(&error))],
        };
        let mut findings = vec![Finding::fine(subject.clone(), what)];
        let notices = stream.notices().into_iter().chain(self.remark(stream));
        findings.extend(notices.map(|notice| Finding::new(Severity::Attention, subject.clone(), notice)));
        findings
    }
}

async fn windows(stream: Arc<dyn WindowedStream>, check: StreamCheck) -> Vec<Finding> {
    let read = stream.probe(check.window, check.deadline).await;
    let what = read.map(|events| match events {
        0 => "signed in and may read; nothing was recorded in the last 15 minutes",
        _ => "signed in, and read one event of the last 15 minutes",
    });
    check.findings(&*stream, what)
}

async fn snapshot(stream: Arc<dyn SnapshotStream>, check: StreamCheck) -> Vec<Finding> {
    let read = stream.probe(check.deadline).await;
    let what = read.map(|objects| match objects {
        0 => "signed in and may read; there is nothing",
        _ => "signed in, and read one object",
    });
    check.findings(&*stream, what)
}

/// One probe per account.
fn credential_of(
    stream: Arc<dyn PolledStream>,
    accounts: &mut BTreeSet<(&'static str, String)>,
    deadline: Deadline,
) -> Option<Probe> {
    let account = (stream.name().source, stream.name().instance.clone());
    let subject = format!("{}/{}", account.0, account.1);
    let is_new = accounts.insert(account);
    is_new.then(|| Probe::new(subject.clone(), credential(stream, subject, deadline)))
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
        Err(error) if error.of(stream.name()).code().is_about_credential() => Vec::new(),
        Err(error) => vec![Finding::new(
            Severity::Attention,
            subject,
            format!(
                "the end of the token is not known: {}: {}",
                stream.name(),
                in_a_check(&error)
            ),
        )],
    }
}

async fn consumed(stream: Arc<dyn DestructiveStream>, deadline: Deadline) -> Vec<Finding> {
    let subject = stream.name().to_string();
    let finding = match stream.probe(deadline).await {
        // Only reading would prove it, and reading consumes.
        Ok(text) => Finding::untried(subject, text),
        Err(error) => Finding::failed(subject, in_a_check(&error)),
    };
    vec![finding]
}
