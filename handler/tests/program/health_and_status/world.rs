//! A handler under its host, and everything that a situation needs around it.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use serde_json::Value;
use simulator::DateHeader;
use simulator::functions_host::{FunctionsHost, Mode};
use simulator::logs_ingestion::{LogsIngestion, Rule};
use simulator::pingone::{Fault, PingOne};

use super::compare::disagreements;
use crate::harness::*;
use crate::ingestion::Azure;
use crate::scripted_vendor::ScriptedVendor;
use crate::standing::let_pass;

const HEALTH: &str = "SentinelConnectorHealth_CL";
pub const EVENTS: &str = "PingOneEnterprise_AuditEvents_CL";
const CHECKPOINT: &str = "data/state/checkpoints/pingone/default/activities.json";

/// What happens, one after the other.
#[derive(Clone, Copy)]
pub enum Step {
    /// The timer fires; then health rows and status are compared.
    Run,
    /// So many activities happen at PingOne.
    Publish(usize),
    /// An activity that is no object.
    PublishNonsense,
    /// PingOne answers its next page with this status (one of 500 and above: many pages), or, where it is 200, with
    /// markup.
    PingOneAnswers(u16),
    /// PingOne is silent for its next page.
    PingOneHangs,
    /// PingOne's clock stands so many minutes from ours.
    VendorClock(i64),
    /// OneLogin pushes this.
    Push(&'static str),
    /// The rule takes rows, or refuses them.
    RuleTakes(bool),
    /// So many minutes go by.
    LetPass(i64),
    /// The file of PingOne's checkpoint holds this.
    Checkpoint(&'static str),
    /// PingOne's watermark lies in the year 2999.
    WatermarkInTheFuture,
}

pub struct Situation {
    pub name: &'static str,
    /// Over those of PingOne and OneLogin's webhook; an empty value takes a setting away.
    pub settings: &'static [(&'static str, &'static str)],
    /// What a subscription of PingOne for Enterprise answers, the last one for ever; none if it is not configured.
    pub replies: &'static [(u16, &'static str)],
    pub steps: &'static [Step],
    /// What status and row must say after the last run: stream, state, error code.
    pub ends: &'static [(&'static str, &'static str, Option<&'static str>)],
}

pub struct World {
    pingone: PingOne,
    azure: Azure,
    health: LogsIngestion,
    _subscription: Option<ScriptedVendor>,
    handler: Handler,
    host: FunctionsHost,
}

impl World {
    pub async fn start(situation: &Situation) -> Self {
        let pingone = PingOne::start(options());
        let azure = Azure::with_tables(&[ACTIVITIES, ONELOGIN, EVENTS]);
        let health = LogsIngestion::start(azure.identity.clone(), vec![Rule::numbered(1, &[HEALTH])]);
        let mut handler = Handler::with_pingone(&pingone);
        azure.configure(&mut handler);
        handler
            .set("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN)
            .set("HEALTH__ENABLED", "true")
            .set("HEALTH__INGESTION_ENDPOINT", &health.origin())
            .set("HEALTH__RULE_ID", &Rule::numbered(1, &[HEALTH]).rule_id)
            .set("PUSH_DEADLINE", "1s")
            .set("POLL_BUDGET", "4s");
        let subscription = match situation.replies {
            [] => None,
            replies => Some(subscription(replies, &mut handler).await),
        };
        for (name, value) in situation.settings {
            handler.environment.remove(*name);
            if !value.is_empty() {
                handler.set(name, value);
            }
        }
        Self {
            host: handler.host(Mode::Proxy).await,
            pingone,
            azure,
            health,
            _subscription: subscription,
            handler,
        }
    }

    /// What health row and status say differently after a run.
    pub async fn take(&self, step: Step) -> Vec<String> {
        match step {
            Step::Run => {
                // Whether it fails is for the rows to say.
                let _ = self.host.timer().await;
                return disagreements(&self.status().await, &self.rows());
            }
            Step::Publish(count) => self.pingone.publish(activities(77, count, 20)),
            Step::PublishNonsense => {
                let at = now() - TimeDelta::minutes(5);
                self.pingone.publish_raw(at, "7".to_owned());
            }
            Step::PingOneAnswers(200) => self.pingone.fail_next([Fault::HtmlPage]),
            Step::PingOneAnswers(status) => {
                let fault = Fault::Status {
                    status,
                    retry_after: None,
                };
                let times = if status < 500 { 1 } else { 20 };
                self.pingone.fail_next(vec![fault; times]);
            }
            Step::PingOneHangs => self
                .pingone
                .fail_next([Fault::Delay(std::time::Duration::from_secs(60))]),
            Step::VendorClock(minutes) => self.pingone.set_date(DateHeader::Offset(TimeDelta::minutes(minutes))),
            Step::Push(body) => self.push(body).await,
            Step::RuleTakes(takes) => self.azure.ingestion.set_access(&self.azure.rule_id, takes),
            Step::LetPass(minutes) => let_pass(&self.handler, minutes),
            Step::Checkpoint(text) => std::fs::write(self.handler.path(CHECKPOINT), text).unwrap(),
            Step::WatermarkInTheFuture => {
                let file = self.handler.path(CHECKPOINT);
                let mut checkpoint: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
                checkpoint["tables"][ACTIVITIES]["watermark"] = "2999-01-01T00:00:00Z".into();
                std::fs::write(file, checkpoint.to_string()).unwrap();
            }
        }
        Vec::new()
    }

    async fn push(&self, body: &str) {
        let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
        let body = body.as_bytes().to_vec();
        let answer = self.host.http("POST", "/api/push/onelogin", &headers, body).await;
        assert_eq!(answer.unwrap().status, 200);
    }

    pub async fn status(&self) -> Value {
        let ended = self.handler.run(&["status", "--json"]).await;
        // Warnings of the settings come before it.
        let json = ended.output.find("{\n").map_or("", |start| &ended.output[start..]);
        serde_json::Deserializer::from_str(json)
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no status: {}", ended.output))
            .unwrap()
    }

    pub fn rows(&self) -> Vec<Value> {
        self.health.rows(HEALTH)
    }
}

async fn subscription(replies: &'static [(u16, &'static str)], handler: &mut Handler) -> ScriptedVendor {
    let next = AtomicUsize::new(0);
    let vendor = ScriptedVendor::start(move |_| {
        let number = next.fetch_add(1, Ordering::SeqCst);
        let (status, body) = replies[number.min(replies.len() - 1)];
        (status, body.to_owned())
    })
    .await;
    let url = format!("{}/v3/reports/a-1/poll-subscriptions/s-1/events", vendor.origin);
    handler
        .set("PINGONE_ENTERPRISE__POLL_URL", &url)
        .set("PINGONE_ENTERPRISE__USERNAME", "user")
        .set("PINGONE_ENTERPRISE__PASSWORD", CLIENT_SECRET);
    vendor
}
