//! The rooms and their one-way arrows, held against the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::files_below;

/// Everybody may use these; they use nobody but each other in this order.
const LEAVES: [&str; 3] = ["json", "time", "event"];

/// Which rooms a room may use, besides the leaves.
const ARROWS: [(&str, &[&str]); 20] = [
    (
        "app",
        &[
            "azure",
            "config",
            "delivery",
            "destination",
            "functions",
            "http",
            "jobs",
            "report",
            "sources",
            "state",
            "status",
            "tables",
            "vendors",
        ],
    ),
    ("azure", &["config"]),
    (
        "cli",
        &[
            "app",
            "config",
            "functions",
            "host",
            "jobs",
            "logging",
            "report",
            "sources",
            "state",
        ],
    ),
    ("config", &[]),
    ("delivery", &["destination", "sources", "state", "tables"]),
    ("destination", &["azure", "config", "http"]),
    ("event", &[]),
    ("functions", &["host", "jobs", "tables"]),
    ("host", &[]),
    ("http", &["config"]),
    (
        "jobs",
        &[
            "config",
            "delivery",
            "destination",
            "report",
            "sources",
            "state",
            "status",
            "tables",
        ],
    ),
    ("json", &[]),
    ("logging", &["config"]),
    ("report", &["delivery", "destination", "sources", "state"]),
    ("sources", &["config", "http"]),
    ("state", &["azure", "config", "http"]),
    (
        "status",
        &["config", "delivery", "destination", "jobs", "report", "state", "tables"],
    ),
    ("tables", &[]),
    ("time", &[]),
    ("vendors", &["config", "http", "sources"]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rooms() -> BTreeSet<String> {
    let entries = fs::read_dir(source()).unwrap().map(|entry| entry.unwrap());
    entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

/// The rooms that the code below a folder names with `crate::`, tests aside.
fn used_by(room: &str) -> BTreeSet<(String, PathBuf)> {
    let mut used = BTreeSet::new();
    for file in files_below(&source().join(room)) {
        if file
            .components()
            .any(|part| part.as_os_str().to_string_lossy().starts_with("tests"))
        {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for part in code.split("crate::").skip(1) {
            let name: String = part
                .chars()
                .take_while(|character| character.is_ascii_lowercase())
                .collect();
            used.insert((name, file.clone()));
        }
    }
    used
}

#[test]
fn arrows_between_rooms_point_one_way() {
    for room in rooms() {
        let allowed = ARROWS
            .iter()
            .find(|(name, _)| *name == room)
            .map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("{room} is a new room: say in ARROWS what it may use"));
        for (used, file) in used_by(&room) {
            let is_fine = used == room || LEAVES.contains(&used.as_str()) || allowed.contains(&used.as_str());
            assert!(is_fine, "{} uses {used}, which {room} may not", file.display());
        }
    }
}

#[test]
fn the_architecture_page_names_every_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let mut folders: BTreeSet<PathBuf> = BTreeSet::new();
    for file in files_below(&source()) {
        folders.extend(
            file.ancestors()
                .skip(1)
                .take_while(|folder| *folder != source())
                .map(Path::to_owned),
        );
    }
    for folder in folders {
        let path = folder.strip_prefix(source()).unwrap().display().to_string();
        assert!(
            page.contains(&format!("handler/src/{path}/")),
            "ARCHITECTURE.md does not name handler/src/{path}/"
        );
    }
}

#[test]
fn no_file_is_over_800_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in ["handler", "simulator", "xtask"] {
        for file in files_below(&root.join(folder))
            .into_iter()
            .filter(|file| file.extension().is_some_and(|name| name == "rs"))
        {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 800, "{} has {lines} lines", file.display());
        }
    }
}
