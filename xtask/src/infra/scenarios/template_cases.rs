//! What a deployment gets, worked out for parameters as people give them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cargo::root;
use crate::infra::check::evaluate::Deployment;
use crate::infra::{read, template};

const WORKSPACE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w";

/// What every deployment sets, with a user-assigned identity in the public cloud.
const ALWAYS: [&str; 12] = [
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AZURE_CLIENT_ID",
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "HEALTH__ENABLED",
    "LOGS_INGESTION__AUDIENCE",
    "LOGS_INGESTION__ENDPOINT",
    "LOGS_INGESTION__RULE_ID",
    "POLL_SCHEDULE",
    "STATE_URL",
];

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

/// The streams of the rule of a source, and the tables that are made for it.
fn streams_and_tables(deployment: &Deployment<'_>, short: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (inner, rule) = (of_source(deployment, short), rule(deployment, short));
    let streams: BTreeSet<String> = rule["streamDeclarations"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let flows = rule["dataFlows"].as_array().unwrap();
    let flowing: BTreeSet<String> = flows
        .iter()
        .map(|flow| flow["outputStream"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(streams, flowing);
    let tables = inner
        .resources("Microsoft.OperationalInsights/workspaces/tables")
        .unwrap()
        .into_iter();
    let tables = tables.map(|table| table["properties"]["schema"]["name"].as_str().unwrap().to_owned());
    (streams, tables.collect())
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
fn a_source_that_is_filled_in_adds_its_settings_and_its_rule() {
    let template = built();
    for (given, added) in [
        (
            json!({"pingOneEnvironmentId": "e", "pingOneClientId": "c", "pingOneClientSecret": "s"}),
            "PINGONE__CLIENT_ID PINGONE__CLIENT_SECRET PINGONE__ENVIRONMENT_ID PINGONE__INGESTION_ENDPOINT PINGONE__REGION PINGONE__RULE_ID PINGONE__TABLES",
        ),
        (
            json!({"pingOnePushToken": "t"}),
            "PINGONE__INGESTION_ENDPOINT PINGONE__PUSH_TOKEN PINGONE__RULE_ID PINGONE__TABLES",
        ),
        (
            json!({"pingOneEnterprisePollUrl": "u", "pingOneEnterpriseUsername": "n", "pingOneEnterprisePassword": "p"}),
            "PINGONE_ENTERPRISE__INGESTION_ENDPOINT PINGONE_ENTERPRISE__PASSWORD PINGONE_ENTERPRISE__POLL_URL PINGONE_ENTERPRISE__RULE_ID PINGONE_ENTERPRISE__USERNAME",
        ),
        (
            json!({"sentinelOneUrl": "u", "sentinelOneApiToken": "t"}),
            "SENTINELONE__API_TOKEN SENTINELONE__INGESTION_ENDPOINT SENTINELONE__PARSER_ALIASES SENTINELONE__RULE_ID SENTINELONE__STREAMS SENTINELONE__URL",
        ),
        (
            json!({"oneLoginBearerToken": "t"}),
            "ONELOGIN__BEARER_TOKEN ONELOGIN__INGESTION_ENDPOINT ONELOGIN__RULE_ID ONELOGIN__TABLES",
        ),
        (
            json!({"oneLoginUrl": "u", "oneLoginClientId": "c", "oneLoginClientSecret": "s"}),
            "ONELOGIN__CLIENT_ID ONELOGIN__CLIENT_SECRET ONELOGIN__INGESTION_ENDPOINT ONELOGIN__RULE_ID ONELOGIN__URL",
        ),
    ] {
        let deployment = deployment(&template, given.clone());
        let settings = settings(&deployment);
        let added: BTreeSet<&str> = added.split(' ').chain(ALWAYS).collect();
        assert_eq!(names(&settings), added, "{given}");
        assert_eq!(
            made(&deployment, "Microsoft.Resources/deployments").len(),
            // Roles, the source, health and content.
            4,
            "{given}"
        );
        assert_eq!(
            deployment.resources("Microsoft.KeyVault/vaults/secrets").unwrap().len(),
            1,
            "{given}"
        );
        for (name, value) in settings.as_object().unwrap() {
            assert_ne!(value, "", "{name}");
        }
    }
}

#[test]
fn a_secret_is_a_reference_to_the_vault() {
    let template = built();
    let deployment = deployment(&template, json!({"sentinelOneUrl": "u", "sentinelOneApiToken": "t"}));
    let settings = settings(&deployment);
    assert_eq!(
        settings["SENTINELONE__API_TOKEN"],
        format!(
            "@Microsoft.KeyVault(SecretUri=https://{}.vault.azure.net/secrets/sentinelone-api-token)",
            variable(&deployment, "name")
        )
    );
    assert_eq!(
        settings["STATE_URL"],
        format!(
            "https://{}.blob.core.windows.net/connector-state",
            variable(&deployment, "stateStorageName")
        )
    );
}

#[test]
fn an_empty_secret_switches_nothing_off_and_keeps_what_is_in_the_vault() {
    let template = built();
    for (given, setting) in [
        (json!({"pingOneWebhook": true}), "PINGONE__PUSH_TOKEN"),
        (json!({"oneLoginWebhook": true}), "ONELOGIN__BEARER_TOKEN"),
        (
            json!({"pingOneEnvironmentId": "e", "pingOneClientId": "c"}),
            "PINGONE__CLIENT_SECRET",
        ),
        (json!({"sentinelOneUrl": "u"}), "SENTINELONE__API_TOKEN"),
    ] {
        let deployment = deployment(&template, given);
        let settings = settings(&deployment);
        let value = settings[setting].as_str().unwrap();
        assert!(value.starts_with("@Microsoft.KeyVault("), "{setting}");
        assert!(
            made(&deployment, "Microsoft.KeyVault/vaults/secrets").is_empty(),
            "{setting}"
        );
    }
}

#[test]
fn a_webhook_is_off_if_that_is_given() {
    let template = built();
    let given = json!({
        "pingOneWebhook": false,
        "pingOnePushToken": "t",
        "oneLoginWebhook": false,
        "oneLoginBearerToken": "t",
    });
    let settings = settings(&deployment(&template, some_source(&given)));
    for setting in ["PINGONE__PUSH_TOKEN", "ONELOGIN__BEARER_TOKEN"] {
        assert!(settings[setting].is_null(), "{setting}");
    }
}

#[test]
fn sentinelone_always_has_the_five_streams_of_the_parser() {
    let template = built();
    let five = [
        "Custom-SentinelOneActivities_CL",
        "Custom-SentinelOneAgents_CL",
        "Custom-SentinelOneAlerts_CL",
        "Custom-SentinelOneGroups_CL",
        "Custom-SentinelOneThreats_CL",
    ];
    for (read, more) in [
        (json!(["threats"]), None),
        (json!(["unified-alerts"]), Some("Custom-SentinelOneAlertsV2_CL")),
    ] {
        let deployment = deployment(&template, json!({"sentinelOneUrl": "u", "sentinelOneStreams": read}));
        let wanted: Vec<&str> = five.into_iter().chain(more).collect();
        assert_eq!(streams_and_tables(&deployment, "sentinelone").0, set(&wanted));
    }
}

#[test]
fn only_tables_that_were_chosen_are_made() {
    let template = built();
    let given = json!({
        "oneLoginBearerToken": "t",
        "oneLoginUrl": "u",
        "oneLoginClientId": "c",
        "oneLoginTablesToCreate": ["OneLoginUsersV2_CL", "none"],
    });
    let (streams, tables) = streams_and_tables(&deployment(&template, given), "onelogin");
    assert_eq!(
        streams,
        set(&[
            "Custom-OneLogin_CL",
            "Custom-OneLoginEventsV2_CL",
            "Custom-OneLoginUsersV2_CL"
        ])
    );
    assert_eq!(tables, set(&["OneLoginUsersV2_CL"]));

    let unused = json!({"pingOnePushToken": "t", "pingOneTablesToCreate": ["PingOne_AuditActivities_CL"]});
    let (streams, tables) = streams_and_tables(&deployment(&template, unused), "pingone");
    assert_eq!(streams, set(&["Custom-PingOne_AuditActivitiesV2_CL"]));
    assert_eq!(tables, set(&[]), "a table that nothing fills");
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
fn the_old_onelogin_table_gets_its_guids() {
    let template = built();
    for (has_guids, transformation) in [
        (false, "source | where true"),
        (
            true,
            "source | where true | extend create__id_g = toguid(create__id_g), uuid_g = toguid(uuid_g)",
        ),
    ] {
        let given = json!({
            "oneLoginBearerToken": "t",
            "oneLoginTableHasGuidColumns": has_guids,
            "transformOneLogin": "source | where true",
        });
        let deployment = deployment(&template, given);
        assert_eq!(
            rule(&deployment, "onelogin")["dataFlows"][0]["transformKql"],
            transformation
        );
    }
}

#[test]
fn a_system_identity_and_another_cloud_have_their_own_settings() {
    let template = built();
    let system = settings(&deployment(
        &template,
        some_source(&json!({"identityType": "SystemAssigned"})),
    ));
    assert_eq!(system["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"], "Authorization=AAD");
    assert!(!names(&system).contains("AZURE_CLIENT_ID"));

    let government = settings(&deployment(&template, some_source(&json!({}))).in_cloud("AzureUSGovernment"));
    assert_eq!(government["LOGS_INGESTION__AUDIENCE"], "https://monitor.azure.us");
    assert!(names(&government).contains("AzureWebJobsStorage__blobServiceUri"));
    assert!(!names(&government).contains("AzureWebJobsStorage__accountName"));
}

#[test]
fn further_settings_win() {
    let template = built();
    let given = json!({"additionalSettings": {"POLL_LOOKBACK": "24h", "POLL_SCHEDULE": "0 0 * * * *"}});
    let settings = settings(&deployment(&template, some_source(&given)));
    assert_eq!(
        (&settings["POLL_LOOKBACK"], &settings["POLL_SCHEDULE"]),
        (&json!("24h"), &json!("0 0 * * * *"))
    );
}

#[test]
fn the_app_and_its_package_have_the_same_identity() {
    let template = built();
    let own = variable(&deployment(&template, some_source(&json!({}))), "identityId");
    for (kind, existing, owned) in [
        ("SystemAssigned", "", Value::Null),
        ("UserAssigned", "", own.into()),
        ("UserAssigned", "/existing", "/existing".into()),
    ] {
        let given = json!({"identityType": kind, "existingIdentityResourceId": existing});
        let deployment = deployment(&template, some_source(&given));
        let site = deployment
            .value(deployment.resources("Microsoft.Web/sites").unwrap()[0])
            .unwrap();
        let storage = &site["properties"]["functionAppConfig"]["deployment"]["storage"]["authentication"];
        assert_eq!(storage["type"], format!("{kind}Identity"));
        assert_eq!(storage["userAssignedIdentityResourceId"], owned);
        assert_eq!(site["identity"]["type"], kind);
        let identities = site["identity"]["userAssignedIdentities"].as_object();
        assert_eq!(
            identities
                .and_then(|identities| identities.keys().next())
                .map(String::as_str),
            owned.as_str()
        );
        let identities = made(&deployment, "Microsoft.ManagedIdentity/userAssignedIdentities");
        assert_eq!(
            identities.len(),
            usize::from(kind == "UserAssigned" && existing.is_empty())
        );
    }
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
