//! The structure that every crate of this workspace keeps.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use architecture::{Crate, Edge, ambiguous_types, circles, edges, functions, spread_types};

const CRATES: [&str; 4] = ["architecture", "handler", "simulator", "xtask"];

/// Which folders of the handler a folder may use, from the top down: every folder uses only folders below itself. What a
/// folder re-exports counts as use of the folder that defines it.
const ARROWS: [(&str, &[&str]); 22] = [
    ("main.rs", &["cli"]),
    (
        "cli",
        &[
            "functions",
            "app",
            "status",
            "jobs",
            "report",
            "sources",
            "state",
            "host",
            "logging",
            "config",
            "event",
            "time",
        ],
    ),
    (
        "functions",
        &["app", "status", "jobs", "report", "tables", "state", "host", "time"],
    ),
    (
        "app",
        &[
            "status",
            "jobs",
            "report",
            "delivery",
            "vendors",
            "sources",
            "destination",
            "tables",
            "state",
            "azure",
            "http",
            "logging",
            "config",
            "event",
            "time",
        ],
    ),
    (
        "status",
        &[
            "jobs",
            "report",
            "delivery",
            "destination",
            "tables",
            "state",
            "config",
            "event",
            "time",
        ],
    ),
    (
        "jobs",
        &[
            "report",
            "delivery",
            "sources",
            "destination",
            "tables",
            "state",
            "logging",
            "config",
            "event",
            "json",
            "time",
        ],
    ),
    (
        "report",
        &["delivery", "sources", "destination", "state", "event", "time"],
    ),
    (
        "delivery",
        &["sources", "destination", "tables", "state", "event", "json", "time"],
    ),
    ("vendors", &["sources", "http", "config", "event", "json", "time"]),
    ("sources", &["http", "config", "event", "json", "time"]),
    ("destination", &["azure", "http", "config", "time"]),
    ("tables", &["event", "json", "time"]),
    ("state", &["azure", "http", "config", "event", "json", "time"]),
    ("host", &["logging", "json", "time"]),
    ("logging", &["config", "time"]),
    ("azure", &["http", "config", "time"]),
    ("http", &["config", "time"]),
    ("config", &["event", "time"]),
    ("event", &["json"]),
    ("json", &[]),
    ("time", &[]),
    ("lib.rs", &[]),
];

/// Files outside of the vendors' own folders that list the vendors.
const VENDOR_LISTS: [&str; 3] = [
    "handler/src/tables/catalog.rs",
    "simulator/src/generate/mod.rs",
    "simulator/src/lib.rs",
];

const VENDORS: [&str; 3] = ["pingone", "sentinelone", "onelogin"];

#[test]
fn files_do_not_import_each_other_in_a_circle() {
    let found = all_crates().into_iter().flat_map(|read| {
        let circles = circles(&edges(&read)).into_iter();
        circles
            .map(move |circle| format!("circle in {}: {}", read.name, files_of(&circle)))
            .collect::<Vec<_>>()
    });
    assert_none(found);
}

#[test]
fn folders_of_the_handler_use_only_what_they_may() {
    for (index, (folder, allowed)) in ARROWS.iter().enumerate() {
        for used in *allowed {
            let is_below = ARROWS[index..].iter().skip(1).any(|(name, _)| name == used);
            assert!(is_below, "{used} does not stand below {folder} in ARROWS");
        }
    }
    let handler = read("handler");
    for file in &handler.files {
        let folder = top_folder(&file.path);
        assert!(
            ARROWS.iter().any(|(name, _)| *name == folder),
            "{folder} is new: say in ARROWS what it may use"
        );
    }
    let found = edges(&handler).into_iter().filter(|edge| {
        let (from, to) = (top_folder(&edge.from), top_folder(&edge.to));
        from != to
            && !ARROWS
                .iter()
                .any(|(name, allowed)| *name == from && allowed.contains(&to))
    });
    assert_none(found.map(|edge| format!("arrow in handler: {} -> {}", edge.from, edge.to)));
}

#[test]
fn a_type_name_has_one_meaning_within_a_crate() {
    let found = all_crates().into_iter().flat_map(|read| {
        let names = ambiguous_types(&read).into_keys();
        names
            .map(move |name| format!("type in {}: {name}", read.name))
            .collect::<Vec<_>>()
    });
    assert_none(found);
}

#[test]
fn the_methods_of_a_type_stand_in_one_file() {
    let found = all_crates().into_iter().flat_map(|read| {
        let names = spread_types(&read).into_keys();
        names
            .map(move |name| format!("impl in {}: {name}", read.name))
            .collect::<Vec<_>>()
    });
    assert_none(found);
}

#[test]
fn no_parameter_is_a_tuple() {
    let found = all_crates().into_iter().flat_map(|read| {
        let functions = functions(&read)
            .into_iter()
            .filter(|function| function.has_tuple_parameter);
        functions
            .map(move |function| format!("tuple in {}: {} {}", read.name, function.file, function.name))
            .collect::<Vec<_>>()
    });
    assert_none(found);
}

#[test]
fn a_vendor_is_named_in_its_own_folders_only() {
    let found = all_crates().into_iter().flat_map(|read| {
        let files = read.files.into_iter().filter(|file| {
            let mut lines = file.production_lines();
            lines.any(|(_, line)| names_a_vendor(line))
        });
        let paths = files.map(|file| format!("{}/src/{}", read.name, file.path));
        paths
            .filter(|path| !may_name_a_vendor(path))
            .map(|path| format!("vendor in {path}"))
            .collect::<Vec<_>>()
    });
    assert_none(found);
}

#[test]
fn the_architecture_page_names_every_folder_of_the_handler() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let sources = root().join("handler/src");
    let files = rust_files_below(&sources);
    let folders = files
        .iter()
        .flat_map(|file| file.ancestors().skip(1).take_while(|folder| *folder != sources));
    let folders: BTreeSet<&Path> = folders.collect();
    for folder in folders {
        let folder = format!("handler/src/{}/", folder.strip_prefix(&sources).unwrap().display());
        assert!(page.contains(&folder), "ARCHITECTURE.md does not name {folder}");
    }
}

#[test]
fn no_file_is_over_800_lines() {
    for name in CRATES {
        for file in rust_files_below(&root().join(name)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 800, "{} has {lines} lines", file.display());
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(name: &str) -> Crate {
    Crate::read(&root().join(name)).unwrap()
}

fn all_crates() -> Vec<Crate> {
    CRATES.map(read).into()
}

fn top_folder(file: &str) -> &str {
    file.split('/').next().unwrap()
}

/// From the first name in the alphabet on, so that a circle is written in one way.
fn files_of(circle: &[Edge]) -> String {
    let mut files: Vec<&str> = circle.iter().map(|edge| edge.from.as_str()).collect();
    let first = (0..files.len()).min_by_key(|index| files[*index]).unwrap();
    files.rotate_left(first);
    files.join(" -> ")
}

fn names_a_vendor(text: &str) -> bool {
    let text = text.to_ascii_lowercase().replace(['_', '-', ' '], "");
    VENDORS.iter().any(|vendor| text.contains(vendor))
}

/// In the handler a vendor has one folder. Elsewhere a file that is a vendor's says so in its path.
fn may_name_a_vendor(path: &str) -> bool {
    let is_own = path.contains("/vendors/")
        || path.ends_with("/vendors.rs")
        || (!path.starts_with("handler/") && names_a_vendor(path));
    is_own || VENDOR_LISTS.contains(&path)
}

fn rust_files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| {
        if path.is_dir() {
            rust_files_below(&path)
        } else {
            vec![path]
        }
    });
    files
        .filter(|file| file.extension().is_some_and(|name| name == "rs"))
        .collect()
}

fn assert_none(found: impl IntoIterator<Item = String>) {
    let found: BTreeSet<String> = found.into_iter().collect();
    assert!(found.is_empty(), "violations:\n{}", Vec::from_iter(found).join("\n"));
}
