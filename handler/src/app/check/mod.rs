//! Tries everything that the settings name, each part on its own and all at the same time.
//!
//! Nothing is delivered, no position moves, and no poll URL of PingOne for Enterprise is read.

mod azure;
mod destinations;
mod state_files;
mod streams;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use futures_util::stream::{Stream, StreamExt};

use super::secrets::Origin;
use super::workplace::ConnectorWorkplace;
use crate::config::{DestinationChoice, Settings};
use crate::functions::Work;
use crate::state::{ProbedStore, Store, StoreError, probe_store};
use crate::time::Deadline;

/// Parts that are tried at the same time.
const AT_ONCE: usize = 64;
/// Kept back, so that what is tried can say how far it came.
const TO_TELL: Duration = Duration::from_secs(2);

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It works, as far as the text says.
    Fine,
    /// It could not be tried; says what will prove it.
    Untried,
    /// It works, and somebody should do something.
    Attention,
    /// It does not work.
    Failed,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What became of it.
    pub verdict: Verdict,
    /// Which part.
    pub subject: String,
    /// What was found, and what to do; never a secret.
    pub text: String,
}

/// See the module.
pub struct Check {
    /// As they were read.
    pub settings: Arc<Settings>,
    /// Built from them.
    pub work: Arc<Work>,
    /// Where they came from.
    pub workplace: ConnectorWorkplace,
}

type Probe = Pin<Box<dyn Future<Output = Vec<Finding>> + Send>>;

impl Finding {
    fn fine(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Verdict::Fine, subject, text)
    }

    fn untried(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Verdict::Untried, subject, text)
    }

    fn failed(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Verdict::Failed, subject, text)
    }

    fn new(verdict: Verdict, subject: impl Into<String>, text: impl Into<String>) -> Self {
        let subject = subject.into();
        let text = text.into();
        // Errors of streams begin with their name, which stands before the text already.
        let text = match text.strip_prefix(&format!("{subject}: ")) {
            Some(text) => text.to_owned(),
            None => text,
        };
        Self { verdict, subject, text }
    }
}

/// What can be said of the secrets whether or not anything else can be tried.
pub fn secrets(origins: &[Origin]) -> Vec<Finding> {
    let finding = |origin: &Origin| match (&origin.failure, origin.by_platform) {
        (Some(failure), _) => Finding::failed(&origin.setting, failure),
        (None, true) => {
            let text = format!(
                "{}, resolved by the platform; whether the handler may read it too, as it must where the secret is renewed, \
                 was not tried",
                origin.place
            );
            Finding::untried(&origin.setting, text)
        }
        (None, false) => Finding::fine(&origin.setting, format!("{}, resolved by the handler", origin.place)),
    };
    origins.iter().map(finding).collect()
}

impl Check {
    /// Every part, in an order of its own, as soon as it and those before it are known.
    pub fn run(&self, deadline: Deadline) -> impl Stream<Item = Vec<Finding>> {
        let early = deadline.less(TO_TELL);
        let mut probes: Vec<(String, Probe)> = Vec::new();
        let known = self.what_is_known();
        probes.push(("settings".to_owned(), Box::pin(std::future::ready(known))));
        probes.push((
            "state store".to_owned(),
            Box::pin(store(self.work.context.store.clone())),
        ));
        probes.push(("state files".to_owned(), Box::pin(self.state_files())));
        probes.extend(self.identities(early));
        probes.extend(self.streams(early));
        probes.extend(self.destinations(early));
        stream::iter(probes)
            .map(move |(subject, probe)| within(subject, probe, deadline))
            .buffered(AT_ONCE)
    }

    /// What needs no trying: secrets, names that are no settings, push routes, and what is off.
    fn what_is_known(&self) -> Vec<Finding> {
        let mut findings = secrets(&self.workplace.secret_origins());
        let unknown = self.workplace.unknown_names();
        findings.extend(unknown.iter().map(|name| Finding::failed(&name.setting, &name.message)));
        let mut pushes = BTreeSet::new();
        for instance in &self.settings.pingone {
            pushes.insert(("pingone", instance.instance.as_str(), instance.push_tokens.len()));
        }
        for instance in &self.settings.onelogin {
            pushes.insert(("onelogin", instance.instance.as_str(), instance.bearer_tokens.len()));
        }
        for (vendor, instance, tokens) in pushes.into_iter().filter(|(_, _, tokens)| *tokens > 0) {
            let count = match tokens {
                1 => "a token is set".to_owned(),
                tokens => format!("{tokens} tokens are set"),
            };
            findings.push(Finding::untried(
                format!("push/{vendor} of {instance}"),
                format!("{count}. That the vendor sends it, and reaches the route, only its first push proves"),
            ));
        }
        let mut choices = self.destination_choices();
        if choices.any(|choice| matches!(choice, DestinationChoice::Rule(_))) {
            findings.push(Finding::untried(
                "columns of the tables",
                "that the streams of the rules have the columns of the rows, and that rows show in the tables, was not tried: \
                 only the first rows prove it",
            ));
        }
        for off in &self.work.plans.disabled {
            let problems = off.problems.iter();
            findings.extend(problems.map(|problem| Finding::failed(off.stream.to_string(), problem.to_string())));
        }
        findings
    }
}

/// A part that does not come to an end is one that failed.
async fn within(subject: String, probe: Probe, deadline: Deadline) -> Vec<Finding> {
    match tokio::time::timeout(deadline.remaining(), probe).await {
        Ok(findings) => findings,
        Err(_) => vec![Finding::failed(
            subject,
            "gave no answer in the time of a check; try again, and see whether its address can be reached from here",
        )],
    }
}

async fn store(store: Arc<dyn Store>) -> Vec<Finding> {
    const SUBJECT: &str = "state store";
    let who = format!("{}-{:08x}", std::process::id(), rand::random::<u32>());
    let finding = match probe_store(store.as_ref(), &who).await {
        Ok(ProbedStore::Sound) => Finding::fine(
            SUBJECT,
            "an object was written, read back, exchanged by its version and removed; a lease was taken and given back",
        ),
        Ok(ProbedStore::LeaseInUse(held)) => Finding::fine(
            SUBJECT,
            format!(
                "an object was written, read back, exchanged by its version and removed; the lease that is tried is {held}"
            ),
        ),
        Ok(ProbedStore::Unsound(what)) => Finding::failed(
            SUBJECT,
            format!("{what}; use a local disk or an Azure Blob container for STATE_URL"),
        ),
        Err(error @ StoreError::Conflict { .. }) => {
            Finding::failed(SUBJECT, format!("{error}; two checks may have met: try again"))
        }
        Err(error) => Finding::failed(SUBJECT, error.to_string()),
    };
    vec![finding]
}
