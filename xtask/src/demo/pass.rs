//! One pass of the script through the handler, driven as the Functions host drives it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use simulator::functions_host::{FunctionsHost, HostOptions, Mode};
use simulator::logs_ingestion::{LogsIngestion, Rule};
use simulator::managed_identity::ManagedIdentity;
use simulator::onelogin::{Feed, Format, ManualClock, Sender, SenderOptions};
use simulator::pingone::{Options, PingOne};

use super::script::{ACTIVITIES, ENVIRONMENT_ID, ONELOGIN, Script};
use crate::cargo::root;

const CLIENT_SECRET: &str = "the-demo-worker's-secret";
const PUSH_TOKEN: &str = "the-demo-token";

/// Where the rows of a pass go.
pub enum Destination {
    /// `<Table>.ndjson` files.
    Directory { tables: PathBuf },
    /// The simulated Azure.
    LogsIngestion {
        identity: Arc<ManagedIdentity>,
        ingestion: Box<LogsIngestion>,
        rule_id: String,
    },
}

/// See the module.
pub struct Pass<'a> {
    pub executable: &'a Path,
    pub state: &'a Path,
    pub destination: &'a Destination,
    pub script: &'a Script,
}

/// What a pass brought.
pub struct Outcome {
    pub tables: BTreeMap<String, Vec<Value>>,
    /// What the handler told the host about each poll.
    pub polls: Vec<Vec<String>>,
    /// Batches that OneLogin posted, one of them twice.
    pub posts: usize,
    pub ready_after: Duration,
    pub peak_memory_kib: u64,
    /// Calls of the Logs Ingestion API.
    pub calls: usize,
}

impl Outcome {
    /// In an order that does not depend on the way they came.
    pub fn sorted_rows(&self) -> BTreeMap<&String, Vec<String>> {
        let sorted = self.tables.iter().map(|(table, rows)| {
            let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
            rows.sort();
            (table, rows)
        });
        sorted.collect()
    }
}

impl Destination {
    /// With a rule for the demo's tables.
    pub fn logs_ingestion() -> Self {
        let identity = Arc::new(ManagedIdentity::start());
        let rule = Rule::numbered(1, &[ACTIVITIES, ONELOGIN]);
        let rule_id = rule.rule_id.clone();
        let ingestion = Box::new(LogsIngestion::start(identity.clone(), vec![rule]));
        Self::LogsIngestion {
            identity,
            ingestion,
            rule_id,
        }
    }

    fn settings(&self) -> Vec<(&str, String)> {
        match self {
            Self::Directory { tables } => vec![("DESTINATION_DIR", tables.display().to_string())],
            Self::LogsIngestion {
                identity,
                ingestion,
                rule_id,
            } => vec![
                ("IDENTITY_ENDPOINT", identity.endpoint()),
                ("IDENTITY_HEADER", identity.header()),
                ("LOGS_INGESTION__ENDPOINT", ingestion.origin()),
                ("LOGS_INGESTION__RULE_ID", rule_id.clone()),
            ],
        }
    }

    fn rows(&self, table: &str) -> Result<Vec<Value>, String> {
        match self {
            Self::Directory { tables } => {
                let file = tables.join(format!("{table}.ndjson"));
                let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
                let rows: Result<_, _> = text.lines().map(serde_json::from_str).collect();
                rows.map_err(|error| format!("{}: {error}", file.display()))
            }
            Self::LogsIngestion { ingestion, .. } => match ingestion.violations().first() {
                Some(violation) => Err(format!("the Logs Ingestion API would not have taken it: {violation}")),
                None => Ok(ingestion.rows(table)),
            },
        }
    }

    fn calls(&self) -> usize {
        match self {
            Self::Directory { .. } => 0,
            Self::LogsIngestion { ingestion, .. } => ingestion.calls().len(),
        }
    }
}

impl Pass<'_> {
    /// Poll, poll again after late events, push, push one batch twice, poll a last time.
    pub async fn run(&self) -> Result<Outcome, String> {
        let pingone = PingOne::start(Options {
            environment_id: ENVIRONMENT_ID.to_owned(),
            auth_environment_id: ENVIRONMENT_ID.to_owned(),
            client_id: "demo-worker".to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            ..Options::default()
        });
        let host = FunctionsHost::start(self.host_options(&pingone))
            .await
            .map_err(|error| error.to_string())?;
        pingone.publish(self.script.early.iter().cloned());
        let mut polls = vec![tick(&host).await?];
        pingone.publish(self.script.late.iter().cloned());
        polls.push(tick(&host).await?);
        let posts = self.push(&host).await?;
        polls.push(tick(&host).await?);
        if let Some(violation) = pingone.violations().first() {
            return Err(format!("PingOne would not have answered: {violation}"));
        }
        let mut tables = BTreeMap::new();
        for table in [ACTIVITIES, ONELOGIN] {
            tables.insert(table.to_owned(), self.destination.rows(table)?);
        }
        let peak_memory_kib = host.peak_memory_kib().unwrap_or_default();
        let ready_after = host.time_to_ready();
        host.kill().await;
        Ok(Outcome {
            tables,
            polls,
            posts,
            ready_after,
            peak_memory_kib,
            calls: self.destination.calls(),
        })
    }

    fn host_options(&self, pingone: &PingOne) -> HostOptions {
        let mut settings = vec![
            ("PINGONE__ENVIRONMENT_ID", ENVIRONMENT_ID.to_owned()),
            ("PINGONE__CLIENT_ID", "demo-worker".to_owned()),
            ("PINGONE__CLIENT_SECRET", CLIENT_SECRET.to_owned()),
            ("PINGONE__API_URL", pingone.origin()),
            ("PINGONE__AUTH_URL", pingone.origin()),
            ("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN.to_owned()),
            ("STATE_URL", self.state.display().to_string()),
        ];
        settings.extend(self.destination.settings());
        HostOptions {
            executable: self.executable.to_owned(),
            working_dir: root(),
            env: settings
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            mode: Mode::Proxy,
        }
    }

    /// OneLogin posts whenever it has ten events, or after ten seconds. Its clock is ours.
    async fn push(&self, host: &FunctionsHost) -> Result<usize, String> {
        let sender = Sender::new(SenderOptions {
            url: format!("http://127.0.0.1:{}/api/push/onelogin", host.port()),
            token: Some(PUSH_TOKEN.to_owned()),
            format: Format::JsonArray,
            gzip: false,
            tries: 3,
        });
        let clock = ManualClock::new();
        let mut feed = Feed::new(clock.clone(), sender);
        let mut posts = 0;
        for (number, event) in self.script.pushed.iter().enumerate() {
            // A quiet spell after the thirtieth event makes the ten seconds count.
            clock.advance(Duration::from_secs(if number == 35 { 11 } else { 1 }));
            for delivery in [feed.tick().await, feed.offer(event.clone()).await]
                .into_iter()
                .flatten()
            {
                accepted(delivery.accepted)?;
                posts += 1;
            }
        }
        if let Some(delivery) = feed.flush().await {
            accepted(delivery.accepted)?;
            posts += 1;
        }
        // An answer got lost: the sender posts the same events again.
        for event in self.script.pushed.iter().take(10) {
            if let Some(delivery) = feed.offer(event.clone()).await {
                accepted(delivery.accepted)?;
                posts += 1;
            }
        }
        Ok(posts)
    }
}

fn accepted(accepted: bool) -> Result<(), String> {
    if accepted {
        Ok(())
    } else {
        Err("a push was not accepted".to_owned())
    }
}

async fn tick(host: &FunctionsHost) -> Result<Vec<String>, String> {
    host.timer()
        .await
        .map(|invocation| invocation.logs)
        .map_err(|error| error.to_string())
}
