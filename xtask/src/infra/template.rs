//! Puts the template together: the parts written by hand, and what follows from the tables.

use serde_json::{Map, Value, json};

use super::content::Content;
use super::parts::Parts;
use super::sources::{SOURCES, Source};
use super::tables::Table;
use super::versions::api_version;
use super::{endpoint, rules, settings};

/// The language of the template.
pub const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";

/// The principal that the app acts as.
pub const PRINCIPAL_ID: &str = "if(variables('systemIdentity'), \
     reference(variables('siteId'), '2024-04-01', 'full').identity.principalId, \
     reference(variables('identityId'), '2023-01-31').principalId)";

/// The region of the workspace: rules and tables have to be there.
pub const WORKSPACE_LOCATION: &str = "reference(parameters('workspaceResourceId'), '2025-07-01', 'full').location";

const PRINCIPAL_PLACEHOLDER: &str = "{{principalId}}";

/// Everything the template is made of.
#[derive(Debug)]
pub struct Ingredients {
    /// `infra/template`
    pub parts: Parts,
    /// `infra/tables`
    pub tables: Vec<Table>,
    /// `infra/content`
    pub content: Content,
    /// The repository whose releases hold the package, if it is known: `https://github.com/OWNER/REPO`.
    pub repository: Option<String>,
}

/// The whole template.
pub fn build(ingredients: &Ingredients) -> Result<Value, String> {
    let mut template = json!({
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "metadata": {"comments": "Written by `cargo xtask infra` from infra/template, infra/tables and infra/content: change those."},
        "parameters": parameters(ingredients),
        "variables": variables(ingredients)?,
        "resources": resources(ingredients)?,
        "outputs": ingredients.parts.outputs,
    });
    pin_versions(&mut template)?;
    Ok(template)
}

/// Where a release of the repository keeps the package.
pub fn package_uri(repository: &str) -> String {
    format!("{repository}/releases/latest/download/released-package.zip")
}

/// A deployment into the workspace's resource group, in a scope of its own.
pub fn in_workspace(name: &str, given: Map<String, Value>, template: Value) -> Value {
    json!({
        "type": "Microsoft.Resources/deployments",
        "name": name,
        "subscriptionId": "[variables('workspaceSubscription')]",
        "resourceGroup": "[variables('workspaceResourceGroup')]",
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": given,
            "template": template,
        },
    })
}

fn parameters(ingredients: &Ingredients) -> Map<String, Value> {
    let mut parameters = ingredients.parts.parameters.clone();
    let package = ingredients.repository.as_deref().map(package_uri).unwrap_or_default();
    if let Some(parameter) = parameters.get_mut("packageUri") {
        parameter["defaultValue"] = package.into();
    }
    for table in tables_of_sources(ingredients) {
        let description = format!(
            "Transformation of {} at ingestion. `source` keeps every row as it is.",
            table.name
        );
        let parameter = json!({
            "type": "string",
            "defaultValue": "source",
            "metadata": {"description": description},
        });
        parameters.insert(table.transform_parameter(), parameter);
    }
    parameters
}

fn tables_of_sources(ingredients: &Ingredients) -> impl Iterator<Item = &Table> {
    let is_of_source = |table: &&Table| SOURCES.iter().flat_map(Source::tables).any(|name| name == table.name);
    ingredients.tables.iter().filter(is_of_source)
}

fn variables(ingredients: &Ingredients) -> Result<Map<String, Value>, String> {
    let mut variables = ingredients.parts.variables.clone();
    variables.extend(settings::variables(&ingredients.parts.settings)?);
    let deployments = SOURCES
        .iter()
        .map(|source| (source.deployment_variable(), source.short));
    let deployments = deployments.chain([("endpointDeployment".to_owned(), "endpoint")]);
    for (name, short) in deployments {
        let id = format!(
            "[resourceId(variables('workspaceSubscription'), variables('workspaceResourceGroup'), \
             'Microsoft.Resources/deployments', format('{{0}}-{short}', variables('name')))]"
        );
        variables.insert(name, id.into());
    }
    Ok(variables)
}

fn resources(ingredients: &Ingredients) -> Result<Vec<Value>, String> {
    let mut resources = ingredients.parts.resources.clone();
    for resource in &mut resources {
        if resource["properties"]["principalId"] == PRINCIPAL_PLACEHOLDER {
            resource["properties"]["principalId"] = format!("[{PRINCIPAL_ID}]").into();
        }
    }
    let secrets = settings::secrets(&ingredients.parts.settings)?;
    let before_settings = ids_of(&resources, "Microsoft.Authorization/roleAssignments")
        .into_iter()
        .chain(secrets.iter().filter_map(secret_id));
    let sources = SOURCES
        .iter()
        .map(|source| format!("[variables('{}')]", source.deployment_variable()));
    let site = "[resourceId('Microsoft.Web/sites', variables('name'))]".to_owned();
    let before_settings: Vec<String> = before_settings.chain(sources).chain([site]).collect();

    resources.extend(secrets);
    resources.push(endpoint::deployment());
    for source in &SOURCES {
        resources.push(rules::deployment(source, &ingredients.tables)?);
    }
    resources.push(ingredients.content.deployment()?);
    // A resource of its own, after the roles: the references to the vault are resolved when the settings are set, and
    // a system-assigned identity has no role before the site is there.
    resources.push(json!({
        "type": "Microsoft.Web/sites/config",
        "name": "[format('{0}/appsettings', variables('name'))]",
        "dependsOn": before_settings,
        "properties": settings::expression(&ingredients.parts.settings),
    }));
    resources.push(json!({
        "type": "Microsoft.Web/sites/extensions",
        "name": "[format('{0}/onedeploy', variables('name'))]",
        "condition": "[not(empty(parameters('packageUri')))]",
        "dependsOn": ["[resourceId('Microsoft.Web/sites/config', variables('name'), 'appsettings')]"],
        "properties": {"packageUri": "[parameters('packageUri')]", "remoteBuild": false},
    }));
    Ok(resources)
}

/// Ids of extension resources on their scope, for `dependsOn`.
fn ids_of(resources: &[Value], resource_type: &str) -> Vec<String> {
    let of_type = resources.iter().filter(|resource| resource["type"] == resource_type);
    of_type
        .filter_map(|resource| {
            let inside = |key: &str| resource[key].as_str()?.strip_prefix('[')?.strip_suffix(']');
            let (scope, name) = (inside("scope")?, inside("name")?);
            Some(format!("[extensionResourceId({scope}, '{resource_type}', {name})]"))
        })
        .collect()
}

fn secret_id(secret: &Value) -> Option<String> {
    let name = secret["name"].as_str()?.split('/').nth(1)?.split('\'').next()?;
    Some(format!(
        "[resourceId('Microsoft.KeyVault/vaults/secrets', variables('name'), '{name}')]"
    ))
}

/// Gives every resource its version, those of deployments inside too.
fn pin_versions(template: &mut Value) -> Result<(), String> {
    let Some(resources) = template["resources"].as_array_mut() else {
        return Ok(());
    };
    for resource in resources {
        let resource_type = resource["type"].as_str().unwrap_or_default();
        let version = api_version(resource_type).ok_or_else(|| format!("no version is pinned for {resource_type}"))?;
        resource["apiVersion"] = version.into();
        if !resource["properties"]["template"].is_null() {
            pin_versions(&mut resource["properties"]["template"])?;
        }
    }
    Ok(())
}
