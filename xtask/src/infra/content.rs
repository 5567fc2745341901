//! What the portal shows: functions, connector pages, the workbook and alert rules of `infra/content`, embedded.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::deployment::{SCHEMA, WORKSPACE_LOCATION, in_workspace};
use super::{literal, tags};
use crate::files;
use crate::kql::{Content, Function};
use crate::vendors::{SOURCES, connectors};

const COMMENTS: &str = "Written by `cargo xtask infra` from infra/content: change that. One for a workspace, whatever number \
    of apps fill its tables; needs no secret. infra/azuredeploy.json deploys the same.";
const CONDITION: &str = "[parameters('installContent')]";
const WORKSPACE_ID: &str = "resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspaceName'))";

/// Reads the folder, its files in the order of their names.
pub fn read(folder: &Path) -> Result<Content, String> {
    let mut content = Content {
        workbook: files::json(&folder.join("workbook.json"))?,
        ..Content::default()
    };
    for path in files::with_ending(&folder.join("functions"), "kql")? {
        let query = files::read(&path)?;
        content
            .functions
            .push(Function::new(&files::stem(&path), query.trim_end()));
    }
    for path in files::with_ending(&folder.join("connectors"), "json")? {
        let name = files::stem(&path);
        if !connectors().any(|(known, _)| known == name) {
            return Err(format!("infra/content/connectors/{name}.json is of no source"));
        }
        content.connectors.push((name, files::json(&path)?));
    }
    for path in files::with_ending(&folder.join("alerts"), "json")? {
        let query = files::read(&path.with_extension("kql"))?;
        let query = query.trim_end().to_owned();
        content.alerts.push((files::stem(&path), files::json(&path)?, query));
    }
    Ok(content)
}

/// The deployment that puts all of it beside the workspace: `infra/content.json`, with what this deployment knows.
pub fn deployment(content: &Content) -> Result<Value, String> {
    let mut given = Map::new();
    let mut give = |name: &str, value: String| given.insert(name.to_owned(), json!({"value": value}));
    give("workspaceName", "[variables('workspaceName')]".to_owned());
    give("location", format!("[{WORKSPACE_LOCATION}]"));
    give("createAlertRules", "[parameters('createAlertRules')]".to_owned());
    // Without the tag of the app: it would tell to remove what other apps share.
    give("tags", tags::INSIDE.to_owned());
    for (_, flag) in connectors() {
        give(&flag, format!("[variables('{flag}')]"));
    }
    let mut deployment = in_workspace(
        "[format('{0}-content', variables('name'))]",
        given,
        own_template(content)?,
    );
    deployment["condition"] = CONDITION.into();
    // After the tables that its queries name.
    deployment["dependsOn"] = SOURCES
        .iter()
        .map(|source| format!("[variables('{}')]", source.deployment_variable()))
        .collect();
    Ok(deployment)
}

/// The template of the content alone, as the whole template embeds it.
pub fn of_whole(template: &Value) -> Option<&Value> {
    let deployment = template["resources"].as_array()?.iter().find(is_deployment)?;
    Some(&deployment["properties"]["template"])
}

/// Whether a resource of the whole template deploys the content.
pub fn is_deployment(resource: &&Value) -> bool {
    resource["condition"] == CONDITION
}

/// What is made is one for a workspace, whatever app it is deployed for: no name may hang on anything else.
fn own_template(content: &Content) -> Result<Value, String> {
    let flags: Vec<String> = connectors().map(|(_, flag)| format!("parameters('{flag}')")).collect();
    Ok(json!({
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "metadata": {"comments": COMMENTS},
        "parameters": parameters(),
        "resources": resources(content)?,
        // Also what keeps every parameter in use, whatever content there is.
        "outputs": {
            "workspace": {"type": "string", "value": format!("[{WORKSPACE_ID}]")},
            "location": {"type": "string", "value": "[parameters('location')]"},
            "alertRules": {"type": "bool", "value": "[parameters('createAlertRules')]"},
            "connectorPages": {"type": "array", "value": format!("[createArray({})]", flags.join(", "))},
        },
    }))
}

fn parameters() -> Map<String, Value> {
    let mut parameters = Map::new();
    let mut add = |name: &str, parameter: Value| parameters.insert(name.to_owned(), parameter);
    let described = |text: &str| json!({"description": text});
    let workspace =
        "Name of the Log Analytics workspace that Sentinel reads, in the resource group that this is deployed to.";
    add(
        "workspaceName",
        json!({"type": "string", "metadata": described(workspace)}),
    );
    let location = json!({
        "type": "string",
        "defaultValue": "[resourceGroup().location]",
        "metadata": described("Region of the workbook."),
    });
    add("location", location);
    let rules = json!({
        "type": "bool",
        "defaultValue": true,
        "metadata": described("The alert rules. They are valid before their tables have rows."),
    });
    add("createAlertRules", rules);
    let tags = json!({"type": "object", "defaultValue": {}, "metadata": described("Tags for the workbook.")});
    add("tags", tags);
    for (name, flag) in connectors() {
        let text = format!("The connector page of {name}.");
        add(
            &flag,
            json!({"type": "bool", "defaultValue": true, "metadata": described(&text)}),
        );
    }
    parameters
}

fn resources(content: &Content) -> Result<Vec<Value>, String> {
    let mut resources: Vec<Value> = content.functions.iter().map(function).collect();
    resources.extend(content.connectors.iter().map(|(name, page)| connector(name, page)));
    resources.push(workbook(&content.workbook));
    for (name, properties, query) in &content.alerts {
        resources.push(alert(name, properties, query)?);
    }
    Ok(resources)
}

fn function(Function { name, body }: &Function) -> Value {
    json!({
        "type": "Microsoft.OperationalInsights/workspaces/savedSearches",
        "name": format!("[format('{{0}}/{name}', parameters('workspaceName'))]"),
        // Overwrites the function of an earlier version.
        "etag": "*",
        "properties": {
            "category": "Identity and endpoint logs",
            "displayName": name,
            "functionAlias": name,
            "query": literal::written_text(body),
            "version": 2,
        },
    })
}

fn connector(name: &str, page: &Value) -> Value {
    let flag = connectors().find(|(known, _)| *known == name);
    let flag = flag.map(|(_, flag)| flag).unwrap_or_default();
    let page = literal::written(page);
    let id = page["id"]
        .as_str()
        .map_or_else(|| format!("{name}Functions"), str::to_owned);
    json!({
        "type": "Microsoft.SecurityInsights/dataConnectorDefinitions",
        "name": id,
        "condition": format!("[parameters('{flag}')]"),
        "scope": format!("[{WORKSPACE_ID}]"),
        "kind": "Customizable",
        "properties": {"connectorUiConfig": page},
    })
}

fn workbook(content: &Value) -> Value {
    json!({
        "type": "Microsoft.Insights/workbooks",
        "name": format!("[guid({WORKSPACE_ID}, 'connector health')]"),
        "location": "[parameters('location')]",
        "kind": "shared",
        "properties": {
            "category": "sentinel",
            "displayName": "Identity and endpoint logs: connector health",
            "serializedData": content.to_string(),
            "sourceId": format!("[{WORKSPACE_ID}]"),
            "version": "1.0",
        },
    })
}

fn alert(name: &str, properties: &Value, query: &str) -> Result<Value, String> {
    let mut properties = literal::written(properties);
    let members = properties
        .as_object_mut()
        .ok_or_else(|| format!("infra/content/alerts/{name}.json is no object"))?;
    members.insert("query".to_owned(), literal::written_text(query).into());
    Ok(json!({
        "type": "Microsoft.SecurityInsights/alertRules",
        "name": format!("[guid({WORKSPACE_ID}, '{name}')]"),
        "condition": "[parameters('createAlertRules')]",
        "scope": format!("[{WORKSPACE_ID}]"),
        "kind": "Scheduled",
        "properties": properties,
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_kind_of_file_is_embedded_and_an_unknown_page_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("functions/PingOneAudit.kql", "T | take 1\n");
        write(
            "connectors/OneLogin.json",
            r#"{"id": "OneLoginPage", "title": "OneLogin"}"#,
        );
        write("alerts/Silent.json", r#"{"displayName": "silent"}"#);
        write("alerts/Silent.kql", "H | where 1 == 1");
        write("workbook.json", r#"{"version": "Notebook/1.0", "items": []}"#);

        let resources = resources(&read(folder.path()).unwrap()).unwrap();

        let types: Vec<_> = resources
            .iter()
            .filter_map(|resource| resource["type"].as_str())
            .collect();
        assert_eq!(types.len(), 4, "{types:?}");
        assert_eq!(resources[0]["properties"]["query"], "T | take 1");
        assert_eq!(resources[1]["condition"], "[parameters('oneLoginOn')]");
        assert_eq!(resources[3]["properties"]["query"], "H | where 1 == 1");

        write("connectors/Okta.json", "{}");
        assert!(read(folder.path()).unwrap_err().contains("Okta"));
    }

    #[test]
    fn a_part_that_is_missing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap_err().contains("workbook.json"));
        fs::write(folder.path().join("workbook.json"), "{}").unwrap();
        assert!(read(folder.path()).unwrap_err().contains("functions"));
    }
}
