//! Settings -> the streams that are polled, a function per vendor.

use std::sync::Arc;
use std::time::Duration;

use super::build_error::BuildError;
use super::wiring::Wiring;
use crate::config::{OneLogin, PingOne, PingOneEnterprise, SentinelOne};
use crate::jobs::{ConsumePlan, CounterpartRule, PullPlan, PushedPlan, SnapshotPlan, StreamPlan};
use crate::sources::{DestructiveStream, PolledStream};
use crate::state::Spool;
use crate::tables::TableOptions;
use crate::vendors::pingone;
use crate::vendors::pingone::Activities;
use crate::vendors::pingone_enterprise::Subscription;
use crate::vendors::{onelogin, sentinelone};

const ONELOGIN_EVENT_TABLES: [&str; 1] = ["OneLoginEventsV2_CL"];
const ONELOGIN_USER_TABLES: [&str; 1] = ["OneLoginUsersV2_CL"];
/// So long an event may come by webhook before the API's form of it is delivered.
const WEBHOOK_PATIENCE: Duration = Duration::from_secs(15 * 60);
const ENTERPRISE_TABLES: [&str; 1] = ["PingOneEnterprise_AuditEvents_CL"];

impl Wiring<'_> {
    /// All of them.
    pub fn stream_plans(&mut self) -> Result<Vec<StreamPlan>, BuildError> {
        let settings = self.settings;
        let mut plans = Vec::new();
        for instance in &settings.pingone {
            plans.extend(self.pingone(instance)?);
        }
        for instance in &settings.sentinelone {
            plans.extend(self.sentinelone(instance)?);
        }
        for instance in &settings.onelogin {
            plans.extend(self.onelogin(instance)?);
        }
        for instance in &settings.pingone_enterprise {
            plans.extend(self.pingone_enterprise(instance)?);
        }
        Ok(plans)
    }

    fn pingone(&mut self, instance: &PingOne) -> Result<Option<StreamPlan>, BuildError> {
        let Some(poll) = &instance.poll else { return Ok(None) };
        let name = instance.instance.as_str();
        let activities = Activities::new(name, poll.clone(), self.http.clone(), self.clock.clone());
        let stream = Arc::new(activities);
        let targets = self.destinations.targets(&instance.destination, &instance.tables)?;
        // Also while the token is not resolved: what was pushed before may still wait.
        let is_pushed = !instance.push_tokens.is_empty() || instance.push_unresolved;
        let pushed = is_pushed.then(|| PushedPlan {
            spool: Spool::new(&self.spool_quota, stream.name()),
            form: Arc::new(pingone::webhook(name)),
            targets: targets.clone(),
        });
        Ok(Some(StreamPlan::Windows(PullPlan {
            stream,
            targets,
            pushed,
            counterparts: None,
        })))
    }

    fn sentinelone(&mut self, instance: &SentinelOne) -> Result<Vec<StreamPlan>, BuildError> {
        let options = TableOptions {
            parser_aliases: instance.parser_aliases,
        };
        let name = instance.instance.as_str();
        let streams = sentinelone::streams(name, instance, self.http.clone(), self.clock.clone());
        let mut plans = Vec::with_capacity(streams.len());
        for (stream, table) in streams {
            let targets = self
                .destinations
                .targets_with(&instance.destination, &[table], options)?;
            plans.push(StreamPlan::Windows(PullPlan {
                stream,
                targets,
                pushed: None,
                counterparts: None,
            }));
        }
        Ok(plans)
    }

    /// Beside the webhook the API only fills gaps: the pushes wait for its run, and what it reads is held back until
    /// the webhook has had its time.
    fn onelogin(&mut self, instance: &OneLogin) -> Result<Vec<StreamPlan>, BuildError> {
        let Some(api) = &instance.api else {
            return Ok(Vec::new());
        };
        let (name, choice) = (instance.instance.as_str(), &instance.destination);
        let (http, clock) = (self.http.clone(), self.clock.clone());
        let (events, users) = onelogin::api_streams(name, api, &instance.setting_prefix, http, clock);
        // Also while the token is not resolved: the webhook sends again what it cannot send now.
        let pushed = match instance.bearer_tokens.is_empty() && !instance.push_unresolved {
            true => None,
            false => Some(PushedPlan {
                spool: Spool::new(&self.spool_quota, events.name()),
                form: Arc::new(onelogin::webhook(name)),
                targets: self.destinations.targets(choice, &instance.tables)?,
            }),
        };
        let rule = CounterpartRule {
            key_of: onelogin::counterpart_of,
            patience: WEBHOOK_PATIENCE,
        };
        let counterparts = pushed.is_some().then_some(rule);
        let targets = self.destinations.targets(choice, &ONELOGIN_EVENT_TABLES)?;
        let events = PullPlan {
            stream: events,
            targets,
            pushed,
            counterparts,
        };
        let targets = self.destinations.targets(choice, &ONELOGIN_USER_TABLES)?;
        let users = SnapshotPlan { stream: users, targets };
        Ok(vec![StreamPlan::Windows(events), StreamPlan::Snapshot(users)])
    }

    fn pingone_enterprise(&mut self, instance: &PingOneEnterprise) -> Result<Vec<StreamPlan>, BuildError> {
        let stream = Arc::new(Subscription::new(instance, self.http.clone(), self.clock.clone()));
        let spool = Spool::new(&self.spool_quota, stream.name());
        let targets = self
            .destinations
            .targets(&instance.destination, &ENTERPRISE_TABLES)?
            .into_iter();
        let plans = targets.map(|target| ConsumePlan {
            stream: stream.clone(),
            target,
            spool: spool.clone(),
        });
        Ok(plans.map(StreamPlan::Consumed).collect())
    }
}
