//! Settings -> the receivers of pushes, by the last part of their route, and the queues where pushed rows wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::build_error::BuildError;
use super::wiring::Wiring;
use crate::config::{OneLogin, PingOne, Secret};
use crate::delivery::TableRoute;
use crate::event::StreamName;
use crate::jobs::{
    Dedupe, DrainPlan, GroupCommit, GroupCommitConfig, MAX_UPLOAD_WAIT, PollerQueues, PushPlan, PushReceiver,
    PushRoute, UploadContext,
};
use crate::sources::WebhookFormat;
use crate::state::{DeadLetters, ProcessLedger, Spool};
use crate::vendors::{onelogin, pingone};

/// An instance that pushes, whichever vendor it is of.
struct Pushing<'s> {
    form: Arc<WebhookFormat>,
    tokens: &'s [Secret],
    targets: Vec<TableRoute>,
    /// The stream of the poller that reads the same events.
    polled: StreamName,
    /// Also while the poller cannot run, because a reference is not resolved: it reads the same events later, and only
    /// its own run knows again what was delivered.
    is_polled_too: bool,
}

impl<'s> Wiring<'s> {
    /// A vendor without a token has none.
    pub fn receivers(&mut self) -> Result<BTreeMap<&'static str, PushReceiver>, BuildError> {
        let mut receivers = BTreeMap::new();
        let onelogin = self.onelogin_pushes()?;
        let pingone = self.pingone_pushes()?;
        for (vendor, instances) in [("onelogin", onelogin), ("pingone", pingone)] {
            let has_unresolved_tokens = self.settings.push_is_unresolved(vendor);
            if instances.is_empty() && !has_unresolved_tokens {
                continue;
            }
            let dedupe = self.lasting.push_dedupe(vendor);
            let plans = instances
                .into_iter()
                .map(|instance| self.push_plan(instance, &dedupe))
                .collect();
            let receiver = PushReceiver {
                plans,
                has_unresolved_tokens,
                dead_letters: DeadLetters::new(self.store.clone()),
                clock: self.clock.clone(),
                budget: self.lasting.inflight_budget.clone(),
            };
            receivers.insert(vendor, receiver);
        }
        Ok(receivers)
    }

    /// Every queue where pushed rows may wait. Also those of an instance that is polled too: it may not always have
    /// been.
    pub fn drain_plans(&mut self) -> Result<Vec<DrainPlan>, BuildError> {
        let mut plans = Vec::new();
        let mut instances = self.onelogin_pushes()?;
        instances.extend(self.pingone_pushes()?);
        for instance in instances {
            let mut queues = vec![Spool::new(&self.spool_quota, instance.form.name())];
            if !instance.is_polled_too {
                queues.push(Spool::new(&self.spool_quota, &instance.polled));
            }
            for spool in queues {
                plans.extend(instance.targets.iter().map(|target| DrainPlan {
                    form: instance.form.clone(),
                    spool: spool.clone(),
                    target: target.clone(),
                }));
            }
        }
        Ok(plans)
    }

    /// The ledgers of everything that is pushed.
    pub fn push_ledgers(&self) -> Vec<ProcessLedger> {
        let settings = self.settings;
        let onelogin = settings
            .onelogin
            .iter()
            .filter(|instance| !instance.bearer_tokens.is_empty());
        let onelogin = onelogin.map(|instance| stream_of("onelogin", instance.instance.as_str(), "push"));
        let pingone = settings
            .pingone
            .iter()
            .filter(|instance| !instance.push_tokens.is_empty());
        let pingone = pingone.map(|instance| stream_of("pingone", instance.instance.as_str(), "push"));
        let streams = onelogin.chain(pingone);
        streams
            .map(|stream| ProcessLedger::new(self.store.clone(), self.clock.clone(), &stream, &self.lasting.process))
            .collect()
    }

    fn onelogin_pushes(&mut self) -> Result<Vec<Pushing<'s>>, BuildError> {
        let settings = self.settings;
        let takes_pushes = |instance: &&OneLogin| !instance.bearer_tokens.is_empty();
        let mut pushing = Vec::new();
        for instance in settings.onelogin.iter().filter(takes_pushes) {
            let name = instance.instance.as_str();
            pushing.push(Pushing {
                form: Arc::new(onelogin::webhook(name)),
                tokens: &instance.bearer_tokens,
                targets: self.destinations.targets(&instance.destination, &instance.tables)?,
                polled: stream_of("onelogin", name, "events"),
                is_polled_too: instance.api_is_wanted,
            });
        }
        Ok(pushing)
    }

    fn pingone_pushes(&mut self) -> Result<Vec<Pushing<'s>>, BuildError> {
        let settings = self.settings;
        let takes_pushes = |instance: &&PingOne| !instance.push_tokens.is_empty();
        let mut pushing = Vec::new();
        for instance in settings.pingone.iter().filter(takes_pushes) {
            let name = instance.instance.as_str();
            pushing.push(Pushing {
                form: Arc::new(pingone::webhook(name)),
                tokens: &instance.push_tokens,
                targets: self.destinations.targets(&instance.destination, &instance.tables)?,
                polled: stream_of("pingone", name, "activities"),
                is_polled_too: instance.poll_is_wanted,
            });
        }
        Ok(pushing)
    }

    fn push_plan(&self, instance: Pushing<'_>, dedupe: &Arc<Dedupe>) -> PushPlan {
        let name = instance.form.name();
        let ledger = self.lasting.push_ledger(&self.store, name);
        let route = if instance.is_polled_too {
            // What is polled too goes through the poller's identities.
            PushRoute::ThroughPoller(PollerQueues {
                spool: Spool::new(&self.spool_quota, &instance.polled),
                routes: instance.targets,
                dedupe: dedupe.clone(),
                ledger: ledger.clone(),
            })
        } else {
            let config = GroupCommitConfig {
                linger: self.settings.push.linger.min(MAX_UPLOAD_WAIT),
                upload_wait: self.settings.push.deadline.min(MAX_UPLOAD_WAIT),
            };
            let context = |route| UploadContext {
                stream: name.clone(),
                route,
                spool: Spool::new(&self.spool_quota, name),
                dead_letters: DeadLetters::new(self.store.clone()),
                dedupe: dedupe.clone(),
                ledger: ledger.clone(),
                clock: self.clock.clone(),
                shutdown: self.lasting.stop.clone(),
            };
            let queue = |route| GroupCommit::new(context(route), config);
            PushRoute::Direct(instance.targets.into_iter().map(queue).collect())
        };
        PushPlan {
            form: instance.form,
            tokens: instance.tokens.to_vec(),
            route,
            ledger,
        }
    }
}

fn stream_of(source: &'static str, instance: &str, stream: &'static str) -> StreamName {
    StreamName {
        source,
        instance: instance.to_owned(),
        stream,
    }
}
