//! Puts the template together: the parts written by hand, and what follows from the tables.

use serde_json::{Map, Value, json};

use super::check::ids;
use super::deployment::SCHEMA;
use super::parts::Parts;
use super::released::package_uri;
use super::tables::Table;
use super::versions::api_version;
use super::{content, endpoint, private_endpoints, roles, rules, settings, tags};
use crate::kql::Content;
use crate::vendors::{FUNCTION_TABLES, HEALTH, SOURCES, Source};

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
    tags::apply(&mut template, tags::OF_APP);
    pin_versions(&mut template)?;
    Ok(template)
}

fn parameters(ingredients: &Ingredients) -> Map<String, Value> {
    let mut parameters = ingredients.parts.parameters.clone();
    let package = ingredients.repository.as_deref().map(package_uri).unwrap_or_default();
    if let Some(parameter) = parameters.get_mut("packageUri") {
        parameter["defaultValue"] = package.into();
    }
    for table in tables_of_sources(ingredients) {
        let description = format!(
            "Transformation of {} at ingestion. `source` keeps every row as it is. It may read the columns that the table has.",
            table.name
        );
        let parameter = json!({
            "type": "string",
            "defaultValue": "source",
            "maxLength": rules::longest_transform(table),
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
    variables.insert("queriedTables".to_owned(), queried_tables().collect());
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

/// The tables that alert rules, the workbook and functions read, which only tables of the plan Analytics allow.
fn queried_tables() -> impl Iterator<Item = &'static str> {
    let of_functions = FUNCTION_TABLES.iter().flat_map(|(_, tables)| tables.iter().copied());
    let health = SOURCES.iter().filter(|source| source.name == HEALTH);
    of_functions.chain(health.flat_map(Source::tables))
}

fn resources(ingredients: &Ingredients) -> Result<Vec<Value>, String> {
    let mut resources = ingredients.parts.resources.clone();
    private_endpoints::put_before_site(&mut resources);
    resources.extend(private_endpoints::resources());
    resources.extend(roles::deployments());
    let secrets = settings::secrets(&ingredients.parts.settings)?;
    let before_settings = [roles::OF_USER_IDENTITY, roles::OF_SYSTEM_IDENTITY]
        .into_iter()
        .map(roles::id)
        .chain(secrets.iter().filter_map(ids::of_resource).map(|id| id.written()));
    let sources = SOURCES
        .iter()
        .map(|source| format!("[variables('{}')]", source.deployment_variable()));
    // Azure refuses some changes of a site while another goes on.
    let policies = "[resourceId('Microsoft.Web/sites/basicPublishingCredentialsPolicies', variables('name'), 'scm')]";
    let before_settings: Vec<String> = before_settings.chain(sources).chain([policies.to_owned()]).collect();

    resources.extend(secrets);
    resources.push(endpoint::deployment());
    for source in &SOURCES {
        resources.push(rules::deployment(source, &ingredients.tables)?);
    }
    resources.push(content::deployment(&ingredients.content)?);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::root;
    use crate::infra::{check, read};

    fn own(repository: Option<&str>) -> (Ingredients, Value) {
        let mut ingredients = read(&root(), &root().join("infra/repository.txt")).unwrap();
        ingredients.repository = repository.map(str::to_owned);
        let template = build(&ingredients).unwrap();
        (ingredients, template)
    }

    fn of_type<'t>(template: &'t Value, resource_type: &str) -> Vec<&'t Value> {
        let resources = template["resources"].as_array().unwrap();
        resources
            .iter()
            .filter(|resource| resource["type"] == resource_type)
            .collect()
    }

    #[test]
    fn the_projects_own_template_and_form_hold_together() {
        let (ingredients, template) = own(None);
        assert_eq!(check::template(&template, &ingredients.tables), Vec::<String>::new());
        let form: Value = crate::files::json(&root().join("infra/createUiDefinition.json")).unwrap();
        assert_eq!(check::form::problems(&form, &template), Vec::<String>::new());
    }

    #[test]
    fn a_source_that_is_not_filled_in_deploys_nothing() {
        let (_, template) = own(None);
        for source in SOURCES.iter().filter(|source| source.condition().is_some()) {
            let name = format!("[format('{{0}}-{}', variables('name'))]", source.short);
            let deployments = of_type(&template, "Microsoft.Resources/deployments");
            let deployment = deployments
                .iter()
                .find(|deployment| deployment["name"] == name.as_str())
                .unwrap();
            assert_eq!(deployment["condition"], format!("[variables('{}On')]", source.name));
        }
        let secrets = of_type(&template, "Microsoft.KeyVault/vaults/secrets");
        assert!(!secrets.is_empty());
        for secret in secrets {
            assert!(
                secret["condition"]
                    .as_str()
                    .unwrap()
                    .starts_with("[not(empty(parameters(")
            );
        }
    }

    #[test]
    fn every_table_has_its_own_transformation() {
        let (ingredients, template) = own(None);
        let mut tables = 0;
        for deployment in of_type(&template, "Microsoft.Resources/deployments") {
            let inner = &deployment["properties"]["template"];
            tables += of_type(inner, "Microsoft.OperationalInsights/workspaces/tables").len();
        }
        assert_eq!(tables, ingredients.tables.len());
        for table in &ingredients.tables {
            assert_eq!(
                template["parameters"][table.transform_parameter()]["defaultValue"],
                "source"
            );
        }
    }

    #[test]
    fn settings_come_after_every_role_and_code_after_the_settings() {
        let (_, template) = own(None);
        let settings = of_type(&template, "Microsoft.Web/sites/config")[0];
        let waits_for = settings["dependsOn"].to_string();
        for deployment in [roles::OF_USER_IDENTITY, roles::OF_SYSTEM_IDENTITY] {
            assert!(waits_for.contains(deployment), "{deployment}");
        }
        for source in &SOURCES {
            assert!(waits_for.contains(&source.deployment_variable()), "{}", source.name);
        }
        let code = of_type(&template, "Microsoft.Web/sites/extensions")[0];
        assert!(code["dependsOn"].to_string().contains("appsettings"));
    }

    #[test]
    fn a_site_is_changed_by_one_resource_at_a_time() {
        let (_, template) = own(None);
        let policies = of_type(&template, "Microsoft.Web/sites/basicPublishingCredentialsPolicies");
        assert_eq!(policies.len(), 2);
        assert!(policies[1]["dependsOn"].to_string().contains("'ftp'"));
        let settings = of_type(&template, "Microsoft.Web/sites/config")[0];
        assert!(settings["dependsOn"].to_string().contains("'scm'"));
    }

    #[test]
    fn what_sentinel_shows_comes_after_every_table_that_it_reads() {
        let (_, template) = own(None);
        let deployments = of_type(&template, "Microsoft.Resources/deployments");
        let content = deployments.iter().find(|deployment| {
            let inner = &deployment["properties"]["template"];
            !of_type(inner, "Microsoft.SecurityInsights/alertRules").is_empty()
        });
        let waits_for = content.unwrap()["dependsOn"].to_string();
        for source in &SOURCES {
            assert!(waits_for.contains(&source.deployment_variable()), "{}", source.name);
        }
    }

    #[test]
    fn alert_rules_are_on_unless_they_are_switched_off() {
        let (_, template) = own(None);
        assert_eq!(template["parameters"]["createAlertRules"]["defaultValue"], true);
    }

    #[test]
    fn the_package_is_that_of_the_same_release_once_the_repository_is_known() {
        let (_, unknown) = own(None);
        assert_eq!(unknown["parameters"]["packageUri"]["defaultValue"], "");
        let (_, known) = own(Some("https://github.com/o/r"));
        assert_eq!(
            known["parameters"]["packageUri"]["defaultValue"],
            concat!(
                "https://github.com/o/r/releases/download/v",
                env!("CARGO_PKG_VERSION"),
                "/released-package.zip"
            )
        );
    }

    #[test]
    fn every_table_that_content_reads_must_be_analytics() {
        let (ingredients, template) = own(None);
        let content = &ingredients.content;
        let functions = content.functions.iter().map(|function| function.body.clone());
        let alerts = content.alerts.iter().map(|(_, _, query)| query.clone());
        let texts: Vec<String> = functions.chain(alerts).chain([content.workbook.to_string()]).collect();
        let queried = template["variables"]["queriedTables"].as_array().unwrap();
        for table in &ingredients.tables {
            let is_read = texts.iter().any(|text| text.contains(&table.name));
            assert_eq!(queried.contains(&table.name.clone().into()), is_read, "{}", table.name);
        }
    }

    #[test]
    fn a_type_without_a_version_is_refused() {
        let mut template = json!({"resources": [{"type": "Microsoft.Web/unknown"}]});
        assert!(
            pin_versions(&mut template)
                .unwrap_err()
                .contains("Microsoft.Web/unknown")
        );
    }
}
