//! Settings -> the streams that are polled, a function per vendor.

use std::sync::Arc;

use super::connector::BuildError;
use super::wiring::Wiring;
use crate::pipeline::{ConsumePlan, PullPlan, PushedPlan, StreamPlan};
use crate::settings::{PingOne, PingOneEnterprise, SentinelOne};
use crate::sources::pingone::{self, Activities};
use crate::sources::pingone_enterprise::Subscription;
use crate::sources::{PullStream, sentinelone};
use crate::state::Spool;
use crate::tables::TableOptions;

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
        for instance in &settings.pingone_enterprise {
            plans.extend(self.pingone_enterprise(instance)?);
        }
        Ok(plans)
    }

    fn pingone(&mut self, instance: &PingOne) -> Result<Option<StreamPlan>, BuildError> {
        let Some(poll) = &instance.poll else { return Ok(None) };
        let name = instance.instance.as_str();
        let stream = Arc::new(Activities::new(
            name,
            poll.clone(),
            self.http.clone(),
            self.clock.clone(),
        ));
        let targets = self.destinations.targets(&instance.destination, &instance.tables)?;
        let pushed = (!instance.push_tokens.is_empty()).then(|| PushedPlan {
            spool: Spool::new(self.store.clone(), stream.name(), self.settings.spool_max_bytes),
            form: Arc::new(pingone::Webhook::new(name)),
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

    fn pingone_enterprise(&mut self, instance: &PingOneEnterprise) -> Result<Vec<StreamPlan>, BuildError> {
        let stream = Arc::new(Subscription::new(instance, self.http.clone(), self.clock.clone()));
        let spool_limit = self.settings.spool_max_bytes;
        let targets = self
            .destinations
            .targets(&instance.destination, &ENTERPRISE_TABLES)?
            .into_iter();
        let plans = targets.map(|target| ConsumePlan {
            stream: stream.clone(),
            target,
            spool_limit,
        });
        Ok(plans.map(StreamPlan::Consumed).collect())
    }
}
