//! A workspace as a deployment makes it, and everything that is bound against it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::binder::{ExpectedQuery, Query, Report, Request};
use super::content::Content;
use super::schemas::{Columns, Schemas};
use super::{health, log_alerts};
use crate::vendors::TABLES_ON_REQUEST;

/// Which columns a table has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TableColumns {
    /// Those of its definition.
    #[default]
    All,
    /// Those that it has whoever made it.
    Original,
}

/// Which table of its name a workspace has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableVariant {
    /// Its columns.
    pub columns: TableColumns,
    /// Whether it is the one that the retired function app made, whose ids are of type guid.
    pub has_guids: bool,
}

/// An ingestion transformation of a data flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transform {
    /// Its KQL.
    pub text: String,
    /// The columns of its stream.
    pub source: Columns,
    /// The table that it fills.
    pub target: String,
    /// The table that it is for.
    pub into: TableVariant,
}

/// Tables, what reads them, and what fills them.
#[derive(Debug)]
pub struct Workspace {
    /// The tables.
    pub schemas: Schemas,
    /// What reads them.
    pub content: Content,
    /// What fills them.
    pub transforms: Vec<Transform>,
    /// The queries that the documentation shows.
    pub guide: Vec<Query>,
    /// Properties of the log alerts over Application Insights.
    pub log_alerts: Vec<Value>,
}

/// A request, with what makes it differ from the workspace as it is.
struct Asked {
    request: Request,
    circumstances: &'static str,
}

/// Everything that a workspace asks of the language service.
pub struct Questions {
    asked: Vec<Asked>,
    texts: Vec<ExpectedQuery>,
}

impl Workspace {
    /// What is wrong before any query is bound.
    pub fn shape(&self) -> Vec<String> {
        let mut problems = self.content.shape(&self.schemas.with_platform_tables());
        let texts = self.content.texts();
        let queries = texts.iter().map(|text| &text.query).chain(&self.guide);
        problems.extend(queries.flat_map(health::problems));
        problems.extend(self.log_alerts.iter().flat_map(log_alerts::problems));
        problems
    }

    /// Binds every text, those of the documentation too: with all tables, without those on request, and where the tables lack the columns that were added.
    /// The functions must also bind where none of their tables is there, where their tables have none of the columns, and
    /// over the table of the retired function app; alert rules where none of their tables is there, or has its columns.
    pub fn questions(&self) -> Questions {
        let texts = self.content.texts();
        let queries = texts.iter().map(|text| &text.query).chain(&self.guide);
        let queries: Vec<Query> = queries.cloned().collect();
        let mut asked = vec![
            self.asked(
                "",
                self.schemas.clone(),
                self.with_transforms(&queries, TableColumns::All),
            ),
            self.asked(
                "without the tables on request",
                self.schemas.without(&TABLES_ON_REQUEST),
                queries.clone(),
            ),
        ];
        asked.extend(self.asked_of_functions_alone());
        asked.extend(self.asked_of_alert_rules_alone());
        asked.extend(self.asked_of_the_retired_table());
        asked.extend(self.asked_of_log_alerts());
        asked.push(self.asked(
            "over tables without the added columns",
            self.schemas.original(),
            self.with_transforms(&queries, TableColumns::Original),
        ));
        Questions { asked, texts }
    }

    fn asked_of_functions_alone(&self) -> [Asked; 2] {
        let tables: Vec<&str> = self.content.tables_of_functions(&self.schemas).into_iter().collect();
        let without = "without the tables that functions read";
        [
            self.asked(without, self.schemas.without(&tables), Vec::new()),
            // After a fuzzy union over a missing table the language service accepts any column; Azure does not.
            self.asked("over tables without columns", self.schemas.bare(&tables), Vec::new()),
        ]
    }

    fn asked_of_alert_rules_alone(&self) -> [Asked; 2] {
        let schemas = self.schemas.with_platform_tables();
        let tables: Vec<&str> = self.content.tables_of_alerts(&schemas).into_iter().collect();
        let without = "without the tables that alert rules read";
        let bare = "over tables of alert rules without columns";
        [
            self.asked(without, schemas.without(&tables), self.content.alert_queries()),
            self.asked(bare, schemas.bare(&tables), self.content.alert_queries()),
        ]
    }

    fn asked_of_log_alerts(&self) -> Option<Asked> {
        (!self.log_alerts.is_empty()).then(|| Asked {
            request: Request {
                schemas: log_alerts::schemas(),
                functions: Vec::new(),
                queries: self.log_alerts.iter().flat_map(log_alerts::queries).collect(),
            },
            circumstances: "over Application Insights",
        })
    }

    fn asked_of_the_retired_table(&self) -> [Asked; 2] {
        let transforms = |columns| {
            self.transforms(TableVariant {
                columns,
                has_guids: true,
            })
        };
        [
            self.asked(
                "over the retired function app's table",
                self.schemas.with_retired_table(),
                transforms(TableColumns::Original),
            ),
            self.asked(
                "into the retired function app's table, with guids",
                self.schemas.with_guids(),
                transforms(TableColumns::All),
            ),
        ]
    }

    fn asked(&self, circumstances: &'static str, schemas: Schemas, queries: Vec<Query>) -> Asked {
        let request = Request {
            schemas: schemas.with_platform_tables(),
            functions: self.content.functions.clone(),
            queries,
        };
        Asked { request, circumstances }
    }

    fn with_transforms(&self, queries: &[Query], columns: TableColumns) -> Vec<Query> {
        let transforms = self.transforms(TableVariant {
            columns,
            has_guids: false,
        });
        queries.iter().cloned().chain(transforms).collect()
    }

    fn transforms(&self, into: TableVariant) -> Vec<Query> {
        let wanted = self.transforms.iter().filter(|transform| transform.into == into);
        let query = |transform: &Transform| {
            let name = format!("transformation of {}", transform.target);
            Query::transform(&name, &transform.text, transform.source.clone(), &transform.target)
        };
        wanted.map(query).collect()
    }
}

impl Questions {
    /// The requests.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.asked.iter().map(|asked| &asked.request)
    }

    /// How many different texts are asked about, functions included.
    pub fn count(&self) -> usize {
        let mut texts = BTreeSet::new();
        for request in self.requests() {
            texts.extend(
                request
                    .functions
                    .iter()
                    .map(|function| (&function.name, &function.body)),
            );
            texts.extend(request.queries.iter().map(|query| (&query.name, &query.text)));
        }
        texts.len()
    }

    /// What is wrong, going by the reports on the requests, in their order.
    pub fn problems(&self, reports: &[Report]) -> Vec<String> {
        let mut problems = Vec::new();
        let mut told = BTreeSet::new();
        for (asked, report) in self.asked.iter().zip(reports) {
            // What is wrong anyway is told once, without circumstances.
            for line in report.lines() {
                if told.insert(line.clone()) {
                    problems.push(match asked.circumstances {
                        "" => line,
                        circumstances => format!("{line} ({circumstances})"),
                    });
                }
            }
        }
        if let Some(report) = reports.first() {
            problems.extend(self.texts.iter().flat_map(|text| missing(text, report)));
        }
        problems
    }
}

/// The columns that a text should give and does not.
fn missing(text: &ExpectedQuery, report: &Report) -> Vec<String> {
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
    use super::*;

    fn report(columns: &str) -> Report {
        let report = format!(r#"{{"findings": [], "results": [{{"query": "q", "columns": [{columns}]}}]}}"#);
        serde_json::from_str(&report).unwrap()
    }

    #[test]
    fn a_column_that_is_missing_or_of_another_type_is_told() {
        let told = |column: &str, column_type| {
            let text = ExpectedQuery {
                query: Query::new("q", ""),
                gives: vec![(column.to_owned(), column_type)],
            };
            missing(&text, &report(r#"["Time", "string"]"#))
        };
        assert_eq!(told("Time", None), Vec::<String>::new());
        assert_eq!(told("Time", Some("datetime")), ["q gives Time as string, not datetime"]);
        assert_eq!(told("Date", None), ["q gives no column Date"]);
    }

    #[test]
    fn what_is_wrong_under_all_circumstances_is_told_once() {
        let finding = |near: &str| {
            let found =
                format!(r#"{{"query": "q", "code": "C", "line": 1, "column": 1, "near": "{near}", "message": "m"}}"#);
            serde_json::from_str(&format!(r#"{{"findings": [{found}], "results": []}}"#)).unwrap()
        };
        let workspace = Workspace {
            schemas: Schemas::default(),
            content: Content::default(),
            transforms: Vec::new(),
            guide: Vec::new(),
            log_alerts: Vec::new(),
        };
        let told = workspace
            .questions()
            .problems(&[finding("a"), finding("a"), finding("b")]);
        let circumstances = "(without the tables that functions read)";
        assert_eq!(
            told,
            [
                "q:1:1: C near \"a\": m".to_owned(),
                format!("q:1:1: C near \"b\": m {circumstances}")
            ]
        );
    }

    #[test]
    fn a_transformation_into_guids_is_asked_about_over_a_table_with_guids() {
        let table = |name: &str| vec![(name.to_owned(), "string".to_owned())];
        let mut schemas = Schemas::default();
        schemas.add("OneLogin_CL", &table("uuid_g"), 1);
        let transform = |has_guids| Transform {
            text: format!("guids: {has_guids}"),
            source: table("uuid_g").into_iter().collect(),
            target: "OneLogin_CL".to_owned(),
            into: TableVariant {
                has_guids,
                ..TableVariant::default()
            },
        };
        let workspace = Workspace {
            schemas,
            content: Content::default(),
            transforms: vec![transform(false), transform(true)],
            guide: Vec::new(),
            log_alerts: Vec::new(),
        };
        let questions = workspace.questions();
        let asked: Vec<_> = questions
            .requests()
            .flat_map(|request| {
                let columns = &request.schemas.tables["OneLogin_CL"];
                request
                    .queries
                    .iter()
                    .map(|query| (query.text.as_str(), columns["uuid_g"].as_str()))
            })
            .collect();
        assert_eq!(asked, [("guids: false", "string"), ("guids: true", "guid")]);
        assert_eq!(questions.count(), 2);
    }
}
