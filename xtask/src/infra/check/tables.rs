//! Tables and rules of one template against `infra/tables`, and against the limits of a rule.

use serde_json::{Value, json};

use super::scope::texts;
use crate::infra::tables::{ADDED_COLUMNS, COLUMNS, Table};

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
    let streams = declared_streams(template);
    for stream in &streams {
        problems.extend(stream_problems(stream, known));
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

/// The columns of a stream, as the variables of a template hold them.
pub struct DeclaredStream<'v> {
    /// The table that it fills.
    pub table: &'v str,
    /// The columns that are always declared.
    pub original: &'v Value,
    /// Those that are declared where the table has them, each under its name. Null where there are none.
    pub added: &'v Value,
}

/// The stream of every table whose columns the template has as variables.
pub fn declared_streams(template: &Value) -> Vec<DeclaredStream<'_>> {
    let variables = &template["variables"];
    let names = variables.as_object().into_iter().flatten();
    let streams = names.filter_map(|(name, original)| {
        let table = name.strip_suffix(COLUMNS).filter(|table| table.ends_with("_CL"))?;
        let added = &variables[format!("{table}{ADDED_COLUMNS}")];
        Some(DeclaredStream { table, original, added })
    });
    streams.collect()
}

fn count_flows(template: &Value) -> usize {
    let mut count = 0;
    texts(template, "", &mut |path, _| {
        count += usize::from(path.ends_with(".outputStream"))
    });
    count
}

fn stream_problems(stream: &DeclaredStream<'_>, known: &[Table]) -> Vec<String> {
    let Some(table) = known.iter().find(|table| table.name == stream.table) else {
        return vec![format!("the stream of {} is of no table in infra/tables", stream.table)];
    };
    let name = table.stream();
    let mut problems = Vec::new();
    let added = match stream.added {
        Value::Null => json!({}),
        added => added.clone(),
    };
    if *stream.original != table.original_stream_columns() || added != table.added_stream_columns() {
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
        let columns: Vec<_> = columns.collect();
        Table {
            name: "A_CL".to_owned(),
            original: columns.len().min(1),
            columns,
        }
    }

    fn template(table: &Table) -> Value {
        json!({
            "variables": {
                "A_CLColumns": table.original_stream_columns(),
                "A_CLAddedColumns": table.added_stream_columns(),
            },
            "resources": [
                {
                    "type": "Microsoft.OperationalInsights/workspaces/tables",
                    "properties": {"schema": {"name": "A_CL", "columns": table.table_columns()}},
                },
                {"properties": {"dataFlows": [{"outputStream": "Custom-A_CL"}]}},
            ],
        })
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
        let declared = (0..11).map(|number| (format!("A{number}_CLColumns"), known.original_stream_columns()));
        let declared: serde_json::Map<_, _> = declared.collect();
        let problems = problems("t", &json!({"variables": declared}), &[known]).join("; ");
        assert!(problems.contains("not 11 and 0"), "{problems}");
    }
}
