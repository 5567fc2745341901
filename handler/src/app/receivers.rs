//! Settings -> the receivers of pushes, by the last part of their route.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::connector::BuildError;
use super::wiring::Wiring;
use crate::event::StreamName;
use crate::pipeline::{PushPlan, PushReceiver, PushRoad};
use crate::sources::{onelogin, pingone};
use crate::state::{DeadLetters, Spool};

impl Wiring<'_> {
    /// A vendor without a token has none.
    pub fn receivers(&mut self) -> Result<BTreeMap<&'static str, PushReceiver>, BuildError> {
        let mut receivers = BTreeMap::new();
        for (vendor, plans) in [
            ("onelogin", self.onelogin_pushes()?),
            ("pingone", self.pingone_pushes()?),
        ] {
            let has_unresolved_tokens = self.settings.push_is_unresolved(vendor);
            if plans.is_empty() && !has_unresolved_tokens {
                continue;
            }
            let receiver = PushReceiver {
                memory: self.lasting.push_memory(vendor, &plans),
                plans,
                has_unresolved_tokens,
                dead_letters: DeadLetters::new(self.store.clone()),
                clock: self.clock.clone(),
                patience: self.settings.push.deadline,
                room: self.lasting.push_room.clone(),
            };
            receivers.insert(vendor, receiver);
        }
        Ok(receivers)
    }

    fn onelogin_pushes(&mut self) -> Result<Vec<PushPlan>, BuildError> {
        let settings = self.settings;
        let mut plans = Vec::new();
        for instance in settings
            .onelogin
            .iter()
            .filter(|instance| !instance.bearer_tokens.is_empty())
        {
            let name = instance.instance.as_str();
            plans.push(PushPlan {
                form: Arc::new(onelogin::Webhook::new(name)),
                tokens: instance.bearer_tokens.clone(),
                targets: self.destinations.targets(&instance.destination, &instance.tables)?,
                road: self.road("onelogin", name, "events", instance.api.is_some()),
            });
        }
        Ok(plans)
    }

    fn pingone_pushes(&mut self) -> Result<Vec<PushPlan>, BuildError> {
        let settings = self.settings;
        let mut plans = Vec::new();
        for instance in settings
            .pingone
            .iter()
            .filter(|instance| !instance.push_tokens.is_empty())
        {
            let name = instance.instance.as_str();
            plans.push(PushPlan {
                form: Arc::new(pingone::Webhook::new(name)),
                tokens: instance.push_tokens.clone(),
                targets: self.destinations.targets(&instance.destination, &instance.tables)?,
                road: self.road("pingone", name, "activities", instance.poll.is_some()),
            });
        }
        Ok(plans)
    }

    /// What is polled too goes through the poller's identities.
    fn road(&self, source: &'static str, instance: &str, stream: &'static str, is_polled_too: bool) -> PushRoad {
        if !is_polled_too {
            return PushRoad::Direct;
        }
        let stream = StreamName {
            source,
            instance: instance.to_owned(),
            stream,
        };
        PushRoad::ThroughPoller(Spool::new(self.store.clone(), &stream, self.settings.spool_max_bytes))
    }
}
