//! What the command line and the functions may know of the vendors.

use super::settings::catalog;
use crate::vendors::VENDORS;

/// Whether a source takes pushes, under its name as the last part of the route.
pub fn takes_pushes(source: &str) -> bool {
    VENDORS
        .iter()
        .any(|vendor| vendor.takes_pushes && vendor.name == source)
}

/// What to set where nothing is.
pub fn nothing_configured() -> String {
    let ways: Vec<&str> = VENDORS.iter().map(|vendor| vendor.switched_on_by).collect();
    format!("nothing is configured: set {}", ways.join("; "))
}

/// What the program does, in one sentence.
pub fn about() -> String {
    let sources = catalog().into_iter().flat_map(|catalog| &catalog.sources);
    let titles: Vec<&str> = sources.map(|source| source.title).collect();
    let logs_of = match titles.split_last() {
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    };
    format!("Brings {logs_of} logs into Microsoft Sentinel tables")
}
