//! The tags of every resource that can have some, those of deployments inside included.

use serde_json::{Value, json};

/// Types that take tags, of those that are used here or are likely to be.
/// Source: learn.microsoft.com/azure/azure-resource-manager/management/tag-support
const TAGGABLE: [&str; 15] = [
    "Microsoft.Insights/actionGroups",
    "Microsoft.Insights/components",
    "Microsoft.Insights/dataCollectionEndpoints",
    "Microsoft.Insights/dataCollectionRules",
    "Microsoft.Insights/scheduledQueryRules",
    "Microsoft.Insights/workbooks",
    "Microsoft.KeyVault/vaults",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Network/privateDnsZones",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Resources/deployments",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Web/serverfarms",
    "Microsoft.Web/sites",
];

/// What a deployment inside is handed in.
pub const INSIDE: &str = "[parameters('tags')]";
/// The tags of the template that makes the app.
pub const OF_APP: &str = "[variables('tags')]";

/// Whether a resource can have tags.
pub fn takes_tags(resource: &Value) -> bool {
    resource["type"].as_str().is_some_and(|name| TAGGABLE.contains(&name))
}

/// Gives every resource of a template its tags: `tags` is an expression of that template.
pub fn apply(template: &mut Value, tags: &str) {
    for resource in template["resources"].as_array_mut().into_iter().flatten() {
        if takes_tags(resource) {
            resource["tags"] = tags.into();
        }
        let Some(inner) = resource.pointer_mut("/properties/template") else {
            continue;
        };
        apply(inner, INSIDE);
        // The content has tags of its own choice.
        if uses_tags(inner) && inner["parameters"]["tags"].is_null() {
            inner["parameters"]["tags"] = json!({"type": "object"});
            resource["properties"]["parameters"]["tags"] = json!({"value": tags});
        }
    }
}

fn uses_tags(template: &Value) -> bool {
    let mut resources = template["resources"].as_array().into_iter().flatten();
    resources.any(takes_tags)
}
