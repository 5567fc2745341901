//! Folders that `cargo demo` made and will empty again.

use std::path::Path;

use super::settings::Settings;
use crate::destination::DestinationChoice;
use crate::state::StateLocation;

/// Lies in every folder that the demo made (`xtask/src/demo/folders.rs`).
const MARKER: &str = ".made-by-cargo-demo";

/// What to say if rows or state of one's own are kept in such a folder.
pub fn demo_folder_warning(settings: &Settings) -> Option<String> {
    let is_local = settings
        .destinations()
        .any(|choice| *choice == DestinationChoice::Directory);
    let tables = Some(settings.destination_dir.as_path()).filter(|_| is_local);
    let state = match &settings.state {
        StateLocation::Directory(folder) => Some(folder.as_path()),
        StateLocation::Blob(_) => None,
    };
    let folders = [tables, state].into_iter().flatten();
    let made_by_demo = folders.filter(|folder| folder.join(MARKER).exists());
    let made_by_demo: Vec<String> = made_by_demo
        .map(Path::display)
        .map(|folder| folder.to_string())
        .collect();
    let are = match made_by_demo.len() {
        0 => return None,
        1 => "is",
        _ => "are",
    };
    Some(format!(
        "{} {are} emptied by the next cargo demo ({MARKER} lies there): set DESTINATION_DIR and STATE_URL for your own rows",
        made_by_demo.join(" and ")
    ))
}
