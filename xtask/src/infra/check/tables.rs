//! Tables and rules of one template against `infra/tables`, and against the limits of a rule.

use serde_json::Value;

use super::scope::texts;
use crate::infra::tables::Table;

/// Streams and data flows that a data collection rule takes.
const MOST_IN_A_RULE: usize = 10;
const LONGEST_COLUMN_NAME: usize = 45;
/// Names that no column of a custom table may have; case counts.
const RESERVED: [&str; 7] = [
    "_ResourceId",
    "_SubscriptionId",
    "TenantId",
    "Title",
    "Type",
    "UniqueId",
    "id",
];
/// Types that a stream may declare.
const STREAM_TYPES: [&str; 7] = ["string", "int", "long", "real", "boolean", "datetime", "dynamic"];

/// What is wrong with the tables and streams of one template.
pub fn problems(path: &str, template: &Value, known: &[Table]) -> Vec<String> {
    let mut problems = Vec::new();
    for resource in template["resources"].as_array().into_iter().flatten() {
        if resource["type"] == "Microsoft.OperationalInsights/workspaces/tables" {
            problems.extend(table_problem(&resource["properties"]["schema"], known));
        }
    }
    let mut streams = Vec::new();
    declared_streams(template, &mut streams);
    for (name, columns) in &streams {
        problems.extend(stream_problems(name, columns, known));
    }
    let flows = count_flows(template);
    if streams.len() > MOST_IN_A_RULE || flows > MOST_IN_A_RULE {
        problems.push(format!(
            "a rule takes {MOST_IN_A_RULE} streams and flows, not {} and {flows}",
            streams.len()
        ));
    }
    if flows != streams.len() {
        problems.push(format!("{} streams are declared, {flows} flow", streams.len()));
    }
    problems
        .into_iter()
        .map(|problem| format!("{path}: {problem}"))
        .collect()
}

fn table_problem(schema: &Value, known: &[Table]) -> Option<String> {
    let name = schema["name"].as_str().unwrap_or_default();
    let Some(table) = known.iter().find(|table| table.name == name) else {
        return Some(format!("the table {name} is not in infra/tables"));
    };
    (schema["columns"] != table.table_columns()).then(|| format!("the columns of {name} are not those of infra/tables"))
}

/// Every declared stream, wherever it stands: in a rule, or in a variable that the rule picks from.
pub fn declared_streams<'v>(value: &'v Value, found: &mut Vec<(String, &'v Value)>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if key.starts_with("Custom-") && member["columns"].is_array() {
                    found.push((key.clone(), &member["columns"]));
                } else if key != "template" {
                    declared_streams(member, found);
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| declared_streams(element, found)),
        _ => {}
    }
}

fn count_flows(template: &Value) -> usize {
    let mut count = 0;
    texts(template, "", &mut |path, _| {
        count += usize::from(path.ends_with(".outputStream"))
    });
    count
}

fn stream_problems(name: &str, columns: &Value, known: &[Table]) -> Vec<String> {
    let Some(table) = known.iter().find(|table| table.stream() == name) else {
        return vec![format!("the stream {name} is of no table in infra/tables")];
    };
    let mut problems = Vec::new();
    if *columns != table.stream_columns() {
        problems.push(format!("the columns of {name} are not those of infra/tables"));
    }
    for (column, column_type) in &table.columns {
        if !STREAM_TYPES.contains(&column_type.as_str()) {
            problems.push(format!("{name}: a stream has no type {column_type} ({column})"));
        }
        let is_plain = column.starts_with(|first: char| first.is_ascii_alphabetic())
            && column.chars().all(|next| next.is_ascii_alphanumeric() || next == '_');
        if !is_plain || column.len() > LONGEST_COLUMN_NAME || RESERVED.contains(&column.as_str()) {
            problems.push(format!("{name}: no column can be named {column}"));
        }
    }
    if !table
        .columns
        .contains(&("TimeGenerated".to_owned(), "datetime".to_owned()))
    {
        problems.push(format!("{name}: TimeGenerated is missing"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(columns: &[(&str, &str)]) -> Table {
        let columns = columns
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned()));
        Table {
            name: "A_CL".to_owned(),
            columns: columns.collect(),
        }
    }

    fn template(table: &Table) -> Value {
        json!({"resources": [
            {
                "type": "Microsoft.OperationalInsights/workspaces/tables",
                "properties": {"schema": {"name": "A_CL", "columns": table.table_columns()}},
            },
            {"properties": {
                "streamDeclarations": {"Custom-A_CL": {"columns": table.stream_columns()}},
                "dataFlows": [{"outputStream": "Custom-A_CL"}],
            }},
        ]})
    }

    #[test]
    fn a_rule_and_a_table_with_the_known_columns_are_sound() {
        let known = table(&[("TimeGenerated", "datetime"), ("Name", "string")]);
        assert_eq!(
            problems("t", &template(&known), std::slice::from_ref(&known)),
            Vec::<String>::new()
        );
    }

    #[test]
    fn another_column_or_type_is_refused_in_table_and_stream() {
        let known = table(&[("TimeGenerated", "datetime"), ("Name", "string")]);
        for other in [
            table(&[("TimeGenerated", "datetime")]),
            table(&[("TimeGenerated", "datetime"), ("Name", "real")]),
        ] {
            assert_eq!(problems("t", &template(&other), std::slice::from_ref(&known)).len(), 2);
        }
    }

    #[test]
    fn a_stream_without_a_flow_is_refused() {
        let known = table(&[("TimeGenerated", "datetime")]);
        let mut template = template(&known);
        template["resources"][1]["properties"]["dataFlows"] = json!([]);
        assert_eq!(
            problems("t", &template, &[known]),
            ["t: 1 streams are declared, 0 flow"]
        );
    }

    #[test]
    fn what_no_stream_can_hold_is_refused() {
        for (columns, said) in [
            (vec![("Name", "string")], "TimeGenerated is missing"),
            (vec![("TimeGenerated", "datetime"), ("Id", "guid")], "no type guid"),
            (vec![("TimeGenerated", "datetime"), ("_id", "string")], "named _id"),
            (vec![("TimeGenerated", "datetime"), ("id", "string")], "named id"),
        ] {
            let known = table(&columns);
            let problems = problems("t", &template(&known), std::slice::from_ref(&known)).join("; ");
            assert!(problems.contains(said), "{said}: {problems}");
        }
    }

    #[test]
    fn more_streams_than_a_rule_takes_are_refused() {
        let known = table(&[("TimeGenerated", "datetime")]);
        let declared = (0..11).map(|number| {
            (
                format!("Custom-A{number}_CL"),
                json!({"columns": known.stream_columns()}),
            )
        });
        let declared: serde_json::Map<_, _> = declared.collect();
        let problems = problems("t", &json!({"variables": declared}), &[known]).join("; ");
        assert!(problems.contains("not 11 and 0"), "{problems}");
    }
}
