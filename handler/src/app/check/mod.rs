//! Tries everything that the settings name, each part on its own and all at the same time.
//!
//! Nothing is delivered, no position moves, and nothing is read where reading consumes.

mod azure;
mod destinations;
mod finding;
mod former_state;
mod state_files;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use futures_util::stream::{Stream, StreamExt};

use self::finding::Probe;
pub use self::finding::{Finding, Severity};
use super::demo_folders::demo_folder_warning;
use super::runtime::Runtime;
use super::runtime_provider::RuntimeProvider;
use super::secrets::SecretOrigin;
use super::settings::Settings;
use crate::destination::DestinationChoice;
use crate::state::{Leases, ProbedStore, StoreError, probe_store};
use crate::time::Deadline;

/// Parts that are tried at the same time.
const AT_ONCE: usize = 64;
/// Kept back, so that what is tried can say how far it came.
const TO_TELL: Duration = Duration::from_secs(2);

pub struct Check {
    /// As they were read.
    pub settings: Arc<Settings>,
    /// Built from them.
    pub runtime: Arc<Runtime>,
    /// Where they came from.
    pub provider: RuntimeProvider,
}

/// What can be said of the secrets whether or not anything else can be tried.
pub fn secrets(origins: &[SecretOrigin]) -> Vec<Finding> {
    let finding = |origin: &SecretOrigin| match (&origin.failure, origin.by_platform) {
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
        let mut probes = vec![
            Probe::new("settings", std::future::ready(self.what_is_known())),
            Probe::new("state store", store_and_files(self.runtime.clone())),
        ];
        let former = former_state::probe(self.provider.clone(), self.settings.clone(), self.runtime.clone());
        probes.push(Probe::new("state of an earlier deployment", former));
        probes.extend(azure::probes(&self.provider, &self.settings, early));
        probes.extend(streams::probes(&self.runtime.plans, &self.runtime.context.clock, early));
        probes.extend(destinations::probes(
            &self.runtime.plans,
            self.runtime.recorder.health_route.as_ref(),
            early,
        ));
        stream::iter(probes)
            .map(move |probe| within(probe, deadline))
            .buffered(AT_ONCE)
    }

    /// What needs no trying: secrets, names that are no settings, push routes, and what is off.
    fn what_is_known(&self) -> Vec<Finding> {
        let mut findings = secrets(&self.provider.secret_origins());
        let unknown = self.provider.unknown_names();
        findings.extend(unknown.iter().map(|name| Finding::failed(&name.setting, &name.message)));
        let schedule = self.settings.schedule_problem.iter();
        findings.extend(schedule.map(|problem| Finding::failed(&problem.setting, &problem.message)));
        let instances = self.settings.instances.iter();
        let pushes = instances.map(|instance| (instance, instance.vendor.push_tokens().len()));
        for (instance, tokens) in pushes.filter(|(_, tokens)| *tokens > 0) {
            let count = match tokens {
                1 => "a token is set".to_owned(),
                tokens => format!("{tokens} tokens are set"),
            };
            findings.push(Finding::untried(
                format!("push/{} of {}", instance.source, instance.instance),
                format!("{count}. That the vendor sends it, and reaches the route, only its first push proves"),
            ));
        }
        let warning = demo_folder_warning(&self.settings);
        findings.extend(warning.map(|warning| Finding::new(Severity::Attention, "local folders", warning)));
        let mut choices = self.settings.destinations();
        if choices.any(|choice| matches!(choice, DestinationChoice::Rule(_))) {
            findings.push(Finding::untried(
                "columns of the tables",
                "that the streams of the rules have the columns of the rows, and that rows show in the tables, was not tried: \
                 only the first rows prove it",
            ));
        }
        for off in &self.runtime.plans.disabled {
            let reasons = off.reasons.iter();
            findings.extend(reasons.map(|reason| Finding::failed(off.subject.to_string(), reason.to_string())));
        }
        findings
    }
}

/// A part that does not come to an end is one that failed.
async fn within(probe: Probe, deadline: Deadline) -> Vec<Finding> {
    match tokio::time::timeout(deadline.remaining(), probe.findings).await {
        Ok(findings) => findings,
        Err(_) => vec![Finding::failed(
            probe.subject,
            "gave no answer in the time of a check; try again, and see whether its address can be reached from here",
        )],
    }
}

/// The files are looked at where the store can be used: else each says what the store says.
async fn store_and_files(runtime: Arc<Runtime>) -> Vec<Finding> {
    let store = store(&*runtime.context.store).await;
    let files = match store.severity {
        Severity::Failed => vec![Finding::untried(
            "state files",
            "were not looked at, because the state store cannot be used",
        )],
        _ => state_files::probe(runtime).await,
    };
    [vec![store], files].concat()
}

async fn store(store: &dyn Leases) -> Finding {
    const SUBJECT: &str = "state store";
    let who = format!("{}-{:08x}", std::process::id(), rand::random::<u32>());
    match probe_store(store, &who).await {
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
    }
}
