//! What the language service is asked, and what it answers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::node::Node;
use super::schemas::{Columns, Schemas};

/// A saved function without parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Function {
    /// The name it is called by.
    pub name: String,
    /// Its query.
    pub body: String,
}

impl Function {
    /// A function of this name.
    pub fn new(name: &str, body: &str) -> Self {
        Self {
            name: name.to_owned(),
            body: body.to_owned(),
        }
    }
}

/// A text that is to be bound.
#[derive(Debug, Clone, Serialize)]
pub struct Query {
    /// How findings name it.
    pub name: String,
    /// `query`, or `transform` for an ingestion transformation, which knows a part of KQL only.
    pub kind: &'static str,
    /// The KQL.
    pub text: String,
    /// Of a transformation: the columns of its stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Columns>,
    /// Of a transformation: the table that its output must fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// A query with what its reader expects of it.
pub struct ExpectedQuery {
    /// The query.
    pub query: Query,
    /// The columns that its reader asks for, with their types where they matter.
    pub gives: Vec<(String, Option<&'static str>)>,
}

impl Query {
    /// A query over the tables and functions of the workspace.
    pub fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: "query",
            text: text.to_owned(),
            source: None,
            target: None,
        }
    }

    /// An ingestion transformation from a stream with these columns into a table.
    pub fn transform(name: &str, text: &str, source: Columns, target: &str) -> Self {
        Self {
            kind: "transform",
            source: Some(source),
            target: Some(target.to_owned()),
            ..Self::new(name, text)
        }
    }
}

/// What the language service says about a request.
#[derive(Debug, Default, Deserialize)]
pub struct Report {
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
    results: Vec<QueryResult>,
}

/// One thing that is wrong.
#[derive(Debug, Deserialize)]
pub struct Finding {
    /// The name of the query; of a saved function, `function <name>`.
    pub query: String,
    code: String,
    line: usize,
    column: usize,
    near: String,
    message: String,
}

#[derive(Debug, Deserialize)]
struct QueryResult {
    query: String,
    columns: Option<Vec<(String, String)>>,
}

impl Report {
    /// Names and types of the columns that a query gives, or none where it gives no table.
    pub fn columns(&self, query: &str) -> Option<&[(String, String)]> {
        let result = self.results.iter().find(|result| result.query == query)?;
        result.columns.as_deref()
    }

    /// The findings, a line each.
    pub fn lines(&self) -> Vec<String> {
        self.findings.iter().map(Finding::line).collect()
    }
}

impl Finding {
    fn line(&self) -> String {
        let Self {
            query,
            code,
            line,
            column,
            near,
            message,
        } = self;
        let near = if near.is_empty() {
            String::new()
        } else {
            format!(" near \"{near}\"")
        };
        format!("{query}:{line}:{column}: {code}{near}: {message}")
    }
}

/// Texts, and the tables and functions that they are bound against.
#[derive(Debug, Clone)]
pub struct Request {
    /// The tables.
    pub schemas: Schemas,
    /// Saved functions, bound themselves too.
    pub functions: Vec<Function>,
    /// The texts.
    pub queries: Vec<Query>,
}

impl Request {
    /// As `check.mjs` takes it.
    fn written(&self) -> Value {
        json!({
            "tables": self.schemas.tables,
            "absent": self.schemas.absent,
            "functions": self.functions,
            "queries": self.queries,
        })
    }
}

/// Executes golden cases and binds requests; a report for each request. `Err` means that a case does not hold, or that
/// nothing could be checked.
pub fn check_queries(node: &Node, requests: &[&Request], golden: &[PathBuf]) -> Result<Vec<Report>, String> {
    let written = requests.iter().map(|request| request.written()).collect();
    let reports = node.check(&written, golden)?;
    let reports: Vec<Report> =
        serde_json::from_value(reports).map_err(|error| format!("the reports of xtask/kql cannot be read: {error}"))?;
    if reports.len() != requests.len() {
        return Err(format!(
            "xtask/kql gave {} reports on {} requests",
            reports.len(),
            requests.len()
        ));
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_where_what_and_why() {
        let report = r#"{"findings": [{"query": "q", "code": "KS142", "line": 2, "column": 9, "near": "Scor", "message": "unknown."}],
            "results": [{"query": "q", "columns": [["Id", "string"]]}, {"query": "none", "columns": null}]}"#;
        let report: Report = serde_json::from_str(report).unwrap();
        assert_eq!(report.lines(), ["q:2:9: KS142 near \"Scor\": unknown."]);
        assert_eq!(report.columns("q").unwrap(), [("Id".to_owned(), "string".to_owned())]);
        assert!(report.columns("none").is_none());
        assert!(report.columns("other").is_none());
    }
}
