//! What a person reads at the end.

use std::collections::BTreeSet;

use serde_json::Value;

use super::pass::Outcome;
use super::script::Script;

/// Prints the summary.
pub fn print(script: &Script, first: &Outcome, second: &Outcome) {
    let activity_types: BTreeSet<&str> = script
        .early
        .iter()
        .map(|activity| activity.action_type.as_str())
        .collect();
    let event_types: BTreeSet<u32> = script.pushed.iter().map(|event| event.event_type_id).collect();
    println!("\nWhat ran");
    println!("  the Functions host (simulated), which started the handler and called its timer and its webhook");
    println!(
        "  PingOne (simulated): {} activities of {} types, several to a millisecond, {} of them shown late",
        script.early.len() + script.late.len(),
        activity_types.len(),
        script.late.len()
    );
    println!(
        "  OneLogin (simulated): {} events of {} types in {} posts, one of them sent twice",
        script.pushed.len(),
        event_types.len(),
        first.posts
    );
    println!("\nWhat the handler said at each tick of its timer");
    for line in first.polls.iter().flatten() {
        println!("  {line}");
    }
    println!("  (seen before: read again in the overlap of two windows, and dropped)");
    println!("\nRows in data/tables");
    for (table, rows) in &first.tables {
        println!("  {table:<30} {} rows", rows.len());
        if let Some(row) = rows.last() {
            println!("    for example {}", shortened(row));
        }
    }
    println!("\nThe same events through the Logs Ingestion API (simulated), with a managed identity");
    println!("  {} calls, the same rows", second.calls);
    println!(
        "\nThe handler was ready after {} ms; its peak memory was {} KiB",
        first.ready_after.as_millis(),
        first.peak_memory_kib
    );
    println!("Every event arrived once. Look: data/tables (the rows), data/state (the checkpoint and its identities)");
}

fn shortened(row: &Value) -> String {
    let text = row.to_string();
    if text.chars().count() <= 400 {
        text
    } else {
        text.chars().take(400).chain("...".chars()).collect()
    }
}
