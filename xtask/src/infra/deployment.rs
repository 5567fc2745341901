//! What the deployments inside of the template share.

use serde_json::{Map, Value, json};

/// The language of the template.
pub const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";

/// The principal that the app acts as.
pub const PRINCIPAL_ID: &str = "if(variables('systemIdentity'), \
     reference(variables('siteId'), '2024-04-01', 'full').identity.principalId, \
     reference(variables('identityId'), '2023-01-31').principalId)";

/// The region of the workspace: rules and tables have to be there.
pub const WORKSPACE_LOCATION: &str = "reference(parameters('workspaceResourceId'), '2025-07-01', 'full').location";

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
