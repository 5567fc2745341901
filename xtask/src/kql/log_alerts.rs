//! Log alerts of Azure Monitor over Application Insights: `Microsoft.Insights/scheduledQueryRules`.
//!
//! A rule over a component reads its tables by their names of there, not by those of the workspace. Source: Microsoft Learn,
//! "Application Insights telemetry data model" and "Create a log search alert rule".

use serde_json::Value;

use super::binder::Query;
use super::schemas::Schemas;
use super::shape::{list, one_of, text, words};

/// Tables of a component, with the columns that are read.
const TABLES: [(&str, &[(&str, &str)]); 2] = [
    (
        "exceptions",
        &[
            ("timestamp", "datetime"),
            ("operation_Name", "string"),
            ("operation_Id", "string"),
            ("innermostMessage", "string"),
        ],
    ),
    (
        "requests",
        &[
            ("timestamp", "datetime"),
            ("operation_Name", "string"),
            ("operation_Id", "string"),
            ("success", "string"),
        ],
    ),
];
/// How often such a rule may run, in the order of their length.
const FREQUENCIES: [&str; 7] = ["PT1M", "PT5M", "PT10M", "PT15M", "PT30M", "PT45M", "PT1H"];

/// The tables of a component.
pub fn schemas() -> Schemas {
    let mut schemas = Schemas::default();
    for (table, columns) in TABLES {
        let columns = columns.iter();
        let columns: Vec<(String, String)> = columns
            .map(|(name, column_type)| ((*name).to_owned(), (*column_type).to_owned()))
            .collect();
        schemas.add(table, &columns, columns.len());
    }
    schemas
}

/// What is wrong with the properties of a rule before its queries are bound.
pub fn problems(properties: &Value) -> Vec<String> {
    let place = format!("log alert \"{}\"", text(properties, "displayName"));
    let mut problems = Vec::new();
    for key in ["evaluationFrequency", "windowSize"] {
        problems.extend(one_of(&place, properties, key, &FREQUENCIES));
    }
    let position = |key: &str| FREQUENCIES.iter().position(|known| *known == text(properties, key));
    if position("evaluationFrequency") > position("windowSize") {
        problems.push(format!("{place}: what comes between two windows is never looked at"));
    }
    if list(&properties["criteria"], "allOf").next().is_none() {
        problems.push(format!("{place} has no criteria"));
    }
    for criterion in list(&properties["criteria"], "allOf") {
        let query = text(criterion, "query");
        for dimension in list(criterion, "dimensions").map(|dimension| text(dimension, "name")) {
            if !words(query).any(|word| word == dimension) {
                problems.push(format!("{place} splits by {dimension}, which its query does not give"));
            }
        }
    }
    problems
}

/// The queries of a rule.
pub fn queries(properties: &Value) -> Vec<Query> {
    let name = format!("log alert \"{}\"", text(properties, "displayName"));
    let criteria = list(&properties["criteria"], "allOf");
    criteria
        .map(|criterion| Query::new(&name, text(criterion, "query")))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(change: impl FnOnce(&mut Value)) -> String {
        let criterion = json!({"query": "exceptions | project Reason = 1", "dimensions": [{"name": "Reason"}]});
        let mut rule = json!({
            "displayName": "it",
            "evaluationFrequency": "PT15M",
            "windowSize": "PT30M",
            "criteria": {"allOf": [criterion]},
        });
        change(&mut rule);
        problems(&rule).join("; ")
    }

    /// A test of the handler holds the guide's pattern against a failed run.
    #[test]
    fn the_reason_of_a_failed_run_is_taken_as_the_guide_takes_it() {
        let read = |path: &str| crate::files::read(&crate::cargo::root().join(path)).unwrap();
        let guide = read("docs/deploy.md");
        let (_, pattern) = guide.split_once("extract(@\"").unwrap();
        let (pattern, _) = pattern.split_once('"').unwrap();
        let rule: Value = serde_json::from_str(&read("infra/template/resources/failed_runs.json")).unwrap();
        let query = queries(&rule[0]["properties"]).remove(0).text;
        assert!(
            query.contains(&format!("extract(@\"{pattern}\", 1, innermostMessage)")),
            "{query}"
        );
    }

    #[test]
    fn seeded_faults_are_told() {
        assert_eq!(told(|_| {}), "");
        assert!(told(|rule| rule["windowSize"] = json!("15m")).contains("\"windowSize\" is \"15m\""));
        assert!(told(|rule| rule["windowSize"] = json!("PT5M")).contains("between two windows"));
        assert!(told(|rule| rule["criteria"] = json!({})).contains("no criteria"));
        let of_another = |rule: &mut Value| rule["criteria"]["allOf"][0]["dimensions"][0]["name"] = json!("Code");
        assert!(told(of_another).contains("splits by Code"));
    }
}
