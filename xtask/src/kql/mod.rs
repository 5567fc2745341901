//! `cargo xtask kql`: every KQL text of `infra/content`, bound by Microsoft's language service; the shape of what carries
//! the texts; and golden rows of ingestion transformations.
//!
//! The language service is an npm package; `xtask/kql/` drives it and has tests of its own. Here its answers meet the
//! files. `check_queries` serves other callers too: it does not know where a text comes from.

mod alerts;
mod binder;
mod connectors;
mod content;
mod functions;
mod node;
mod schemas;
mod shape;
mod workbook;

use std::fs;
use std::path::{Path, PathBuf};

use crate::cargo::root;
use binder::{Function, Query, check_queries};
use content::Content;
use node::Node;
use schemas::{Columns, Schemas};

/// Runs the checker's own tests, the golden rows, and the checks of everything under `infra/content`.
pub fn run() -> Result<(), String> {
    let node = Node::ready()?;
    node.run_tests()?;
    see_bad_queries_refused()?;
    let cases = golden(&node, &root().join("infra/golden"))?;
    println!("{cases} golden cases hold");

    let schemas = Schemas::read(&root().join("infra/tables"))?;
    let content = Content::read(&root().join("infra/content"))?;
    let mut problems = content.shape(&schemas);
    problems.extend(content.bind(&schemas)?);
    if problems.is_empty() {
        println!("{} KQL texts of infra/content hold", content.texts().len());
        return Ok(());
    }
    Err(format!("infra/content:\n  {}", problems.join("\n  ")))
}

/// The seam between here and Node, seen to fail: without this, an empty report would pass for a clean one.
fn see_bad_queries_refused() -> Result<(), String> {
    let stream = Columns::from([("TimeGenerated".to_owned(), "datetime".to_owned())]);
    let mut schemas = Schemas::default();
    schemas.tables.insert("Seed_CL".to_owned(), stream.clone());
    let functions = [Function::new("Known", "Seed_CL | extend Id = 1")];
    let queries = [
        Query::new("good", "Known | where Id == 1"),
        Query::new("bad", "Known | where Nothing == 1"),
        Query::transform("good transform", "source", stream.clone(), "Seed_CL"),
        Query::transform("bad transform", "source | take 1", stream, "Seed_CL"),
    ];
    let report = check_queries(&schemas, &functions, &queries)?;
    let found: Vec<_> = report.findings.iter().map(|finding| finding.query.as_str()).collect();
    if found == ["bad", "bad transform"] && report.columns("good").is_some() {
        return Ok(());
    }
    Err(format!(
        "the checker of xtask/kql should refuse two of four seeded texts; it refused {found:?}"
    ))
}

fn golden(node: &Node, folder: &Path) -> Result<usize, String> {
    let files = files(folder, "json")?;
    if files.is_empty() {
        return Err(format!("{} has no golden cases", folder.display()));
    }
    node.golden(&files)?;
    Ok(files.len())
}

/// The files with this ending in a folder, by name.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == ending) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The text of a file.
fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The name of a file without its ending.
fn stem(path: &Path) -> String {
    path.file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}
