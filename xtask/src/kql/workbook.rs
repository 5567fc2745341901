//! The health workbook: its shape, and its queries with parameters put in.
//!
//! Source: `schema/workbook.json` of microsoft/Application-Insights-Workbooks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::binder::{ExpectedQuery, Query};
use super::shape::{keys, list, one_of, text};

const WORKSPACE: &str = "microsoft.operationalinsights/workspaces";
const PARAMETERS: u64 = 9;
const QUERY: u64 = 3;
const GROUP: u64 = 12;
/// Text, query, parameters, metric, links and group.
const ITEM_TYPES: [u64; 6] = [1, QUERY, PARAMETERS, 10, 11, GROUP];
const TIME_RANGE: u64 = 4;
const VISUALIZATIONS: [&str; 6] = ["table", "timechart", "barchart", "linechart", "tiles", "areachart"];

/// What is wrong with the workbook before its queries are bound.
pub fn problems(workbook: &Value) -> Vec<String> {
    let optional = ["$schema", "styleSettings", "defaultResourceIds", "fallbackResourceIds"];
    let mut problems = keys("workbook", workbook, &["version", "items"], &optional);
    problems.extend(one_of("workbook", workbook, "version", &["Notebook/1.0"]));
    let parameters = parameters(workbook);
    let mut names = BTreeSet::new();
    for item in items(workbook) {
        let name = text(item, "name");
        let place = format!("workbook item \"{name}\"");
        problems.extend(keys(
            &place,
            item,
            &["type", "name", "content"],
            &["customWidth", "styleSettings", "conditionalVisibility", "showPin"],
        ));
        if !item["type"]
            .as_u64()
            .is_some_and(|item_type| ITEM_TYPES.contains(&item_type))
        {
            problems.push(format!("{place} has the unknown type {}", item["type"]));
        }
        if !names.insert(name) {
            problems.push(format!("{place} is there twice"));
        }
        if item["type"] == QUERY {
            problems.extend(query_item(&place, &item["content"], &parameters));
        }
        for parameter in list(&item["content"], "parameters").filter(|parameter| parameter["query"].is_string()) {
            problems.extend(over_a_workspace(
                &format!("{place}: parameter {}", text(parameter, "name")),
                parameter,
            ));
        }
    }
    for (name, query) in queries(workbook) {
        let unknown = placeholders(query)
            .into_iter()
            .filter(|(name, _)| !parameters.contains_key(name));
        problems.extend(
            unknown.map(|(parameter, _)| format!("{name} asks for the parameter {parameter}, which does not exist")),
        );
    }
    problems
}

fn query_item(place: &str, content: &Value, parameters: &BTreeMap<&str, &Value>) -> Vec<String> {
    let mut problems = over_a_workspace(place, content);
    problems.extend(one_of(place, content, "visualization", &VISUALIZATIONS));
    let from = text(content, "timeContextFromParameter");
    let from_parameter = parameters
        .get(from)
        .is_some_and(|parameter| parameter["type"] == TIME_RANGE);
    let fixed = content["timeContext"]["durationMs"]
        .as_u64()
        .is_some_and(|duration| duration > 0);
    if from_parameter == fixed {
        problems.push(format!(
            "{place} needs a time range: of its own, or of a time parameter"
        ));
    }
    problems
}

fn over_a_workspace(place: &str, content: &Value) -> Vec<String> {
    let mut problems: Vec<String> = one_of(place, content, "resourceType", &[WORKSPACE])
        .into_iter()
        .collect();
    if content["queryType"] != 0 {
        problems.push(format!("{place}: \"queryType\" is not 0 (logs)"));
    }
    problems
}

/// Every query, with values in place of `{parameters}`.
pub fn texts(workbook: &Value) -> Vec<ExpectedQuery> {
    let parameters = parameters(workbook);
    let queries = queries(workbook).into_iter();
    queries
        .map(|(name, query)| ExpectedQuery {
            query: Query::new(&name, &filled(query, &parameters)),
            gives: Vec::new(),
        })
        .collect()
}

/// All items, those of groups too.
fn items(workbook: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    for item in list(workbook, "items") {
        found.push(item);
        if item["type"] == GROUP {
            found.extend(items(&item["content"]));
        }
    }
    found
}

fn parameters(workbook: &Value) -> BTreeMap<&str, &Value> {
    let blocks = items(workbook).into_iter().filter(|item| item["type"] == PARAMETERS);
    let parameters = blocks.flat_map(|item| list(&item["content"], "parameters"));
    parameters
        .map(|parameter| (text(parameter, "name"), parameter))
        .collect()
}

fn queries(workbook: &Value) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    for item in items(workbook) {
        let name = text(item, "name");
        if item["type"] == QUERY {
            found.push((format!("workbook, {name}"), text(&item["content"], "query")));
        }
        for parameter in list(&item["content"], "parameters").filter(|parameter| parameter["query"].is_string()) {
            found.push((
                format!("workbook, parameter {}", text(parameter, "name")),
                text(parameter, "query"),
            ));
        }
    }
    found
}

/// Name and modifier of every `{Name}` and `{Name:modifier}`; braces of KQL itself hold no lone name.
fn placeholders(query: &str) -> Vec<(&str, &str)> {
    let word = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    let after_braces = query.split('{').skip(1);
    let inside = after_braces.filter_map(|after| after.split_once('}').map(|(inside, _)| inside));
    inside
        .map(|inside| inside.split_once(':').unwrap_or((inside, "")))
        .filter(|(name, modifier)| word(name) && (modifier.is_empty() || word(modifier)))
        .collect()
}

fn filled(query: &str, parameters: &BTreeMap<&str, &Value>) -> String {
    let mut text = query.to_owned();
    for (name, modifier) in placeholders(query) {
        let Some(parameter) = parameters.get(name) else {
            continue;
        };
        let placeholder = if modifier.is_empty() {
            format!("{{{name}}}")
        } else {
            format!("{{{name}:{modifier}}}")
        };
        text = text.replace(&placeholder, example(parameter, modifier));
    }
    text
}

/// What the portal could put in: of a time range its grain, its ends or a comparison; of a choice one quoted value.
fn example(parameter: &Value, modifier: &str) -> &'static str {
    let quoted = text(parameter, "quote") == "'";
    match (parameter["type"].as_u64(), modifier) {
        (Some(TIME_RANGE), "grain") => "1h",
        (Some(TIME_RANGE), "start" | "end") => "datetime(2025-01-01)",
        (Some(TIME_RANGE), _) => "> ago(1d)",
        (_, "") if quoted => "'default'",
        _ => "default",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cargo::root;
    use crate::kql::shape::assert_told;

    fn workbook() -> Value {
        crate::files::json(&root().join("infra/content/workbook.json")).unwrap()
    }

    fn query_at(workbook: &mut Value) -> &mut Value {
        let items = workbook["items"].as_array_mut().unwrap();
        items.iter_mut().find(|item| item["type"] == QUERY).unwrap()
    }

    #[test]
    fn seeded_faults_are_told() {
        let fault = |change: fn(&mut Value), expected: &str| {
            let mut workbook = workbook();
            change(&mut workbook);
            assert_told(&problems(&workbook), expected);
        };
        fault(
            |workbook| drop(workbook.as_object_mut().unwrap().remove("version")),
            "has no \"version\"",
        );
        fault(
            |workbook| workbook["version"] = json!("Notebook/2.0"),
            "not one of Notebook/1.0",
        );
        fault(|workbook| workbook["sourceId"] = json!("x"), "unknown key \"sourceId\"");
        fault(|workbook| workbook["items"][0]["type"] = json!(99), "unknown type 99");
        fault(
            |workbook| drop(workbook["items"][0].as_object_mut().unwrap().remove("name")),
            "has no \"name\"",
        );
        fault(
            |workbook| query_at(workbook)["content"]["resourceType"] = json!("microsoft.insights/components"),
            "\"resourceType\"",
        );
        fault(
            |workbook| query_at(workbook)["content"]["queryType"] = json!(1),
            "\"queryType\" is not 0",
        );
        fault(
            |workbook| query_at(workbook)["content"]["visualization"] = json!("pie"),
            "\"pie\"",
        );
        fault(
            |workbook| query_at(workbook)["content"]["timeContextFromParameter"] = json!("Source"),
            "needs a time range",
        );
        fault(
            |workbook| query_at(workbook)["content"]["query"] = json!("T | where {Nothing}"),
            "parameter Nothing, which",
        );
        fault(
            |workbook| query_at(workbook)["name"] = json!("about"),
            "\"about\" is there twice",
        );
        fault(
            |workbook| workbook["items"][1]["content"]["parameters"][1]["resourceType"] = json!(""),
            "parameter App",
        );
    }

    #[test]
    fn faults_inside_a_group_are_told() {
        let group = json!({"version": "Notebook/1.0", "items": [
            {"type": 12, "name": "group", "content": {"items": [{"type": 3, "name": "q", "content": {"query": "T"}}]}}
        ]});
        assert!(problems(&group).iter().any(|problem| problem.contains("item \"q\"")));
        assert_eq!(texts(&group).len(), 1);
    }

    #[test]
    fn parameters_are_put_in() {
        let time = json!({"name": "TimeRange", "type": 4});
        let source = json!({"name": "Source", "type": 2, "quote": "'"});
        let parameters = BTreeMap::from([("TimeRange", &time), ("Source", &source)]);
        let query = "T | where TimeGenerated {TimeRange} and Source in ({Source}) | extend b = dynamic({\"a\": 1}) | summarize by bin(x, {TimeRange:grain})";
        let expected = "T | where TimeGenerated > ago(1d) and Source in ('default') | extend b = dynamic({\"a\": 1}) | summarize by bin(x, 1h)";
        assert_eq!(filled(query, &parameters), expected);
    }
}
