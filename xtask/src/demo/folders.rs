//! The folders that the demo may empty: only those it made itself.

use std::fs;
use std::io;
use std::path::Path;

/// Lies in every folder that the demo made.
const MARKER: &str = ".made-by-cargo-demo";

/// An empty folder with the marker in it.
pub fn prepare(folder: &Path) -> Result<(), String> {
    let is_ours = folder.join(MARKER).exists();
    let in_use = folder.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if in_use && !is_ours {
        return Err(format!(
            "{} holds files that the demo did not make; move them away, or set DESTINATION_DIR and STATE_URL for your own runs",
            folder.display()
        ));
    }
    let prepared = empty(folder).and_then(|()| fs::write(folder.join(MARKER), "`cargo demo` empties this folder.\n"));
    prepared.map_err(|error| format!("{} cannot be prepared: {error}", folder.display()))
}

fn empty(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_with_the_marker_is_emptied() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("data/tables");
        prepare(&folder).unwrap();
        fs::write(folder.join("T_CL.ndjson"), "{}\n").unwrap();
        prepare(&folder).unwrap();
        assert!(!folder.join("T_CL.ndjson").exists());

        fs::write(folder.join("mine.ndjson"), "{}\n").unwrap();
        fs::remove_file(folder.join(MARKER)).unwrap();
        assert!(prepare(&folder).unwrap_err().contains("did not make"));
        assert!(folder.join("mine.ndjson").exists());
    }
}
