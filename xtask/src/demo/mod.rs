//! `cargo demo`: the whole system on one machine, with nothing configured.
//!
//! Two passes over the same events: one into data/tables, as on a laptop, and one through the simulated Logs Ingestion
//! API, as in Azure. Every event must arrive once in both, in rows that fit their tables.

mod check;
mod destination;
mod folders;
mod pass;
mod summary;
mod vendors;

use std::path::PathBuf;
use std::time::Duration;

use self::destination::Destination;
use self::folders::prepare;
use self::pass::Pass;
use self::vendors::Scenario;
use crate::cargo::{build_handler, root};

/// Nothing here waits for long: who waits longer has come to a standstill.
const LONGEST_RUN: Duration = Duration::from_secs(120);

/// Builds, runs both passes, compares, prints.
pub fn run() -> Result<(), String> {
    let executable = build_handler(&[])?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime
        .map_err(|error| format!("no threads: {error}"))?
        .block_on(async { tokio::time::timeout(LONGEST_RUN, both_passes(executable)).await })
        .map_err(|_| format!("the demo did not end within {} s", LONGEST_RUN.as_secs()))?
}

async fn both_passes(executable: PathBuf) -> Result<(), String> {
    let (tables, state) = (root().join("data/tables"), root().join("data/state"));
    prepare(&tables)?;
    prepare(&state)?;
    let scenario = Scenario::generate();
    let expected = scenario.expected();
    let local = Destination::Directory { tables };
    let first = Pass {
        executable: &executable,
        state: &state,
        destination: &local,
        scenario: &scenario,
    }
    .run()
    .await?;
    check::each_once(&expected, &first.tables).map_err(|problem| format!("data/tables: {problem}"))?;

    let temporary = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let azure = Destination::logs_ingestion();
    let pass = Pass {
        executable: &executable,
        state: &temporary.path().join("state"),
        destination: &azure,
        scenario: &scenario,
    };
    let second = pass.run().await?;
    check::each_once(&expected, &second.tables).map_err(|problem| format!("Logs Ingestion API: {problem}"))?;
    if first.sorted_rows() != second.sorted_rows() {
        return Err("the rows that went through the Logs Ingestion API differ from the rows in data/tables".to_owned());
    }
    summary::print(&scenario, &first, &second);
    Ok(())
}
