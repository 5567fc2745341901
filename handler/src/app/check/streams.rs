//! Every stream: signs in, and reads as little as the vendor allows.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, OptionFuture, join, join_all};
use parking_lot::Mutex;

use super::finding::{Finding, Probe, Severity};
use crate::event::StreamName;
use crate::jobs::{Plans, StreamPlan};
use crate::report::{Cause, RunMessage, grouped, names};
use crate::sources::{DestructiveStream, PolledStream, SnapshotStream, SourceError, TimeEnd, Window, WindowedStream};
use crate::time::{Clock, Deadline, clock_remark};

const LOOKED_AT: TimeDelta = TimeDelta::minutes(15);

/// Parts for every account: what its vendor tells, and its streams together, because they may fail for one reason.
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
    let mut accounts: Vec<AccountProbe> = Vec::new();
    for plan in &plans.streams {
        let subject = format!("{}/{}", plan.name().source, plan.name().instance);
        if accounts.last().is_none_or(|account| account.subject != subject) {
            accounts.push(AccountProbe::new(subject));
        }
        if let Some(account) = accounts.last_mut() {
            account.add(plan, &check);
        }
    }
    accounts.into_iter().map(AccountProbe::probe).collect()
}

/// The probes of the streams that read one account.
struct AccountProbe {
    /// `<source>/<instance>`
    subject: String,
    credential: Option<BoxFuture<'static, CredentialFindings>>,
    streams: Vec<BoxFuture<'static, StreamFindings>>,
}

/// What the vendor tells of an account.
#[derive(Default)]
struct CredentialFindings {
    notes: Vec<Finding>,
    /// Why the end of the credential is not known.
    unknown_end: Option<Finding>,
}

/// What was found of one stream.
struct StreamFindings {
    fine: Vec<Finding>,
    failure: Option<RunMessage>,
}

impl AccountProbe {
    fn new(subject: String) -> Self {
        Self {
            subject,
            credential: None,
            streams: Vec::new(),
        }
    }

    fn add(&mut self, plan: &StreamPlan, check: &StreamCheck) {
        let name = plan.name().clone();
        let found = match plan {
            StreamPlan::Windows(plan) => {
                self.ask_about_credential(plan.stream.clone(), check.deadline);
                windows(plan.stream.clone(), check.clone()).boxed()
            }
            StreamPlan::Snapshot(plan) => {
                self.ask_about_credential(plan.stream.clone(), check.deadline);
                snapshot(plan.stream.clone(), check.clone()).boxed()
            }
            StreamPlan::Consumed(plan) => consumed(plan.stream.clone(), check.deadline).boxed(),
        };
        let found = found.map(move |found| match found {
            Ok(fine) => StreamFindings { fine, failure: None },
            Err(error) => StreamFindings {
                fine: Vec::new(),
                failure: Some(failure(&name, &error)),
            },
        });
        self.streams.push(found.boxed());
    }

    /// Once per account.
    fn ask_about_credential(&mut self, stream: Arc<dyn PolledStream>, deadline: Deadline) {
        let subject = self.subject.clone();
        self.credential
            .get_or_insert_with(|| credential(stream, subject, deadline).boxed());
    }

    fn probe(self) -> Probe {
        let credential = OptionFuture::from(self.credential);
        let found = join(credential, join_all(self.streams));
        Probe::new(
            self.subject,
            found.map(|(of_credential, of_streams)| findings_of_account(of_credential.unwrap_or_default(), of_streams)),
        )
    }
}

/// A failure that several streams share is one finding. That the end of the credential is not known is none beside it.
fn findings_of_account(credential: CredentialFindings, streams: Vec<StreamFindings>) -> Vec<Finding> {
    let (fine, failures): (Vec<_>, Vec<_>) = streams.into_iter().map(|found| (found.fine, found.failure)).unzip();
    let failed: Vec<Finding> = grouped(failures.into_iter().flatten())
        .iter()
        .map(|group| {
            let (subject, line) = (names(&group.subjects), group.line());
            let text = line.strip_prefix(&format!("{subject}: ")).unwrap_or(&line);
            Finding::failed(subject, text)
        })
        .collect();
    let unknown_end = credential.unknown_end.filter(|_| failed.is_empty());
    let of_credential = credential.notes.into_iter().chain(unknown_end);
    of_credential.chain(fine.into_iter().flatten()).chain(failed).collect()
}

fn failure(name: &StreamName, error: &SourceError) -> RunMessage {
    let text = in_a_check(error);
    let shared = match error {
        SourceError::OutOfTime {
            end: TimeEnd::While(_), ..
        } => text.clone(),
        error => error.without_endpoint(),
    };
    RunMessage {
        subject: name.into(),
        code: Some(error.of(name).code()),
        line: format!("{name}: {text}"),
        shared,
    }
}

/// A run speaks of its budget and of the next run; a check has neither.
fn in_a_check(error: &SourceError) -> String {
    match error {
        SourceError::OutOfTime {
            end: TimeEnd::While(doing),
            ..
        } => {
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

    /// What is said of a stream, and that `what` was read.
    fn findings(&self, stream: &dyn PolledStream, what: &str) -> Vec<Finding> {
        let subject = stream.name().to_string();
        let mut findings = vec![Finding::fine(subject.clone(), what)];
        let notices = stream.notices().into_iter().chain(self.remark(stream));
        findings.extend(notices.map(|notice| Finding::new(Severity::Attention, subject.clone(), notice)));
        findings
    }
}

async fn windows(stream: Arc<dyn WindowedStream>, check: StreamCheck) -> Result<Vec<Finding>, SourceError> {
    let what = match stream.probe(check.window, check.deadline).await? {
        0 => "signed in and may read; nothing was recorded in the last 15 minutes",
        _ => "signed in, and read one event of the last 15 minutes",
    };
    Ok(check.findings(&*stream, what))
}

async fn snapshot(stream: Arc<dyn SnapshotStream>, check: StreamCheck) -> Result<Vec<Finding>, SourceError> {
    let what = match stream.probe(check.deadline).await? {
        0 => "signed in and may read; there is nothing",
        _ => "signed in, and read one object",
    };
    Ok(check.findings(&*stream, what))
}

/// What the account's vendor tells. That the credential is refused is said by the streams.
async fn credential(stream: Arc<dyn PolledStream>, subject: String, deadline: Deadline) -> CredentialFindings {
    let error = match stream.about_credential(deadline).await {
        Ok(notes) => {
            let notes = notes.into_iter().map(|note| {
                let severity = match note.is_urgent {
                    true => Severity::Attention,
                    false => Severity::Fine,
                };
                Finding::new(severity, subject.clone(), note.text)
            });
            return CredentialFindings {
                notes: notes.collect(),
                unknown_end: None,
            };
        }
        Err(error) => error,
    };
    if error.of(stream.name()).code().is_about_credential() {
        return CredentialFindings::default();
    }
    let text = format!(
        "the end of the token is not known: {}: {}",
        stream.name(),
        in_a_check(&error)
    );
    CredentialFindings {
        notes: Vec::new(),
        unknown_end: Some(Finding::new(Severity::Attention, subject, text)),
    }
}

/// Only reading would prove it, and reading consumes.
async fn consumed(stream: Arc<dyn DestructiveStream>, deadline: Deadline) -> Result<Vec<Finding>, SourceError> {
    let text = stream.probe(deadline).await?;
    Ok(vec![Finding::untried(stream.name().to_string(), text)])
}
