//! The files of `infra/content`, and what all checks together say about them.

use std::path::Path;

use serde_json::Value;

use super::binder::{Function, Query, Report, check_queries};
use super::schemas::Schemas;
use super::{alerts, connectors, files, functions, read, stem, workbook};

/// Tables that are made on request only: whatever else asks for them must do it in a fuzzy union.
const ON_REQUEST: [&str; 4] = [
    "PingOne_AuditActivities_CL",
    "SentinelOneAlertsV2_CL",
    "OneLoginEventsV2_CL",
    "OneLoginUsersV2_CL",
];

/// A text with what its reader expects of it.
pub struct Text {
    /// The query.
    pub query: Query,
    /// The columns that its reader asks for, with their types where they matter.
    pub gives: Vec<(String, Option<&'static str>)>,
}

/// Everything under `infra/content`.
pub struct Content {
    functions: Vec<Function>,
    connectors: Vec<(String, Value)>,
    workbook: Value,
    alerts: Vec<(String, Value, String)>,
}

impl Content {
    /// Reads the folder.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let mut content = Self {
            functions: Vec::new(),
            connectors: Vec::new(),
            workbook: json(&folder.join("workbook.json"))?,
            alerts: Vec::new(),
        };
        for path in files(&folder.join("functions"), "kql")? {
            content.functions.push(Function::new(&stem(&path), &read(&path)?));
        }
        for path in files(&folder.join("connectors"), "json")? {
            content.connectors.push((stem(&path), json(&path)?));
        }
        for path in files(&folder.join("alerts"), "json")? {
            let query = read(&path.with_extension("kql"))?;
            content.alerts.push((stem(&path), json(&path)?, query));
        }
        Ok(content)
    }

    /// What is wrong with the files before any query is bound.
    pub fn shape(&self, schemas: &Schemas) -> Vec<String> {
        let mut problems = functions::problems(&self.functions, schemas);
        problems.extend(connectors::problems(&self.connectors, schemas));
        problems.extend(workbook::problems(&self.workbook));
        for (name, properties, query) in &self.alerts {
            problems.extend(alerts::problems(name, properties, query));
        }
        problems
    }

    /// Every query.
    pub fn texts(&self) -> Vec<Text> {
        let mut texts = connectors::texts(&self.connectors);
        texts.extend(workbook::texts(&self.workbook));
        texts.extend(
            self.alerts
                .iter()
                .map(|(name, properties, query)| alerts::query(name, properties, query)),
        );
        texts
    }

    /// Binds every text: with all tables, and without those on request. The functions must also bind where none of their
    /// tables is there, where their tables have none of the columns, and over the `OneLogin_CL` of the retired function app.
    pub fn bind(&self, schemas: &Schemas) -> Result<Vec<String>, String> {
        let texts = self.texts();
        let queries: Vec<Query> = texts.iter().map(|text| text.query.clone()).collect();
        let report = check_queries(schemas, &self.functions, &queries)?;
        let mut problems = report.lines();
        problems.extend(texts.iter().flat_map(|text| missing(text, &report)));

        let report = check_queries(&schemas.without(&ON_REQUEST), &self.functions, &queries)?;
        problems.extend(note(&report, "without the tables on request"));
        let tables = self.tables_of_functions(schemas);
        let report = check_queries(&schemas.without(&tables), &self.functions, &[])?;
        problems.extend(note(&report, "without the tables that functions read"));
        // After a fuzzy union over a missing table the language service accepts any column; Azure does not.
        let report = check_queries(&schemas.bare(&tables), &self.functions, &[])?;
        problems.extend(note(&report, "over tables without columns"));
        let report = check_queries(&schemas.with_old_onelogin(), &self.functions, &[])?;
        problems.extend(note(&report, "over the older OneLogin_CL"));
        Ok(problems)
    }

    fn tables_of_functions<'a>(&self, schemas: &'a Schemas) -> Vec<&'a str> {
        let tables = schemas.tables.keys().map(String::as_str);
        let named = |table: &&str| self.functions.iter().any(|function| function.body.contains(*table));
        tables.filter(named).collect()
    }
}

fn json(path: &Path) -> Result<Value, String> {
    serde_json::from_str(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

fn note(report: &Report, where_: &str) -> Vec<String> {
    report
        .lines()
        .into_iter()
        .map(|line| format!("{line} ({where_})"))
        .collect()
}

/// The columns that a text should give and does not.
fn missing(text: &Text, report: &Report) -> Vec<String> {
    let name = &text.query.name;
    let columns = report.columns(name).unwrap_or_default();
    let mut problems = Vec::new();
    for (wanted, wanted_type) in &text.gives {
        match columns.iter().find(|(column, _)| column == wanted) {
            None => problems.push(format!("{name} gives no column {wanted}")),
            Some((_, given)) if wanted_type.is_some_and(|wanted| wanted != given) => {
                let wanted_type = wanted_type.unwrap_or_default();
                problems.push(format!("{name} gives {wanted} as {given}, not {wanted_type}"));
            }
            Some(_) => {}
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cargo::root;

    #[test]
    fn the_files_have_their_shape() {
        let schemas = Schemas::read(&root().join("infra/tables")).unwrap();
        let content = Content::read(&root().join("infra/content")).unwrap();
        assert_eq!(content.shape(&schemas), Vec::<String>::new());
    }

    #[test]
    fn every_text_has_a_name_of_its_own() {
        let content = Content::read(&root().join("infra/content")).unwrap();
        let texts = content.texts();
        let names: BTreeSet<_> = texts.iter().map(|text| text.query.name.as_str()).collect();
        assert_eq!(names.len(), texts.len());
    }

    #[test]
    fn a_column_that_is_missing_or_of_another_type_is_told() {
        let report = r#"{"findings": [], "results": [{"query": "q", "columns": [["Time", "string"]]}]}"#;
        let report: Report = serde_json::from_str(report).unwrap();
        let told = |column: &str, column_type| {
            let gives = vec![(column.to_owned(), column_type)];
            missing(
                &Text {
                    query: Query::new("q", ""),
                    gives,
                },
                &report,
            )
        };
        assert_eq!(told("Time", None), Vec::<String>::new());
        assert_eq!(told("Time", Some("datetime")), ["q gives Time as string, not datetime"]);
        assert_eq!(told("Date", None), ["q gives no column Date"]);
    }
}
