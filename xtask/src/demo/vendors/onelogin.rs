//! OneLogin: the webhook posts whenever it has ten events, or after ten seconds. Its clock is ours.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simulator::generate::onelogin::{WebhookEvent, WebhookEvents};
use simulator::onelogin::{Batcher, LARGEST_BATCH, OneLoginSender};
use simulator::webhook::{BodyFormat, WebhookOptions};

use super::common::{Expected, Phase, SEED, accepted};

pub const TABLE: &str = "OneLogin_CL";

const PUSH_TOKEN: &str = "the-demo-token-of-onelogin";
const ACCOUNT_ID: u32 = 4711;
/// Before this event it is quiet for longer than the webhook waits.
const AFTER_THE_PAUSE: usize = 35;

/// The events, a second apart.
pub struct OneLoginScenario {
    pushed: Vec<WebhookEvent>,
}

/// The account of one pass.
pub struct OneLoginSimulation<'a> {
    scenario: &'a OneLoginScenario,
    /// Posts of the webhook so far.
    pub posts: usize,
}

impl OneLoginScenario {
    pub fn generate(now: DateTime<Utc>) -> Self {
        let mut events = WebhookEvents::new(SEED, ACCOUNT_ID);
        let pushed = (0..57).map(|number| events.at(now - TimeDelta::seconds(57 - number)));
        Self {
            pushed: pushed.collect(),
        }
    }

    /// The uuid alone names no event: OneLogin repeats it.
    pub fn expected(&self) -> Expected {
        let name_of_event = |event: &WebhookEvent| {
            let event: Value = serde_json::from_str(&event.json).unwrap_or_default();
            named(&event, "uuid", "event_timestamp").unwrap_or_default()
        };
        Expected {
            table: TABLE,
            name_of: |row| named(row, "uuid_g", "event_timestamp_s"),
            names: self.pushed.iter().map(name_of_event).collect(),
        }
    }

    pub fn summary(&self, posts: usize) -> String {
        let types: BTreeSet<u32> = self.pushed.iter().map(|event| event.event_type_id).collect();
        format!(
            "OneLogin (simulated): {} events of {} types in {posts} posts, one of them sent twice",
            self.pushed.len(),
            types.len()
        )
    }
}

fn named(object: &Value, id: &str, time: &str) -> Option<String> {
    let text = |key| object.get(key)?.as_str();
    Some(format!("{} of {}", text(id)?, text(time)?))
}

impl<'a> OneLoginSimulation<'a> {
    pub fn start(scenario: &'a OneLoginScenario) -> Self {
        Self { scenario, posts: 0 }
    }

    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN.to_owned())]
    }

    pub async fn advance(&mut self, phase: Phase, webhooks: &str) -> Result<(), String> {
        let sender = OneLoginSender::new(WebhookOptions {
            url: format!("{webhooks}/onelogin"),
            token: Some(PUSH_TOKEN.to_owned()),
            format: BodyFormat::JsonArray,
            gzip: false,
            tries: 3,
        });
        let mut batcher = Batcher::new();
        let mut now = Duration::ZERO;
        let events = match phase {
            Phase::Beginning => return Ok(()),
            Phase::Changes => self.scenario.pushed.as_slice(),
            // An answer got lost: the same batch comes again.
            Phase::Repeats => self.scenario.pushed.get(..LARGEST_BATCH).unwrap_or_default(),
        };
        for (number, event) in events.iter().enumerate() {
            now += Duration::from_secs(if number == AFTER_THE_PAUSE { 11 } else { 1 });
            self.post(&sender, batcher.tick(now)).await?;
            self.post(&sender, batcher.offer(event.clone(), now)).await?;
        }
        self.post(&sender, batcher.flush()).await
    }

    async fn post(&mut self, sender: &OneLoginSender, batch: Option<Vec<WebhookEvent>>) -> Result<(), String> {
        let Some(batch) = batch else { return Ok(()) };
        self.posts += 1;
        accepted(sender.send(&batch).await.accepted, "OneLogin")
    }
}
