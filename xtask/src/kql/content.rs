//! What an analyst sees in Sentinel: its shape, and the queries in it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::binder::{ExpectedQuery, Function, Query};
use super::schemas::Schemas;
use super::{alerts, connectors, functions, workbook};

/// Functions, connector pages, the workbook and alert rules.
#[derive(Debug, Default, PartialEq)]
pub struct Content {
    /// Saved functions.
    pub functions: Vec<Function>,
    /// Name and `connectorUiConfig` of connector pages.
    pub connectors: Vec<(String, Value)>,
    /// The health workbook.
    pub workbook: Value,
    /// Name, properties and query of alert rules.
    pub alerts: Vec<(String, Value, String)>,
}

impl Content {
    /// What is wrong before any query is bound.
    pub fn shape(&self, schemas: &Schemas) -> Vec<String> {
        let mut problems = functions::problems(&self.functions, schemas);
        problems.extend(connectors::problems(&self.connectors, schemas));
        problems.extend(workbook::problems(&self.workbook));
        for (name, properties, query) in &self.alerts {
            problems.extend(alerts::problems(name, properties, query));
            problems.extend(alerts::absent_table_problems(name, query, schemas));
            problems.extend(connectors::without_the_alert(&self.connectors, properties));
        }
        problems
    }

    /// Every query.
    pub fn texts(&self) -> Vec<ExpectedQuery> {
        let mut texts = connectors::texts(&self.connectors);
        texts.extend(workbook::texts(&self.workbook));
        texts.extend(
            self.alerts
                .iter()
                .map(|(name, properties, query)| alerts::query(name, properties, query)),
        );
        texts
    }

    /// The queries of the alert rules.
    pub fn alert_queries(&self) -> Vec<Query> {
        let alerts = self.alerts.iter();
        alerts
            .map(|(name, properties, query)| alerts::query(name, properties, query).query)
            .collect()
    }

    /// The tables that alert rules read.
    pub fn tables_of_alerts<'a>(&self, schemas: &'a Schemas) -> BTreeSet<&'a str> {
        let queries = self.alerts.iter().map(|(_, _, query)| query);
        queries.flat_map(|query| alerts::tables(query, schemas)).collect()
    }

    /// The tables that a function names.
    pub fn tables_of_functions<'a>(&self, schemas: &'a Schemas) -> BTreeSet<&'a str> {
        let tables = schemas.tables.keys().map(String::as_str);
        let named = |table: &&str| self.functions.iter().any(|function| function.body.contains(*table));
        tables.filter(named).collect()
    }
}
