//! One pass of the scenario through the handler, driven as the Functions host drives it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use simulator::functions_host::{FunctionsHost, HostOptions, Mode};

use super::destination::Destination;
use super::vendors::{Phase, Posts, Scenario, Simulation};
use crate::cargo::root;

/// See the module.
pub struct Pass<'a> {
    pub executable: &'a Path,
    pub state: &'a Path,
    pub destination: &'a Destination,
    pub scenario: &'a Scenario,
}

/// What a pass brought.
pub struct Outcome {
    pub tables: BTreeMap<String, Vec<Value>>,
    /// What the handler logged of each poll.
    pub polls: Vec<Vec<String>>,
    pub posts: Posts,
    pub ready_after: Duration,
    pub peak_memory_kib: u64,
    /// Calls of the Logs Ingestion API, and the rules they went to.
    pub calls: (usize, usize),
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

impl Pass<'_> {
    /// Every phase of the scenario, each with a tick of the timer behind it.
    pub async fn run(&self) -> Result<Outcome, String> {
        let mut simulation = Simulation::start(self.scenario);
        let host = FunctionsHost::start(self.host_options(&simulation))
            .await
            .map_err(|error| error.to_string())?;
        let webhooks = format!("http://127.0.0.1:{}/api/push", host.port());
        let mut polls = Vec::new();
        for phase in Phase::ALL {
            simulation.advance(phase, &webhooks).await?;
            let tick = host.timer().await.map_err(|error| error.to_string())?;
            polls.push(tick.logs);
        }
        let (peak_memory_kib, ready_after) = (host.peak_memory_kib().unwrap_or_default(), host.time_to_ready());
        host.kill().await;
        simulation.check()?;
        Ok(Outcome {
            tables: self.destination.tables()?,
            polls,
            posts: simulation.posts(),
            ready_after,
            peak_memory_kib,
            calls: self.destination.calls(),
        })
    }

    fn host_options(&self, simulation: &Simulation<'_>) -> HostOptions {
        let of_vendors = simulation.settings().into_iter();
        let of_vendors = of_vendors.map(|(name, value)| (name.to_owned(), value));
        let mut settings: BTreeMap<String, String> = of_vendors.collect();
        settings.extend(self.destination.settings());
        settings.insert("POLL_SCHEDULE".to_owned(), "0 * * * * *".to_owned());
        settings.insert("STATE_URL".to_owned(), self.state.display().to_string());
        HostOptions {
            executable: self.executable.to_owned(),
            working_dir: root(),
            env: settings,
            mode: Mode::Proxy,
        }
    }
}
