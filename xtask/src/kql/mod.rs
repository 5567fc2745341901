//! Checks of a workspace's KQL: every text bound by Microsoft's language service, the shape of what carries the texts,
//! golden rows of ingestion transformations.
//!
//! The language service is an npm package; `xtask/kql/` drives it and has tests of its own. Nothing here knows where a
//! text comes from: `infra` takes them from the deployment template.

mod alerts;
mod binder;
mod connectors;
mod content;
mod functions;
pub mod guide;
mod health;
mod log_alerts;
mod node;
mod schemas;
mod shape;
mod workbook;
mod workspace;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use binder::{Function, Query, Report, Request, check_queries};
pub use content::Content;
pub use schemas::{Columns, Schemas};
pub use workspace::{TableColumns, TableVariant, Transform, Workspace};

use crate::files::{json, with_ending};
use node::Node;

/// Runs the checker's own tests, the golden rows, and the checks of a workspace. Gives a line on what held.
pub fn check(workspace: &Workspace, golden: &Path) -> Result<String, String> {
    let node = Node::ready()?;
    node.run_tests()?;
    let mut problems = workspace.shape();
    let seeds = seeds();
    let questions = workspace.questions();
    let requests: Vec<&Request> = [&seeds].into_iter().chain(questions.requests()).collect();
    let golden = cases(golden)?;
    problems.extend(golden_problems(workspace, &golden)?);
    let reports = check_queries(&node, &requests, &golden)?;
    if let Some((of_seeds, others)) = reports.split_first() {
        see_bad_queries_refused(of_seeds)?;
        problems.extend(questions.problems(others));
    }
    if problems.is_empty() {
        return Ok(format!(
            "{} KQL texts bind, {} golden cases hold",
            questions.count(),
            golden.len()
        ));
    }
    Err(format!("the KQL does not hold:\n  {}", problems.join("\n  ")))
}

/// Four texts, two of them bad: without these, an empty report would pass for a clean one.
fn seeds() -> Request {
    let stream = Columns::from([("TimeGenerated".to_owned(), "datetime".to_owned())]);
    let mut schemas = Schemas::default();
    schemas.tables.insert("Seed_CL".to_owned(), stream.clone());
    Request {
        schemas,
        functions: vec![Function::new("Known", "Seed_CL | extend Id = 1")],
        queries: vec![
            Query::new("good", "Known | where Id == 1"),
            Query::new("bad", "Known | where Nothing == 1"),
            Query::transform("good transform", "source", stream.clone(), "Seed_CL"),
            Query::transform("bad transform", "source | take 1", stream, "Seed_CL"),
        ],
    }
}

fn see_bad_queries_refused(report: &Report) -> Result<(), String> {
    let found: Vec<_> = report.findings.iter().map(|finding| finding.query.as_str()).collect();
    if found == ["bad", "bad transform"] && report.columns("good").is_some() {
        return Ok(());
    }
    Err(format!(
        "the checker of xtask/kql should refuse two of four seeded texts; it refused {found:?}"
    ))
}

fn cases(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let cases = with_ending(folder, "json")?;
    if cases.is_empty() {
        return Err(format!("{} has no golden cases", folder.display()));
    }
    Ok(cases)
}

/// Transformations of the workspace that no golden case executes, and cases over columns that no stream declares.
fn golden_problems(workspace: &Workspace, golden: &[PathBuf]) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    let mut executed = BTreeSet::new();
    for file in golden {
        let case: GoldenCase = json(file)?;
        let is_part_of = |stream: &Columns| case.source.iter().all(|(name, kind)| stream.get(name) == Some(kind));
        let mut streams = workspace.transforms.iter().map(|transform| &transform.source);
        if !streams.any(is_part_of) {
            problems.push(format!("{}: no stream declares its columns", file.display()));
        }
        executed.insert(case.transform);
    }
    let texts: BTreeSet<&String> = workspace.transforms.iter().map(|transform| &transform.text).collect();
    let missing = texts.into_iter().filter(|text| !executed.contains(*text));
    problems.extend(missing.map(|text| format!("no golden case executes the transformation: {text}")));
    Ok(problems)
}

/// What is read here of a golden case.
#[derive(Deserialize)]
struct GoldenCase {
    transform: String,
    source: Columns,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_checker_that_refuses_nothing_is_refused() {
        let silent = serde_json::from_str(r#"{"findings": [], "results": []}"#).unwrap();
        assert!(see_bad_queries_refused(&silent).is_err());
    }

    #[test]
    fn a_transformation_without_a_golden_case_and_a_case_without_a_stream_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("case.json");
        fs::write(&file, r#"{"transform": "source", "source": {"x": "string"}}"#).unwrap();
        let told = |text: &str, column_type: &str| {
            let transform = Transform {
                text: text.to_owned(),
                source: Columns::from([("x".to_owned(), column_type.to_owned())]),
                target: "A_CL".to_owned(),
                into: TableVariant::default(),
            };
            let workspace = Workspace {
                schemas: Schemas::default(),
                content: Content::default(),
                transforms: vec![transform],
                guide: Vec::new(),
                log_alerts: Vec::new(),
            };
            golden_problems(&workspace, &cases(folder.path()).unwrap()).unwrap()
        };
        assert_eq!(told("source", "string"), Vec::<String>::new());
        assert_eq!(
            told("source | take 1", "string"),
            ["no golden case executes the transformation: source | take 1"]
        );
        let without_stream = told("source", "int");
        assert_eq!(without_stream.len(), 1);
        assert!(without_stream[0].ends_with("case.json: no stream declares its columns"));
    }
}
