//! Alert rules: the properties of `Microsoft.SecurityInsights/alertRules` of kind Scheduled, whose query is a file beside them.
//!
//! Limits: Microsoft Learn, "Create a custom analytics rule" and "Surface custom event details in alerts".

use std::collections::BTreeSet;

use serde_json::Value;

use super::binder::{ExpectedQuery, Query};
use super::schemas::{Columns, Schemas};
use super::shape::{keys, list, one_of, text, words};

const REQUIRED: [&str; 16] = [
    "displayName",
    "description",
    "severity",
    "enabled",
    "queryFrequency",
    "queryPeriod",
    "triggerOperator",
    "triggerThreshold",
    "suppressionEnabled",
    "suppressionDuration",
    "tactics",
    "techniques",
    "eventGroupingSettings",
    "customDetails",
    "entityMappings",
    "incidentConfiguration",
];
const OPTIONAL: [&str; 1] = ["alertDetailsOverride"];
const TACTICS: [&str; 14] = [
    "Reconnaissance",
    "ResourceDevelopment",
    "InitialAccess",
    "Execution",
    "Persistence",
    "PrivilegeEscalation",
    "DefenseEvasion",
    "CredentialAccess",
    "Discovery",
    "LateralMovement",
    "Collection",
    "Exfiltration",
    "CommandAndControl",
    "Impact",
];
/// Identifiers of the entities that are mapped here.
const ENTITIES: [(&str, &[&str]); 1] = [("CloudApplication", &["AppId", "Name", "InstanceName"])];

const MINUTES_OF_A_DAY: u32 = 24 * 60;
const LONGEST_PERIOD: u32 = 14 * MINUTES_OF_A_DAY;
const MOST_CUSTOM_DETAILS: usize = 20;
const LONGEST_QUERY: usize = 10_000;

/// What a rule reads a table with: a table without rows, which is there whatever the workspace has.
const FUZZY_UNION: &str = "union isfuzzy=true (datatable(";

/// What is wrong with a rule before its query is bound.
pub fn problems(name: &str, rule: &Value, query: &str) -> Vec<String> {
    let place = format!("alert {name}");
    let mut problems = keys(&place, rule, &REQUIRED, &OPTIONAL);
    problems.extend(one_of(
        &place,
        rule,
        "severity",
        &["High", "Medium", "Low", "Informational"],
    ));
    problems.extend(one_of(
        &place,
        rule,
        "triggerOperator",
        &["GreaterThan", "LessThan", "Equal", "NotEqual"],
    ));
    problems.extend(one_of(
        &place,
        &rule["eventGroupingSettings"],
        "aggregationKind",
        &["SingleAlert", "AlertPerResult"],
    ));
    let unknown = list(rule, "tactics").filter(|tactic| !TACTICS.iter().any(|known| **tactic == **known));
    problems.extend(unknown.map(|tactic| format!("{place}: unknown tactic {tactic}")));
    problems.extend(times(&place, rule));
    if query.len() > LONGEST_QUERY {
        problems.push(format!(
            "{place}: its query has {} bytes; {LONGEST_QUERY} are the limit",
            query.len()
        ));
    }
    let details = rule["customDetails"].as_object().map_or(0, |details| details.len());
    if details > MOST_CUSTOM_DETAILS {
        problems.push(format!(
            "{place}: {details} custom details; {MOST_CUSTOM_DETAILS} are the limit"
        ));
    }
    problems.extend(entities(&place, rule));
    problems.extend(grouping(&place, rule));
    problems
}

/// Sentinel refuses a rule whose query names a table that is not there: every table has to stand in a fuzzy union with an
/// empty table that has all of its columns.
pub fn absent_table_problems(name: &str, query: &str, schemas: &Schemas) -> Vec<String> {
    let problem = |table: &str| {
        let occurrences = words(query).filter(|word| *word == table).count();
        let declared = stand_in(query, table);
        if occurrences > 1 || declared.is_none() {
            return Some(format!(
                "alert {name} reads {table} outside of \"{FUZZY_UNION}...)[]), {table}\""
            ));
        }
        (declared.as_ref() != schemas.tables.get(table))
            .then(|| format!("alert {name}: the empty table beside {table} has not exactly its columns"))
    };
    tables(query, schemas).into_iter().filter_map(problem).collect()
}

/// The columns of the empty table in a fuzzy union with a table.
fn stand_in(query: &str, table: &str) -> Option<Columns> {
    let (before, _) = query.split_once(&format!(")[]), {table}"))?;
    let (_, declared) = before.rsplit_once(FUZZY_UNION)?;
    let columns = declared.split(',').map(|column| column.trim().split_once(':'));
    columns
        .map(|column| column.map(|(name, column_type)| (name.to_owned(), column_type.to_owned())))
        .collect()
}

/// The tables that a query reads.
pub fn tables<'a>(query: &str, schemas: &'a Schemas) -> BTreeSet<&'a str> {
    let tables = schemas.tables.keys().map(String::as_str);
    tables.filter(|table| words(query).any(|word| word == *table)).collect()
}

fn times(place: &str, rule: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut read = |key: &str| {
        let minutes = minutes(text(rule, key));
        if minutes.is_none() {
            problems.push(format!("{place}: \"{key}\" is no duration like PT15M, PT1H or P14D"));
        }
        minutes
    };
    let (frequency, period) = (read("queryFrequency"), read("queryPeriod"));
    read("suppressionDuration");
    let (Some(frequency), Some(period)) = (frequency, period) else {
        return problems;
    };
    if !(5..=LONGEST_PERIOD).contains(&frequency) || !(5..=LONGEST_PERIOD).contains(&period) || frequency > period {
        problems.push(format!(
            "{place}: frequency and period are 5 minutes to 14 days, and the period not the shorter one"
        ));
    }
    if period >= 2 * MINUTES_OF_A_DAY && frequency < 60 {
        problems.push(format!(
            "{place}: a rule that looks back 2 days or more runs once an hour at most"
        ));
    }
    problems
}

/// Minutes of an ISO 8601 duration with one unit.
fn minutes(duration: &str) -> Option<u32> {
    let (amount, unit) = match duration.strip_prefix("PT") {
        Some(time) => (time, if time.ends_with('H') { 60 } else { 1 }),
        None => (duration.strip_prefix('P')?, MINUTES_OF_A_DAY),
    };
    let ending = if unit == 60 {
        'H'
    } else if unit == 1 {
        'M'
    } else {
        'D'
    };
    amount.strip_suffix(ending)?.parse::<u32>().ok()?.checked_mul(unit)
}

fn entities(place: &str, rule: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    if list(rule, "entityMappings").next().is_none() {
        problems.push(format!("{place} maps no entity"));
    }
    for mapping in list(rule, "entityMappings") {
        let entity = text(mapping, "entityType");
        let Some((_, identifiers)) = ENTITIES.iter().find(|(known, _)| *known == entity) else {
            problems.push(format!("{place}: unknown entity \"{entity}\""));
            continue;
        };
        for field in list(mapping, "fieldMappings") {
            problems.extend(one_of(place, field, "identifier", identifiers));
        }
    }
    problems
}

fn grouping(place: &str, rule: &Value) -> Vec<String> {
    let grouping = &rule["incidentConfiguration"]["groupingConfiguration"];
    let mut problems = Vec::new();
    for detail in list(grouping, "groupByCustomDetails").filter_map(Value::as_str) {
        if rule["customDetails"].get(detail).is_none() {
            problems.push(format!("{place} groups by {detail}, which is no custom detail"));
        }
    }
    let mapped: BTreeSet<&str> = list(rule, "entityMappings")
        .map(|mapping| text(mapping, "entityType"))
        .collect();
    for entity in list(grouping, "groupByEntities").filter_map(Value::as_str) {
        if !mapped.contains(entity) {
            problems.push(format!("{place} groups by {entity}, which is not mapped"));
        }
    }
    problems
}

/// The columns that a rule takes from its query.
fn columns(rule: &Value) -> BTreeSet<String> {
    let mut columns = BTreeSet::new();
    let mappings = list(rule, "entityMappings").flat_map(|mapping| list(mapping, "fieldMappings"));
    columns.extend(mappings.map(|field| text(field, "columnName").to_owned()));
    let details = rule["customDetails"]
        .as_object()
        .into_iter()
        .flat_map(|details| details.values());
    columns.extend(details.filter_map(Value::as_str).map(str::to_owned));
    let details = &rule["alertDetailsOverride"];
    for key in ["alertDisplayNameFormat", "alertDescriptionFormat"] {
        let after_braces = text(details, key).split("{{").skip(1);
        columns.extend(
            after_braces
                .filter_map(|after| after.split_once("}}"))
                .map(|(column, _)| column.to_owned()),
        );
    }
    if let Some(column) = details["alertSeverityColumnName"].as_str() {
        columns.insert(column.to_owned());
    }
    columns
}

/// The query of a rule with the columns that the rule takes from it.
pub fn query(name: &str, rule: &Value, text: &str) -> ExpectedQuery {
    ExpectedQuery {
        query: Query::new(&format!("alert {name}"), text),
        gives: columns(rule).into_iter().map(|column| (column, None)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cargo::root;
    use crate::kql::shape::assert_told;

    fn rule() -> Value {
        crate::files::json(&root().join("infra/content/alerts/StreamSilent.json")).unwrap()
    }

    #[test]
    fn seeded_faults_are_told() {
        let fault = |change: fn(&mut Value), expected: &str| {
            let mut rule = rule();
            change(&mut rule);
            assert_told(&problems("it", &rule, "T"), expected);
        };
        fault(
            |rule| drop(rule.as_object_mut().unwrap().remove("suppressionDuration")),
            "has no \"suppressionDuration\"",
        );
        fault(|rule| rule["query"] = json!("T"), "unknown key \"query\"");
        fault(|rule| rule["severity"] = json!("Critical"), "\"Critical\"");
        fault(|rule| rule["tactics"] = json!(["Evasion"]), "unknown tactic");
        fault(
            |rule| rule["queryFrequency"] = json!("1h"),
            "\"queryFrequency\" is no duration",
        );
        fault(|rule| rule["queryPeriod"] = json!("P15D"), "5 minutes to 14 days");
        fault(|rule| rule["queryFrequency"] = json!("PT30M"), "once an hour at most");
        fault(|rule| rule["entityMappings"] = json!([]), "maps no entity");
        fault(
            |rule| rule["entityMappings"][0]["fieldMappings"][0]["identifier"] = json!("Title"),
            "\"Title\"",
        );
        fault(
            |rule| rule["entityMappings"][0]["entityType"] = json!("CloudApp"),
            "unknown entity \"CloudApp\"",
        );
        let grouping = |rule: &mut Value, key: &str| {
            rule["incidentConfiguration"]["groupingConfiguration"][key] = json!(["Nothing"])
        };
        let mut ungrouped = rule();
        grouping(&mut ungrouped, "groupByCustomDetails");
        grouping(&mut ungrouped, "groupByEntities");
        let told = problems("it", &ungrouped, "T");
        let expected = [
            "alert it groups by Nothing, which is no custom detail",
            "alert it groups by Nothing, which is not mapped",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn limits_of_sentinel_are_held() {
        let mut rule = rule();
        let details: serde_json::Map<_, _> = (0..21).map(|index| (format!("d{index}"), json!("Stream"))).collect();
        rule["customDetails"] = details.into();
        let told = problems("it", &rule, &"x".repeat(LONGEST_QUERY + 1));
        assert!(told.iter().any(|problem| problem.contains("21 custom details")));
        assert!(told.iter().any(|problem| problem.contains("10001 bytes")));
    }

    #[test]
    fn a_rule_that_is_refused_before_its_table_has_rows_is_told() {
        let mut schemas = Schemas::default();
        let columns = [("TimeGenerated", "datetime"), ("Stream", "string")];
        let columns = columns.map(|(name, column_type)| (name.to_owned(), column_type.to_owned()));
        schemas.add("Health_CL", &columns, 2);
        let told = |query: &str| absent_table_problems("it", query, &schemas).join("; ");
        let sound = "let h = union isfuzzy=true (datatable(TimeGenerated:datetime, Stream:string)[]), Health_CL;";
        assert_eq!(told(&format!("{sound}\n// Health_CL again\nh")), "");
        assert_eq!(told("print 1"), "");
        assert!(told("Health_CL | take 1").starts_with("alert it reads Health_CL outside of"));
        assert!(told(&format!("{sound}\nunion h, Health_CL")).starts_with("alert it reads Health_CL outside of"));
        let problem = "alert it: the empty table beside Health_CL has not exactly its columns";
        assert_eq!(told(&sound.replace(", Stream:string", "")), problem);
        assert_eq!(told(&sound.replace("Stream:string", "Stream:long")), problem);
    }

    /// What reads the log of refused rows picks those of the connector by how their tables begin.
    #[test]
    fn the_log_of_refused_rows_is_read_for_every_table() {
        let content = root().join("infra/content");
        for file in ["alerts/RowsRefused.kql", "workbook.json"] {
            let text = crate::files::read(&content.join(file)).unwrap();
            let (_, pattern) = text.split_once("^(Custom-)?(").expect(file);
            let (beginnings, _) = pattern.split_once(')').unwrap();
            for table in Schemas::of_the_project().tables.keys() {
                let is_read = beginnings.split('|').any(|beginning| table.starts_with(beginning));
                assert!(is_read, "{file}: {table}");
            }
        }
    }

    #[test]
    fn a_stream_that_stopped_is_answered_with_the_route_that_polls_in_place_of_the_timer() {
        let query = crate::files::read(&root().join("infra/content/alerts/StreamSilent.kql")).unwrap();
        let (_, remedy) = query.split_once("Remedy = case(").unwrap();
        let stopped = remedy
            .lines()
            .find(|line| line.contains("Kind == \"stopped\""))
            .unwrap();
        assert!(
            stopped.contains("GET /api/wake") && stopped.contains("function key"),
            "{stopped}"
        );
    }

    #[test]
    fn the_columns_that_a_rule_takes_are_asked_of_its_query() {
        let columns = columns(&rule());
        for column in ["Source", "Instance", "SilentHours", "Remedy", "AlertSeverity"] {
            assert!(columns.contains(column), "{column}: {columns:?}");
        }
    }

    #[test]
    fn durations_are_read() {
        assert_eq!(minutes("PT15M"), Some(15));
        assert_eq!(minutes("PT1H"), Some(60));
        assert_eq!(minutes("P14D"), Some(14 * MINUTES_OF_A_DAY));
        for wrong in ["", "P", "PT", "15M", "P1M", "PT1D", "P1DT1H", "PTxM"] {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
    }
}
