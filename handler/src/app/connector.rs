//! Everything that works, built from the settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::destinations::Destinations;
use crate::azure::AzureIdentity;
use crate::destination::DeliveryError;
use crate::event::StreamName;
use crate::functions::Work;
use crate::health::StreamReport;
use crate::http::HttpClient;
use crate::pipeline::{
    ConsumePlan, PollRules, Poller, PullPlan, PushMemory, PushPlan, PushReceiver, PushRoad, PushRoom, StreamPlan,
};
use crate::settings::{Environment, OffPart, Settings, StateLocation};
use crate::sources::pingone::Activities;
use crate::sources::pingone_enterprise::Subscription;
use crate::sources::{PullStream, onelogin, pingone, sentinelone};
use crate::state::{DeadLetters, Holder, LocalStore, Spool, Store, StoreError};
use crate::tables::TableOptions;
use crate::time::{Clock, SystemClock};

/// What cannot be set up with settings that are right by themselves.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The state directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The local destination.
    #[error(transparent)]
    Destination(#[from] DeliveryError),
    /// The HTTPS client.
    #[error("{0}")]
    Http(String),
    /// A setting that only a later version can follow.
    #[error("STATE_URL: names a blob container; this version keeps its state in a directory only: give a path")]
    BlobState,
}

/// Builds the work. `command` names the process to others that meet its leases.
pub fn build(settings: &Settings, environment: &dyn Environment, command: &str) -> Result<Work, BuildError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = open_store(settings, clock.clone())?;
    let http = HttpClient::new().map_err(BuildError::Http)?;
    let identity = Arc::new(AzureIdentity::from_environment(environment));
    let mut destinations = Destinations::new(settings, http.clone(), identity, clock.clone());
    let plans = pull_plans(settings, &mut destinations, &http, &store, &clock)?;
    let receivers = receivers(settings, &mut destinations, &store, &clock)?;
    let rules = PollRules {
        lookback: settings.poll.lookback,
        overlap: settings.poll.overlap,
        settle: settings.poll.settle,
        concurrency: settings.poll.concurrency,
    };
    let holder = Holder {
        who: format!("{command} (process {})", std::process::id()),
    };
    let poller = Poller {
        plans,
        off: off_reports(settings),
        rules,
        store,
        clock,
        holder,
    };
    Ok(Work {
        poller: Arc::new(poller),
        receivers,
        budget: settings.poll.budget,
    })
}

fn open_store(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>, BuildError> {
    match &settings.state {
        StateLocation::Directory(folder) => Ok(Arc::new(LocalStore::open(folder.clone(), clock)?)),
        StateLocation::Blob { .. } => Err(BuildError::BlobState),
    }
}

fn pull_plans(
    settings: &Settings,
    destinations: &mut Destinations,
    http: &HttpClient,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<StreamPlan>, BuildError> {
    let mut plans = Vec::new();
    for instance in &settings.pingone {
        let Some(poll) = &instance.poll else { continue };
        let name = instance.instance.as_str();
        let stream = Arc::new(Activities::new(name, poll.clone(), http.clone(), clock.clone()));
        let targets = destinations.targets(&instance.destination, &instance.tables)?;
        let pushed = (!instance.push_tokens.is_empty())
            .then(|| Spool::new(store.clone(), stream.name(), settings.spool_max_bytes));
        plans.push(StreamPlan::Windows(PullPlan {
            stream,
            targets,
            pushed,
        }));
    }
    for instance in &settings.sentinelone {
        let options = TableOptions {
            parser_aliases: instance.parser_aliases,
        };
        for (stream, table) in sentinelone::streams(instance.instance.as_str(), instance, http.clone(), clock.clone()) {
            let targets = destinations.targets_with(&instance.destination, &[table], options)?;
            plans.push(StreamPlan::Windows(PullPlan {
                stream,
                targets,
                pushed: None,
            }));
        }
    }
    for instance in &settings.pingone_enterprise {
        let stream = Arc::new(Subscription::new(instance, http.clone(), clock.clone()));
        let tables = ["PingOneEnterprise_AuditEvents_CL"];
        let spool_limit = settings.spool_max_bytes;
        let targets = destinations.targets(&instance.destination, &tables)?.into_iter();
        plans.extend(targets.map(|target| {
            StreamPlan::Consumed(ConsumePlan {
                stream: stream.clone(),
                target,
                spool_limit,
            })
        }));
    }
    Ok(plans)
}

fn receivers(
    settings: &Settings,
    destinations: &mut Destinations,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> Result<BTreeMap<&'static str, PushReceiver>, BuildError> {
    let mut onelogin = Vec::new();
    for instance in settings
        .onelogin
        .iter()
        .filter(|instance| !instance.bearer_tokens.is_empty())
    {
        onelogin.push(PushPlan {
            form: Arc::new(onelogin::Webhook::new(instance.instance.as_str())),
            tokens: instance.bearer_tokens.clone(),
            targets: destinations.targets(&instance.destination, &instance.tables)?,
            road: PushRoad::Direct,
        });
    }
    let mut pingone = Vec::new();
    for instance in settings
        .pingone
        .iter()
        .filter(|instance| !instance.push_tokens.is_empty())
    {
        let name = instance.instance.as_str();
        let polled = StreamName {
            source: "pingone",
            instance: name.to_owned(),
            stream: "activities",
        };
        pingone.push(PushPlan {
            form: Arc::new(pingone::Webhook::new(name)),
            tokens: instance.push_tokens.clone(),
            targets: destinations.targets(&instance.destination, &instance.tables)?,
            road: match &instance.poll {
                Some(_) => PushRoad::ThroughPoller(Spool::new(store.clone(), &polled, settings.spool_max_bytes)),
                None => PushRoad::Direct,
            },
        });
    }
    let room = PushRoom::default();
    let mut receivers = BTreeMap::new();
    for (vendor, plans) in [("onelogin", onelogin), ("pingone", pingone)] {
        let has_unresolved_tokens = settings.push_is_unresolved(vendor);
        if plans.is_empty() && !has_unresolved_tokens {
            continue;
        }
        let receiver = PushReceiver {
            plans,
            has_unresolved_tokens,
            memory: Arc::new(PushMemory::default()),
            dead_letters: DeadLetters::new(store.clone()),
            clock: clock.clone(),
            patience: settings.push.deadline,
            room: room.clone(),
        };
        receivers.insert(vendor, receiver);
    }
    Ok(receivers)
}

/// What is configured and does not run, each with its reason: it must not look as if all were well.
fn off_reports(settings: &Settings) -> Vec<StreamReport> {
    let mut off = Vec::new();
    for switched_off in &settings.switched_off {
        let part = match switched_off.part {
            OffPart::Poll => "polling",
            OffPart::Push => "push",
            OffPart::Whole => "everything",
        };
        let name = format!("{}/{}", switched_off.source, switched_off.instance.as_str());
        off.push(StreamReport::failed(
            name.clone(),
            format!("{name}: {part} is switched off: {}", switched_off.reason),
        ));
    }
    let mut not_yet = |source: &str, instance: &str, what: &str| {
        let name = format!("{source}/{instance}");
        let problem =
            format!("{name}: {what} is configured, but this version does not read it yet; take its settings out");
        off.push(StreamReport::failed(name, problem));
    };
    for instance in settings.onelogin.iter().filter(|instance| instance.api.is_some()) {
        not_yet("onelogin", instance.instance.as_str(), "the OneLogin API");
    }
    off
}
