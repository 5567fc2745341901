//! Deployments that a parameter file cannot describe: with tables that are there already, in another cloud, or several that
//! are compared.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cargo::root;
use crate::infra::check::evaluate::Deployment;
use crate::infra::{read, template};

const WORKSPACE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w";

fn built() -> Value {
    let ingredients = read(&root(), &root().join("infra/repository.txt")).unwrap();
    template::build(&ingredients).unwrap()
}

fn deployment<'t>(template: &'t Value, given: Value) -> Deployment<'t> {
    let mut given = given;
    given["workspaceResourceId"] = WORKSPACE.into();
    Deployment::new(template, &given)
}

fn settings(deployment: &Deployment<'_>) -> Value {
    deployment
        .value(&deployment.resources("Microsoft.Web/sites/config").unwrap()[0]["properties"])
        .unwrap()
}

fn names(settings: &Value) -> BTreeSet<&str> {
    settings.as_object().unwrap().keys().map(String::as_str).collect()
}

fn variable(deployment: &Deployment<'_>, name: &str) -> String {
    let value = deployment.value(&format!("[variables('{name}')]").into()).unwrap();
    value.as_str().unwrap().to_owned()
}

/// The resources of a type that are deployed.
fn made<'t>(deployment: &Deployment<'t>, resource_type: &str) -> Vec<&'t Value> {
    deployment.resources(resource_type).unwrap()
}

/// The deployment of a source.
fn of_source<'t>(deployment: &Deployment<'t>, short: &str) -> Deployment<'t> {
    let deployments = deployment.resources("Microsoft.Resources/deployments").unwrap();
    let name = format!("{}-{short}", variable(deployment, "name"));
    let outer = deployments
        .into_iter()
        .find(|outer| deployment.value(&outer["name"]).unwrap() == name.as_str())
        .unwrap();
    deployment.inner(outer).unwrap()
}

/// The properties of the rule of a source.
fn rule(deployment: &Deployment<'_>, short: &str) -> Value {
    let inner = of_source(deployment, short);
    inner
        .value(&inner.resources("Microsoft.Insights/dataCollectionRules").unwrap()[0]["properties"])
        .unwrap()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A source that is filled in, for what hangs on none in particular.
fn some_source(more: &Value) -> Value {
    let mut given = json!({"sentinelOneUrl": "u"});
    let more = more.as_object().unwrap().clone();
    given.as_object_mut().unwrap().extend(more);
    given
}

#[test]
fn a_rule_declares_the_added_columns_that_its_table_has() {
    let template = built();
    let given = json!({"sentinelOneUrl": "u", "sentinelOneStreams": ["unified-alerts"]});
    let tables = json!({
        "SentinelOneAgents_CL": ["TimeGenerated", "Uuid", "FirewallEnabled", "Other"],
        "SentinelOneGroups_CL": ["TimeGenerated"],
        "SentinelOneAlertsV2_CL": ["TimeGenerated", "AdditionalFields"],
    });
    let deployment = deployment(&template, given).over_tables(tables);
    let streams = &rule(&deployment, "sentinelone")["streamDeclarations"];
    let columns = |table: &str| -> BTreeSet<String> {
        let columns = streams[format!("Custom-{table}")]["columns"].as_array().unwrap().iter();
        columns
            .map(|column| column["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let known = read(&root(), &root().join("infra/repository.txt")).unwrap().tables;
    for (table, added) in [
        ("SentinelOneAgents_CL", vec!["FirewallEnabled"]),
        ("SentinelOneGroups_CL", vec![]),
        ("SentinelOneAlertsV2_CL", vec!["AdditionalFields"]),
    ] {
        let known = known.iter().find(|known| known.name == table).unwrap();
        let original = known.columns.iter().take(known.original).map(|(name, _)| name.as_str());
        let wanted: Vec<&str> = original.chain(added).collect();
        assert_eq!(columns(table), set(&wanted), "{table}");
    }
    let threats = known
        .iter()
        .find(|known| known.name == "SentinelOneThreats_CL")
        .unwrap();
    assert_eq!(
        columns("SentinelOneThreats_CL").len(),
        threats.columns.len(),
        "as this template makes it"
    );
}

#[test]
fn another_cloud_has_its_own_settings() {
    let template = built();
    let government = settings(&deployment(&template, some_source(&json!({}))).in_cloud("AzureUSGovernment"));
    assert_eq!(government["LOGS_INGESTION__AUDIENCE"], "https://monitor.azure.us");
    assert!(names(&government).contains("AzureWebJobsStorage__blobServiceUri"));
    assert!(!names(&government).contains("AzureWebJobsStorage__accountName"));
}

#[test]
fn every_rule_has_a_short_name_that_tells_the_app_and_the_source() {
    let template = built();
    for (behind_endpoint, kind, end) in [(false, json!("Direct"), ""), (true, Value::Null, "-private")] {
        let given = json!({
            "pingOnePushToken": "t",
            "pingOneEnterprisePollUrl": "u",
            "pingOneEnterpriseClientId": "c",
            "sentinelOneUrl": "u",
            "oneLoginBearerToken": "t",
            "namePrefix": "longprefix",
            "useDataCollectionEndpoint": behind_endpoint,
        });
        let deployment = deployment(&template, given);
        let mut names = BTreeSet::new();
        for outer in made(&deployment, "Microsoft.Resources/deployments") {
            let inner = deployment.inner(outer).unwrap();
            for rule in made(&inner, "Microsoft.Insights/dataCollectionRules") {
                names.insert(inner.value(&rule["name"]).unwrap().as_str().unwrap().to_owned());
                assert_eq!(inner.value(&rule["kind"]).unwrap(), kind);
            }
        }
        let wanted = ["health", "onelogin", "pingone", "pingone-ent", "sentinelone"];
        let unique = variable(&deployment, "unique");
        assert_eq!(names, wanted.map(|source| format!("dcr-{unique}-{source}{end}")).into());
    }
}

/// The role assignments of the app's own resources: what each is on, its role, the whole of it.
fn own_roles(deployment: &Deployment<'_>) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for outer in made(deployment, "Microsoft.Resources/deployments") {
        let name = deployment.value(&outer["name"]).unwrap();
        if !name.as_str().unwrap().contains("-roles-") {
            continue;
        }
        let inner = deployment.inner(outer).unwrap();
        for role in made(&inner, "Microsoft.Authorization/roleAssignments") {
            let role = inner.value(role).unwrap();
            let definition = role["properties"]["roleDefinitionId"].as_str().unwrap();
            let id = definition.rsplit('/').next().unwrap().to_owned();
            found.push((role["scope"].as_str().unwrap().to_owned(), id, role));
        }
    }
    found
}

#[test]
fn the_identity_has_the_host_storage_and_of_the_other_one_only_the_state() {
    let template = built();
    for kind in ["UserAssigned", "SystemAssigned"] {
        let deployment = deployment(&template, some_source(&json!({"identityType": kind})));
        let roles = own_roles(&deployment);
        let on = |end: &str| -> BTreeSet<String> {
            let roles = roles.iter().filter(|(on, _, _)| on.ends_with(end));
            roles.map(|(_, role, _)| role.clone()).collect()
        };
        assert_eq!(roles.len(), 5, "{kind}");
        let (owner, tables) = (
            "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
            "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
        );
        let host = variable(&deployment, "storageName");
        assert_eq!(on(&format!("/storageAccounts/{host}")), set(&[owner, tables]));
        let container = format!("/storageAccounts/{host}s/blobServices/default/containers/connector-state");
        assert_eq!(on(&container), set(&["ba92f5b4-2d11-453d-a403-e96b0029c9fe"]));
        for (_, _, role) in &roles {
            let principal = role["properties"]["principalId"].as_str().unwrap();
            let principal = principal.trim_start_matches(|mark: char| !mark.is_ascii());
            assert!(role["name"].as_str().unwrap().contains(principal), "{role}");
            assert_eq!(role["properties"]["delegatedManagedIdentityResourceId"], Value::Null);
        }
    }
}

#[test]
fn roles_may_be_left_to_others_and_be_given_from_another_tenant() {
    let template = built();
    let of_rule = |deployment: &Deployment<'_>| {
        let inner = of_source(deployment, "sentinelone");
        let roles = made(&inner, "Microsoft.Authorization/roleAssignments").into_iter();
        roles.map(|role| inner.value(role).unwrap()).collect::<Vec<_>>()
    };
    let skipped = deployment(&template, some_source(&json!({"skipRoleAssignments": true})));
    assert!(own_roles(&skipped).is_empty() && of_rule(&skipped).is_empty());

    for (kind, identity) in [("UserAssigned", "identityId"), ("SystemAssigned", "siteId")] {
        let given = some_source(&json!({"crossTenant": true, "identityType": kind}));
        let deployment = deployment(&template, given);
        let own = own_roles(&deployment).into_iter().map(|(_, _, role)| role);
        for role in own.chain(of_rule(&deployment)) {
            let named = &role["properties"]["delegatedManagedIdentityResourceId"];
            assert_eq!(*named, variable(&deployment, identity));
        }
    }
}

#[test]
fn the_given_tags_and_a_fixed_one_reach_the_resources_beside_the_workspace() {
    let template = built();
    let deployment = deployment(&template, some_source(&json!({"tags": {"CostCenter": "42"}})));
    let name = variable(&deployment, "name");
    let wanted = json!({"CostCenter": "42", "sentinel-identity-connector": name});
    let site = made(&deployment, "Microsoft.Web/sites")[0];
    assert_eq!(deployment.value(&site["tags"]).unwrap(), wanted);
    let inner = of_source(&deployment, "sentinelone");
    let rule = made(&inner, "Microsoft.Insights/dataCollectionRules")[0];
    assert_eq!(inner.value(&rule["tags"]).unwrap(), wanted);
}

const NETWORK: &str = "/subscriptions/s/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v";

fn private(more: &Value) -> Value {
    let mut given = some_source(&json!({
        "publicNetworkAccess": "Disabled",
        "virtualNetworkSubnetId": format!("{NETWORK}/subnets/app"),
        "privateEndpointSubnetId": format!("{NETWORK}/subnets/endpoints"),
    }));
    given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    given
}

#[test]
fn a_closed_deployment_has_an_endpoint_for_everything_that_the_app_reads() {
    let template = built();
    let deployment = deployment(&template, private(&json!({})));
    let endpoints = made(&deployment, "Microsoft.Network/privateEndpoints").into_iter();
    let reached: BTreeSet<String> = endpoints
        .map(|endpoint| {
            let endpoint = deployment.value(endpoint).unwrap();
            let connection = &endpoint["properties"]["privateLinkServiceConnections"][0]["properties"];
            let of = connection["privateLinkServiceId"].as_str().unwrap();
            format!(
                "{} {}",
                of.rsplit('/').next().unwrap(),
                connection["groupIds"][0].as_str().unwrap()
            )
        })
        .collect();
    let (host, vault) = (variable(&deployment, "storageName"), variable(&deployment, "name"));
    let wanted = [
        format!("{host} blob"),
        format!("{host} table"),
        format!("{host}s blob"),
        format!("{vault} vault"),
    ];
    assert_eq!(reached, wanted.into());
    let zones = made(&deployment, "Microsoft.Network/privateDnsZones").into_iter();
    let zones: BTreeSet<String> = zones
        .map(|zone| deployment.value(&zone["name"]).unwrap().as_str().unwrap().to_owned())
        .collect();
    let wanted = ["blob.core.windows.net", "table.core.windows.net", "vaultcore.azure.net"];
    assert_eq!(zones, wanted.map(|zone| format!("privatelink.{zone}")).into());
    for link in made(&deployment, "Microsoft.Network/privateDnsZones/virtualNetworkLinks") {
        let network = deployment.value(&link["properties"]["virtualNetwork"]["id"]);
        assert_eq!(network.unwrap(), NETWORK);
    }
    let site = made(&deployment, "Microsoft.Web/sites")[0]["dependsOn"].to_string();
    assert_eq!(site.matches("privateEndpoints/privateDnsZoneGroups").count(), 4);
}

#[test]
fn zones_may_be_there_already_or_be_left_to_a_policy() {
    let template = built();
    let ids = json!({"blob": "/blob", "table": "/table", "vault": "/vault"});
    for (more, groups) in [
        (json!({"privateDnsZoneIds": ids}), 4),
        (json!({"createPrivateDnsZones": false}), 0),
        (json!({"privateEndpointSubnetId": ""}), 0),
    ] {
        let deployment = deployment(&template, private(&more));
        assert!(
            made(&deployment, "Microsoft.Network/privateDnsZones").is_empty(),
            "{more}"
        );
        let made = made(&deployment, "Microsoft.Network/privateEndpoints/privateDnsZoneGroups");
        assert_eq!(made.len(), groups, "{more}");
        for group in made {
            let zone = deployment
                .value(&group["properties"]["privateDnsZoneConfigs"][0])
                .unwrap();
            let wanted = format!("/{}", zone["name"].as_str().unwrap());
            assert_eq!(zone["properties"]["privateDnsZoneId"], wanted);
        }
    }
}

#[test]
fn a_deployment_says_whether_it_made_alert_rules() {
    let template = built();
    for (install, create, said) in [
        (true, true, "made"),
        (false, true, "none: installContent is false"),
        (true, false, "none: createAlertRules is false"),
    ] {
        let given = some_source(&json!({"installContent": install, "createAlertRules": create}));
        let output = deployment(&template, given).value(&template["outputs"]["alertRules"]["value"]);
        assert_eq!(output.unwrap(), said);
    }
}

#[test]
fn a_table_has_the_plan_and_the_retention_that_were_asked_for_and_no_other() {
    let template = built();
    let given = some_source(&json!({
        "sentinelOneTablesToCreate": ["SentinelOneAgents_CL", "SentinelOneGroups_CL"],
        "tableOptions": {"SentinelOneAgents_CL": {"plan": "Basic", "totalRetentionInDays": 365}},
    }));
    let deployment = deployment(&template, given);
    let inner = of_source(&deployment, "sentinelone");
    let tables = made(&inner, "Microsoft.OperationalInsights/workspaces/tables").into_iter();
    let options: Vec<Value> = tables
        .map(|table| {
            let properties = inner.value(&table["properties"]).unwrap();
            json!([
                properties["plan"],
                properties["retentionInDays"],
                properties["totalRetentionInDays"]
            ])
        })
        .collect();
    assert_eq!(options, [json!(["Basic", null, 365]), json!(["Analytics", null, null])]);
}

#[test]
fn what_rules_drop_is_logged_and_the_vault_is_audited_on_request() {
    let template = built();
    let category = |deployment: &Deployment<'_>| -> Vec<Value> {
        let settings = made(deployment, "Microsoft.Insights/diagnosticSettings").into_iter();
        settings
            .map(|setting| setting["properties"]["logs"][0]["category"].clone())
            .collect()
    };
    for (given, of_rule, of_vault) in [
        (json!({}), vec!["LogErrors"], vec![]),
        (
            json!({"ruleErrorLogs": false, "vaultAuditLogs": true}),
            vec![],
            vec!["AuditEvent"],
        ),
    ] {
        let deployment = deployment(&template, some_source(&given));
        assert_eq!(category(&of_source(&deployment, "sentinelone")), of_rule);
        assert_eq!(category(&deployment), of_vault);
    }
}

#[test]
fn size_and_place_of_the_app_follow_the_parameters() {
    let template = built();
    let site = |given: Value| {
        let deployment = deployment(&template, some_source(&given));
        let value = |resource_type: &str| deployment.value(made(&deployment, resource_type)[0]).unwrap();
        let site = value("Microsoft.Web/sites")["properties"].clone();
        json!([
            site["functionAppConfig"]["scaleAndConcurrency"]["alwaysReady"],
            site["publicNetworkAccess"],
            value("Microsoft.Web/serverfarms")["properties"]["zoneRedundant"],
            value("Microsoft.Storage/storageAccounts")["sku"]["name"],
            settings(&deployment)["AzureFunctionsJobHost__telemetryMode"],
        ])
    };
    assert_eq!(site(json!({})), json!([[], "Enabled", false, "Standard_LRS", null]));
    let given = json!({
        "httpAlwaysReadyInstances": 2,
        "timerAlwaysReadyInstances": 1,
        "sitePublicNetworkAccess": "Disabled",
        "zoneRedundant": true,
        "storageRedundancy": "ZRS",
        "telemetryMode": "OpenTelemetry",
    });
    let ready = json!([
        {"name": "http", "instanceCount": 2},
        {"name": "function:function-timer", "instanceCount": 1},
    ]);
    assert_eq!(
        site(given),
        json!([ready, "Disabled", true, "Standard_ZRS", "OpenTelemetry"])
    );
}
