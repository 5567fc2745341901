//! Connector pages: `connectorUiConfig` of `Microsoft.SecurityInsights/dataConnectorDefinitions` of kind Customizable.
//!
//! Source: Microsoft Learn, "Data connector definitions reference for the Codeless Connector Framework".

use std::collections::BTreeSet;

use serde_json::Value;

use super::binder::{ExpectedQuery, Query};
use super::schemas::Schemas;
use super::shape::{keys, list, one_of, text};

const REQUIRED: [&str; 11] = [
    "id",
    "title",
    "publisher",
    "descriptionMarkdown",
    "graphQueries",
    "sampleQueries",
    "dataTypes",
    "connectivityCriteria",
    "availability",
    "permissions",
    "instructionSteps",
];
const OPTIONAL: [&str; 2] = ["isConnectivityCriteriasMatchSome", "logo"];

/// Kinds of instructions that are used here, with the parameter that each needs.
const INSTRUCTIONS: [(&str, &[&str]); 3] = [
    ("Markdown", &["content"]),
    ("InfoMessage", &["text"]),
    ("CopyableLabel", &["label"]),
];

/// What is wrong with the pages.
pub fn problems(pages: &[(String, Value)], schemas: &Schemas) -> Vec<String> {
    let mut problems = Vec::new();
    let mut ids = BTreeSet::new();
    for (name, page) in pages {
        let place = format!("connector {name}");
        problems.extend(keys(&place, page, &REQUIRED, &OPTIONAL));
        let id = text(page, "id");
        if id.is_empty() || !id.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            problems.push(format!("{place}: the id \"{id}\" should be letters and digits"));
        }
        if !ids.insert(id) {
            problems.push(format!("{place}: the id \"{id}\" is another page's too"));
        }
        problems.extend(lists(&place, page));
        problems.extend(permissions(&place, &page["permissions"]));
        for step in list(page, "instructionSteps") {
            problems.extend(instruction_step(&place, step));
        }
        let unknown = schemas
            .unknown_tables(&page.to_string())
            .into_iter()
            .map(str::to_owned)
            .collect::<BTreeSet<_>>();
        problems.extend(
            unknown
                .iter()
                .map(|table| format!("{place} names the table {table}, which does not exist")),
        );
    }
    problems
}

/// The pages that do not name an alert rule by its title.
pub fn without_the_alert(pages: &[(String, Value)], alert: &Value) -> Vec<String> {
    let title = text(alert, "displayName");
    let silent = pages.iter().filter(|(_, page)| !page.to_string().contains(title));
    silent
        .map(|(name, _)| format!("connector {name} does not name the alert rule \"{title}\""))
        .collect()
}

fn lists(place: &str, page: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let items: [(&str, &[&str]); 4] = [
        ("graphQueries", &["metricName", "legend", "baseQuery"]),
        ("sampleQueries", &["description", "query"]),
        ("dataTypes", &["name", "lastDataReceivedQuery"]),
        ("connectivityCriteria", &["type", "value"]),
    ];
    for (key, wanted) in items {
        if list(page, key).next().is_none() {
            problems.push(format!("{place} has no {key}"));
        }
        for item in list(page, key) {
            problems.extend(keys(&format!("{place}: {key}"), item, wanted, &[]));
        }
    }
    for criterion in list(page, "connectivityCriteria") {
        // HasDataConnectors looks for pollers of Microsoft's own, which a function app does not have.
        problems.extend(one_of(place, criterion, "type", &["IsConnectedQuery"]));
    }
    problems
}

fn permissions(place: &str, permissions: &Value) -> Vec<String> {
    let mut problems = keys(
        &format!("{place}: permissions"),
        permissions,
        &["resourceProvider"],
        &["customs", "tenant", "licenses"],
    );
    let provider_keys = [
        "provider",
        "permissionsDisplayText",
        "providerDisplayName",
        "scope",
        "requiredPermissions",
    ];
    for provider in list(permissions, "resourceProvider") {
        problems.extend(keys(
            &format!("{place}: resourceProvider"),
            provider,
            &provider_keys,
            &[],
        ));
        problems.extend(one_of(
            place,
            provider,
            "scope",
            &["Subscription", "ResourceGroup", "Workspace"],
        ));
    }
    for custom in list(permissions, "customs") {
        problems.extend(keys(
            &format!("{place}: customs"),
            custom,
            &["name", "description"],
            &[],
        ));
    }
    problems
}

fn instruction_step(place: &str, step: &Value) -> Vec<String> {
    let place = format!("{place}: step \"{}\"", text(step, "title"));
    let mut problems = keys(&place, step, &["title", "description", "instructions"], &[]);
    for instruction in list(step, "instructions") {
        let kind = text(instruction, "type");
        match INSTRUCTIONS.iter().find(|(known, _)| *known == kind) {
            None => problems.push(format!("{place}: unknown instruction \"{kind}\"")),
            Some((_, wanted)) => {
                let parameters = &instruction["parameters"];
                let lacking = wanted.iter().filter(|key| text(parameters, key).is_empty());
                problems.extend(lacking.map(|key| format!("{place}: {kind} without \"{key}\"")));
            }
        }
    }
    problems
}

/// Every query of the pages.
pub fn texts(pages: &[(String, Value)]) -> Vec<ExpectedQuery> {
    let mut texts = Vec::new();
    for (name, page) in pages {
        let mut add = |kind: &str, query: &Value, gives: Vec<(String, Option<&'static str>)>| {
            let query_name = format!("connector {name}, {kind} {}", texts.len() + 1);
            let query = Query::new(&query_name, query.as_str().unwrap_or_default());
            texts.push(ExpectedQuery { query, gives });
        };
        for graph in list(page, "graphQueries") {
            add(
                "graph",
                &graph["baseQuery"],
                vec![("TimeGenerated".to_owned(), Some("datetime"))],
            );
        }
        for sample in list(page, "sampleQueries") {
            add("sample", &sample["query"], Vec::new());
        }
        for data_type in list(page, "dataTypes") {
            add(
                "data type",
                &data_type["lastDataReceivedQuery"],
                vec![("Time".to_owned(), Some("datetime"))],
            );
        }
        let instructions = list(page, "instructionSteps").flat_map(|step| list(step, "instructions"));
        for value in instructions.map(|instruction| &instruction["parameters"]["value"]) {
            // A text to copy is a query if it has a pipe.
            if value.as_str().is_some_and(|value| value.contains(" | ")) {
                add("instruction", value, Vec::new());
            }
        }
        for criterion in list(page, "connectivityCriteria") {
            for query in list(criterion, "value") {
                add("connectivity", query, vec![("IsConnected".to_owned(), Some("bool"))]);
            }
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cargo::root;
    use crate::kql::shape::assert_told;

    fn page() -> Value {
        crate::files::json(&root().join("infra/content/connectors/OneLogin.json")).unwrap()
    }

    fn told(change: impl Fn(&mut Value)) -> Vec<String> {
        let schemas = Schemas::of_the_project();
        let mut page = page();
        change(&mut page);
        problems(&[("OneLogin".to_owned(), page)], &schemas)
    }

    #[test]
    fn the_page_as_it_is_has_no_problems() {
        assert_eq!(told(|_| ()), Vec::<String>::new());
    }

    #[test]
    fn seeded_faults_are_told() {
        let fault = |change: fn(&mut Value), expected: &str| {
            assert_told(&told(change), expected);
        };
        fault(
            |page| drop(page.as_object_mut().unwrap().remove("permissions")),
            "has no \"permissions\"",
        );
        fault(
            |page| page["connectivityCriterias"] = json!([]),
            "unknown key \"connectivityCriterias\"",
        );
        fault(
            |page| page["connectivityCriteria"][0]["type"] = json!("HasDataConnectors"),
            "not one of IsConnectedQuery",
        );
        fault(|page| page["id"] = json!("one login"), "letters and digits");
        fault(|page| page["dataTypes"] = json!([]), "has no dataTypes");
        fault(
            |page| page["dataTypes"][0]["name"] = json!("OneLogon_CL"),
            "table OneLogon_CL, which does not exist",
        );
        fault(
            |page| page["graphQueries"][0]["baseQuerry"] = json!("x"),
            "unknown key \"baseQuerry\"",
        );
        fault(
            |page| page["permissions"]["resourceProvider"][0]["scope"] = json!("Tenant"),
            "\"Tenant\"",
        );
        fault(
            |page| page["permissions"]["customs"][0] = json!({"name": "x"}),
            "has no \"description\"",
        );
        fault(
            |page| page["instructionSteps"][0]["instructions"][0]["type"] = json!("MarkDown"),
            "unknown instruction",
        );
        fault(
            |page| page["instructionSteps"][0]["instructions"][0]["parameters"] = json!({}),
            "Markdown without \"content\"",
        );
        fault(
            |page| drop(page["instructionSteps"][0].as_object_mut().unwrap().remove("title")),
            "has no \"title\"",
        );
    }

    #[test]
    fn every_page_says_that_tables_are_chosen() {
        for path in crate::files::with_ending(&root().join("infra/content/connectors"), "json").unwrap() {
            let page = crate::files::read(&path).unwrap();
            assert!(page.contains("**Tables to create**"), "{}", path.display());
            assert!(!page.contains("always made"), "{}", path.display());
        }
    }

    #[test]
    fn a_page_that_does_not_name_an_alert_rule_is_told() {
        let pages = [("OneLogin".to_owned(), page())];
        let told = |title: &str| without_the_alert(&pages, &json!({"displayName": title}));
        assert_eq!(told("Deploy to Azure"), Vec::<String>::new());
        assert_eq!(
            told("No such rule"),
            ["connector OneLogin does not name the alert rule \"No such rule\""]
        );
    }

    #[test]
    fn two_pages_with_one_id_are_told() {
        let schemas = Schemas::of_the_project();
        let pages = [("A".to_owned(), page()), ("B".to_owned(), page())];
        assert_eq!(
            problems(&pages, &schemas),
            ["connector B: the id \"OneLoginFunctions\" is another page's too"]
        );
    }

    #[test]
    fn every_query_of_a_page_is_a_text() {
        let page = page();
        let lists = ["graphQueries", "sampleQueries", "dataTypes", "connectivityCriteria"];
        let expected: usize = lists.iter().map(|key| list(&page, key).count()).sum();
        let to_copy = 1;
        assert_eq!(texts(&[("OneLogin".to_owned(), page)]).len(), expected + to_copy);
    }
}
