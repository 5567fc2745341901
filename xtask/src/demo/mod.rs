//! `cargo demo`: the whole system on one machine, with nothing configured.
//!
//! Two passes over the same events: one into data/tables, as on a laptop, and one through the simulated Logs Ingestion
//! API, as in Azure. Every event must arrive once in both, in rows that fit their tables.

mod folders;
mod pass;
mod script;
mod summary;

use std::path::PathBuf;

use self::folders::prepare;
use self::pass::{Destination, Pass};
use self::script::Script;
use crate::cargo::{build_handler, root};

/// Builds, runs both passes, compares, prints.
pub fn run() -> Result<(), String> {
    let executable = build_handler(&[])?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime
        .map_err(|error| format!("no threads: {error}"))?
        .block_on(both_passes(executable))
}

async fn both_passes(executable: PathBuf) -> Result<(), String> {
    let (tables, state) = (root().join("data/tables"), root().join("data/state"));
    prepare(&tables)?;
    prepare(&state)?;
    let script = Script::write();
    let local = Destination::Directory { tables };
    let first = Pass {
        executable: &executable,
        state: &state,
        destination: &local,
        script: &script,
    }
    .run()
    .await?;

    let temporary = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let azure = Destination::logs_ingestion();
    let pass = Pass {
        executable: &executable,
        state: &temporary.path().join("state"),
        destination: &azure,
        script: &script,
    };
    let second = pass.run().await?;

    script.check(&first.tables)?;
    if first.sorted_rows() != second.sorted_rows() {
        return Err("the rows that went through the Logs Ingestion API differ from the rows in data/tables".to_owned());
    }
    summary::print(&script, &first, &second);
    Ok(())
}
