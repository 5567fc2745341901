//! What a person reads at the end.

use serde_json::Value;

use super::pass::Outcome;
use super::vendors::Scenario;

/// In the order of the ticks.
const TICKS: [&str; 3] = ["first", "second", "third"];

/// Prints the summary.
pub fn print(scenario: &Scenario, first: &Outcome, second: &Outcome) {
    println!("\nWhat ran");
    println!("  the Functions host (simulated), which started the handler, called its timer and let pushes through");
    for line in scenario.summary(first.posts) {
        println!("  {line}");
    }
    println!("\nWhat the handler said at each tick of its timer");
    for (name, lines) in TICKS.iter().zip(&first.polls) {
        println!("  {name} tick");
        for line in lines {
            println!("    {line}");
        }
    }
    println!("  (seen before: read again in the overlap of two windows, or pushed and polled, and dropped)");
    println!("\nRows in data/tables");
    for (table, rows) in &first.tables {
        println!("  {table:<34} {} rows", rows.len());
        if let Some(row) = rows.last() {
            println!("    for example {}", shortened(row));
        }
    }
    println!("\nThe same events through the Logs Ingestion API (simulated), with a managed identity");
    let (calls, rules) = second.calls;
    println!("  {calls} calls to {rules} data collection rules, one for each vendor: the same rows");
    println!(
        "\nThe handler was ready after {} ms; its peak memory was {} KiB",
        first.ready_after.as_millis(),
        first.peak_memory_kib
    );
    println!("Every event arrived once. Look: data/tables (the rows), data/state (the checkpoints and identities)");
}

fn shortened(row: &Value) -> String {
    let text = row.to_string();
    if text.chars().count() <= 400 {
        text
    } else {
        text.chars().take(400).chain("...".chars()).collect()
    }
}
