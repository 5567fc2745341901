//! What the app's identity may do in its own resource group.
//!
//! Role assignments are named with the principal, which only a deployment inside can know: an identity that was made anew
//! gets new ones, where a name that stayed would be refused (*RoleAssignmentUpdateNotPermitted*).

use serde_json::{Map, Value, json};

use super::deployment::SCHEMA;

/// Before the site: a user-assigned identity.
pub const OF_USER_IDENTITY: &str = "roles-user";
/// After the site, which a system-assigned identity comes with.
pub const OF_SYSTEM_IDENTITY: &str = "roles-system";

const HOST_STORAGE: &str = "resourceId('Microsoft.Storage/storageAccounts', parameters('storageName'))";
const STATE_CONTAINER: &str = "resourceId('Microsoft.Storage/storageAccounts/blobServices/containers', \
     parameters('stateStorageName'), 'default', parameters('stateContainer'))";
const VAULT: &str = "resourceId('Microsoft.KeyVault/vaults', parameters('appName'))";
const INSIGHTS: &str = "resourceId('Microsoft.Insights/components', parameters('appName'))";

/// What a role is on, and its id. Source of the ids: learn.microsoft.com/azure/role-based-access-control/built-in-roles.
/// The host makes containers and tables of its own beside the package; state needs one container.
const ROLES: [(&str, &str); 5] = [
    // Storage Blob Data Owner
    (HOST_STORAGE, "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),
    // Storage Table Data Contributor: diagnostic events of the host
    (HOST_STORAGE, "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"),
    // Storage Blob Data Contributor
    (STATE_CONTAINER, "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),
    // Key Vault Secrets User
    (VAULT, "4633458b-17de-408a-b874-0445c86b69e6"),
    // Monitoring Metrics Publisher
    (INSIGHTS, "3913510d-42f4-4e42-8a64-420c390055eb"),
];

/// One deployment for each kind of identity, of which one is made.
pub fn deployments() -> [Value; 2] {
    let of_user = "if(variables('systemIdentity'), '', reference(variables('identityId'), '2023-01-31').principalId)";
    let of_system = "if(variables('systemIdentity'), reference(variables('siteId'), '2024-04-01', 'full').identity.principalId, '')";
    let mut user = deployment(OF_USER_IDENTITY, "not(variables('systemIdentity'))", of_user);
    let mut system = deployment(OF_SYSTEM_IDENTITY, "variables('systemIdentity')", of_system);
    wait_for(
        &mut user,
        "[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', variables('name'))]",
    );
    wait_for(&mut system, "[resourceId('Microsoft.Web/sites', variables('name'))]");
    [user, system]
}

/// The id of one of the two, for `dependsOn`.
pub fn id(which: &str) -> String {
    format!("[resourceId('Microsoft.Resources/deployments', format('{{0}}-{which}', variables('name')))]")
}

/// The properties of a role assignment in a deployment that has the parameters `principalId` and `delegatedIdentityId`.
pub fn assignment(role_definition: &str) -> Value {
    json!({
        "roleDefinitionId": format!("[{role_definition}]"),
        "principalId": "[parameters('principalId')]",
        "principalType": "ServicePrincipal",
        "delegatedManagedIdentityResourceId": "[if(empty(parameters('delegatedIdentityId')), null(), parameters('delegatedIdentityId'))]",
    })
}

/// What a deployment with role assignments is handed in for `delegatedIdentityId`. Azure takes it where who deploys is of
/// another tenant, and must not get it within one.
/// Source: learn.microsoft.com/azure/azure-resource-manager/managed-applications/concepts-delegated-managed-identity-resource-id
pub const DELEGATED_IDENTITY: &str = "[if(parameters('crossTenant'), variables('identityOwnerId'), '')]";

fn deployment(which: &str, identity: &str, principal: &str) -> Value {
    let given = [
        ("principalId", format!("[{principal}]")),
        ("delegatedIdentityId", DELEGATED_IDENTITY.to_owned()),
        ("appName", "[variables('name')]".to_owned()),
        ("storageName", "[variables('storageName')]".to_owned()),
        ("stateStorageName", "[variables('stateStorageName')]".to_owned()),
        ("stateContainer", "[variables('stateContainer')]".to_owned()),
    ];
    let parameters: Map<_, _> = given
        .iter()
        .map(|(name, _)| ((*name).to_owned(), json!({"type": "string"})))
        .collect();
    let given: Map<_, _> = given
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!({"value": value})))
        .collect();
    json!({
        "type": "Microsoft.Resources/deployments",
        "name": format!("[format('{{0}}-{which}', variables('name'))]"),
        "condition": format!("[and({identity}, not(parameters('skipRoleAssignments')))]"),
        "dependsOn": [
            "[resourceId('Microsoft.Storage/storageAccounts', variables('storageName'))]",
            "[resourceId('Microsoft.Storage/storageAccounts/blobServices/containers', variables('stateStorageName'), 'default', variables('stateContainer'))]",
            "[resourceId('Microsoft.KeyVault/vaults', variables('name'))]",
            "[resourceId('Microsoft.Insights/components', variables('name'))]",
        ],
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": given,
            "template": {
                "$schema": SCHEMA,
                "contentVersion": "1.0.0.0",
                "parameters": parameters,
                "resources": ROLES.map(|(on, role)| resource(on, role)),
            },
        },
    })
}

fn resource(on: &str, role: &str) -> Value {
    let definition = format!("subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{role}')");
    json!({
        "type": "Microsoft.Authorization/roleAssignments",
        "name": format!("[guid({on}, parameters('principalId'), '{role}')]"),
        "scope": format!("[{on}]"),
        "properties": assignment(&definition),
    })
}

fn wait_for(deployment: &mut Value, id: &str) {
    if let Some(before) = deployment["dependsOn"].as_array_mut() {
        before.push(id.into());
    }
}
