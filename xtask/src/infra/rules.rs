//! A deployment beside the workspace for every source: its tables, its rule, and the right to send to it.

use serde_json::{Map, Value, json};

use super::deployment::{PRINCIPAL_ID, SCHEMA, WORKSPACE_LOCATION, in_workspace};
use super::roles;
use super::tables::Table;
use crate::vendors::{HAS_GUIDS, RETIRED_TABLE, Source};

const RULE_ID: &str = "resourceId('Microsoft.Insights/dataCollectionRules', parameters('ruleName'))";
const BEHIND_ENDPOINT: &str = "parameters('useDataCollectionEndpoint')";
const METRICS_PUBLISHER: &str =
    "subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '3913510d-42f4-4e42-8a64-420c390055eb')";

const TABLE_TYPE: &str = "Microsoft.OperationalInsights/workspaces/tables";
/// The version that `versions.rs` pins.
const TABLE_VERSION: &str = "2025-07-01";

/// Characters of a transformation. Source: learn.microsoft.com/azure/azure-monitor/service-limits
pub const LONGEST_TRANSFORM: usize = 15_360;

/// The deployment of a source. `tables` are all tables.
pub fn deployment(source: &Source, tables: &[Table]) -> Result<Value, String> {
    let tables: Result<Vec<&Table>, String> = source
        .tables()
        .map(|name| {
            let found = tables.iter().find(|table| table.name == name);
            found.ok_or_else(|| format!("{name} of {} is not in infra/tables", source.name))
        })
        .collect();
    let tables = tables?;
    let name = format!("[format('{{0}}-{}', variables('name'))]", source.short);
    let mut deployment = in_workspace(&name, given(source, &tables), template(source, &tables));
    if let Some(condition) = source.condition() {
        deployment["condition"] = format!("[{condition}]").into();
    }
    deployment["dependsOn"] = json!([
        "[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', variables('name'))]",
        "[resourceId('Microsoft.Web/sites', variables('name'))]",
        "[variables('endpointDeployment')]",
    ]);
    Ok(deployment)
}

/// What the outer template hands in.
fn given(source: &Source, tables: &[&Table]) -> Map<String, Value> {
    let endpoint = |output: &str| {
        format!(
            "[if({BEHIND_ENDPOINT}, \
             reference(variables('endpointDeployment'), '2022-09-01').outputs.{output}.value, '')]"
        )
    };
    let mut values = vec![
        ("workspaceName".to_owned(), "[variables('workspaceName')]".to_owned()),
        ("location".to_owned(), format!("[{WORKSPACE_LOCATION}]")),
        ("ruleName".to_owned(), rule_name(source)),
        ("principalId".to_owned(), format!("[{PRINCIPAL_ID}]")),
        ("delegatedIdentityId".to_owned(), roles::DELEGATED_IDENTITY.to_owned()),
        (
            "assignRole".to_owned(),
            "[not(parameters('skipRoleAssignments'))]".to_owned(),
        ),
        ("endpointId".to_owned(), endpoint("id")),
        ("endpointAddress".to_owned(), endpoint("address")),
        ("isDirect".to_owned(), format!("[not({BEHIND_ENDPOINT})]")),
        ("errorLogs".to_owned(), "[parameters('ruleErrorLogs')]".to_owned()),
        ("tableOptions".to_owned(), "[parameters('tableOptions')]".to_owned()),
        (
            "tablesToCreate".to_owned(),
            format!("[parameters('{}TablesToCreate')]", source.name),
        ),
    ];
    if !source.on_request.is_empty() {
        values.push((
            "tablesUsed".to_owned(),
            format!("[variables('{}TablesUsed')]", source.name),
        ));
    }
    values.extend(
        tables
            .iter()
            .map(|table| (table.transform_parameter(), transform(table))),
    );
    let values = values.into_iter();
    values.map(|(name, value)| (name, json!({"value": value}))).collect()
}

/// Without the prefix of the app's names, for which there is no room: a rule of kind `Direct` has 30 characters. The
/// unique part of the app's name tells two deployments apart. A rule behind a data collection endpoint has another name,
/// because a rule that is there already cannot get an endpoint or another kind: whoever switches gets a new rule.
fn rule_name(source: &Source) -> String {
    let name = |form: &str| format!("format('{form}', variables('unique'))");
    let direct = name(&format!("dcr-{{0}}-{}", source.short));
    let private = name(&format!("dcr-{{0}}-{}-private", source.short));
    format!("[if({BEHIND_ENDPOINT}, {private}, {direct})]")
}

/// The transformation as it was given; of the table that the old function app made, with the types that it has there.
fn transform(table: &Table) -> String {
    let parameter = format!("parameters('{}')", table.transform_parameter());
    match conversions(table) {
        None => format!("[{parameter}]"),
        Some(conversions) => {
            format!("[if({HAS_GUIDS}, concat({parameter}, '{conversions}'), {parameter})]")
        }
    }
}

/// What follows the transformation of the retired function app's table where its ids are of type guid.
fn conversions(table: &Table) -> Option<String> {
    let columns = table.columns.iter().map(|(name, _)| name);
    let conversions: Vec<String> = columns
        .filter(|name| name.ends_with("_g"))
        .map(|name| format!("{name} = toguid({name})"))
        .collect();
    (table.name == RETIRED_TABLE).then(|| format!(" | extend {}", conversions.join(", ")))
}

/// How many characters the transformation of a table may have as a parameter, so that it keeps within the limit of a rule.
pub fn longest_transform(table: &Table) -> usize {
    LONGEST_TRANSFORM - conversions(table).map_or(0, |conversions| conversions.len())
}

fn template(source: &Source, tables: &[&Table]) -> Value {
    let mut parameters = Map::new();
    for name in [
        "workspaceName",
        "location",
        "ruleName",
        "principalId",
        "delegatedIdentityId",
        "endpointId",
        "endpointAddress",
    ] {
        parameters.insert(name.to_owned(), json!({"type": "string"}));
    }
    parameters.insert("tableOptions".to_owned(), json!({"type": "object"}));
    for name in ["isDirect", "assignRole", "errorLogs"] {
        parameters.insert(name.to_owned(), json!({"type": "bool"}));
    }
    parameters.insert("tablesToCreate".to_owned(), json!({"type": "array"}));
    if !source.on_request.is_empty() {
        parameters.insert("tablesUsed".to_owned(), json!({"type": "array"}));
    }
    for table in tables {
        parameters.insert(table.transform_parameter(), json!({"type": "string"}));
    }

    let mut resources: Vec<Value> = tables.iter().map(|table| table_resource(source, table)).collect();
    resources.push(rule(source, tables));
    resources.push(role());
    resources.push(error_logs());
    json!({
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": parameters,
        "variables": variables(source, tables),
        "resources": resources,
        "outputs": {
            "endpoint": {
                "type": "string",
                "value": format!(
                    "[if(empty(parameters('endpointAddress')), reference({RULE_ID}, '2023-03-11').endpoints.logsIngestion, parameters('endpointAddress'))]"
                ),
            },
            "ruleId": {"type": "string", "value": format!("[reference({RULE_ID}, '2023-03-11').immutableId]")},
        },
    })
}

fn table_resource(source: &Source, table: &Table) -> Value {
    let name = &table.name;
    let chosen = format!("contains(parameters('tablesToCreate'), '{name}')");
    let condition = if source.on_request.contains(&name.as_str()) {
        format!("[and({chosen}, contains(parameters('tablesUsed'), '{name}'))]")
    } else {
        format!("[{chosen}]")
    };
    let option = |key: &str| format!("tryGet(parameters('tableOptions'), '{name}', '{key}')");
    json!({
        "type": TABLE_TYPE,
        "name": format!("[format('{{0}}/{name}', parameters('workspaceName'))]"),
        "condition": condition,
        "properties": {
            "plan": format!("[coalesce({}, 'Analytics')]", option("plan")),
            "retentionInDays": format!("[{}]", option("retentionInDays")),
            "totalRetentionInDays": format!("[{}]", option("totalRetentionInDays")),
            "schema": {"name": name, "columns": table.table_columns()},
        },
    })
}

fn rule(source: &Source, tables: &[&Table]) -> Value {
    let depends_on: Vec<String> = tables
        .iter()
        .map(|table| {
            format!(
                "[resourceId('{TABLE_TYPE}', parameters('workspaceName'), '{}')]",
                table.name
            )
        })
        .collect();
    json!({
        "type": "Microsoft.Insights/dataCollectionRules",
        "name": "[parameters('ruleName')]",
        "location": "[parameters('location')]",
        // The endpoint of a Direct rule would stay open beside the closed one.
        "kind": "[if(parameters('isDirect'), 'Direct', null())]",
        "dependsOn": depends_on,
        "properties": {
            "dataCollectionEndpointId": "[if(empty(parameters('endpointId')), null(), parameters('endpointId'))]",
            "streamDeclarations": streams(source, tables),
            "destinations": {
                "logAnalytics": [{
                    "name": "workspace",
                    "workspaceResourceId": "[resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspaceName'))]",
                }],
            },
            "dataFlows": flows(source, tables),
        },
    })
}

fn role() -> Value {
    json!({
        "type": "Microsoft.Authorization/roleAssignments",
        "name": format!("[guid({RULE_ID}, parameters('principalId'), 'Monitoring Metrics Publisher')]"),
        "condition": "[parameters('assignRole')]",
        "scope": format!("[{RULE_ID}]"),
        "dependsOn": [format!("[{RULE_ID}]")],
        "properties": roles::assignment(METRICS_PUBLISHER),
    })
}

/// What the rule refuses, or drops after it accepted it: nothing else says that a transformation fails.
/// Source: learn.microsoft.com/azure/azure-monitor/reference/supported-logs/microsoft-insights-datacollectionrules-logs
fn error_logs() -> Value {
    json!({
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": "sentinel-identity-connector",
        "condition": "[parameters('errorLogs')]",
        "scope": format!("[{RULE_ID}]"),
        "dependsOn": [format!("[{RULE_ID}]")],
        "properties": {
            "workspaceId": "[resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspaceName'))]",
            "logs": [{"category": "LogErrors", "enabled": true}],
        },
    })
}

/// The columns of every stream, and the flows: what is there on request is picked from here, or not.
fn variables(source: &Source, tables: &[&Table]) -> Value {
    let mut variables = Map::new();
    for table in tables {
        variables.insert(table.columns_variable(), table.original_stream_columns());
        if table.has_added_columns() {
            variables.insert(table.added_columns_variable(), table.added_stream_columns());
        }
        if is_on_request(source, table) {
            variables.insert(format!("{}Flow", table.name), json!([flow(table)]));
        }
    }
    if !source.always.is_empty() && !source.on_request.is_empty() {
        variables.insert("flows".to_owned(), flows_of_always(source, tables));
    }
    variables.into()
}

fn is_on_request(source: &Source, table: &Table) -> bool {
    source.on_request.contains(&table.name.as_str())
}

fn streams(source: &Source, tables: &[&Table]) -> Value {
    if source.on_request.is_empty() {
        let streams = tables.iter();
        let streams: Map<_, _> = streams
            .map(|table| (table.stream(), json!({"columns": format!("[{}]", columns(table))})))
            .collect();
        return streams.into();
    }
    let streams = tables.iter().map(|table| {
        let (name, stream) = (&table.name, table.stream());
        let stream = format!("createObject('{stream}', createObject('columns', {}))", columns(table));
        if is_on_request(source, table) {
            return format!("if(contains(parameters('tablesUsed'), '{name}'), {stream}, createObject())");
        }
        stream
    });
    format!("[union({})]", streams.collect::<Vec<_>>().join(", ")).into()
}

/// The expression for the columns of a stream: those that every table has, and of the added ones those that the table in
/// the workspace has. A rule must not give a column that its table lacks, and the service drops without a word what a
/// row has beside the declared columns (learn.microsoft.com/azure/azure-monitor/logs/custom-logs-migrate).
fn columns(table: &Table) -> String {
    let always = format!("variables('{}')", table.columns_variable());
    if !table.has_added_columns() {
        return always;
    }
    let added = format!("variables('{}')", table.added_columns_variable());
    let there = format!(
        "reference(resourceId('{TABLE_TYPE}', parameters('workspaceName'), '{}'), '{TABLE_VERSION}').schema.columns",
        table.name
    );
    format!(
        "concat({always}, map(intersection(objectKeys({added}), \
         map({there}, lambda('column', lambdaVariables('column').name))), \
         lambda('name', {added}[lambdaVariables('name')])))"
    )
}

fn flows(source: &Source, tables: &[&Table]) -> Value {
    if source.on_request.is_empty() {
        return flows_of_always(source, tables);
    }
    let always = (!source.always.is_empty()).then(|| "variables('flows')".to_owned());
    let on_request = tables.iter().filter(|table| is_on_request(source, table)).map(|table| {
        let name = &table.name;
        format!("if(contains(parameters('tablesUsed'), '{name}'), variables('{name}Flow'), createArray())")
    });
    let parts: Vec<String> = always.into_iter().chain(on_request).collect();
    format!("[concat({})]", parts.join(", ")).into()
}

fn flows_of_always(source: &Source, tables: &[&Table]) -> Value {
    let always = tables.iter().filter(|table| !is_on_request(source, table));
    always.map(|table| flow(table)).collect()
}

fn flow(table: &Table) -> Value {
    json!({
        "streams": [table.stream()],
        "destinations": ["workspace"],
        "transformKql": format!("[parameters('{}')]", table.transform_parameter()),
        "outputStream": table.stream(),
    })
}
