//! The API version of every resource type, pinned once. Parts of the template name none.

/// Resource types and the version that the template asks for.
pub const API_VERSIONS: [(&str, &str); 27] = [
    ("Microsoft.Authorization/roleAssignments", "2022-04-01"),
    ("Microsoft.Insights/components", "2020-02-02"),
    ("Microsoft.Insights/dataCollectionEndpoints", "2023-03-11"),
    ("Microsoft.Insights/dataCollectionRules", "2023-03-11"),
    // No version without preview has the settings of logs.
    ("Microsoft.Insights/diagnosticSettings", "2021-05-01-preview"),
    ("Microsoft.Insights/scheduledQueryRules", "2023-12-01"),
    ("Microsoft.Insights/workbooks", "2023-06-01"),
    ("Microsoft.KeyVault/vaults", "2024-11-01"),
    ("Microsoft.KeyVault/vaults/secrets", "2024-11-01"),
    ("Microsoft.ManagedIdentity/userAssignedIdentities", "2023-01-31"),
    // The oldest that every cloud has.
    ("Microsoft.Network/privateDnsZones", "2020-06-01"),
    ("Microsoft.Network/privateDnsZones/virtualNetworkLinks", "2020-06-01"),
    ("Microsoft.Network/privateEndpoints", "2024-05-01"),
    ("Microsoft.Network/privateEndpoints/privateDnsZoneGroups", "2024-05-01"),
    ("Microsoft.OperationalInsights/workspaces", "2025-07-01"),
    ("Microsoft.OperationalInsights/workspaces/savedSearches", "2025-07-01"),
    ("Microsoft.OperationalInsights/workspaces/tables", "2025-07-01"),
    ("Microsoft.Resources/deployments", "2022-09-01"),
    ("Microsoft.SecurityInsights/alertRules", "2025-09-01"),
    ("Microsoft.SecurityInsights/dataConnectorDefinitions", "2025-09-01"),
    ("Microsoft.Storage/storageAccounts", "2024-01-01"),
    (
        "Microsoft.Storage/storageAccounts/blobServices/containers",
        "2024-01-01",
    ),
    ("Microsoft.Web/serverfarms", "2024-04-01"),
    ("Microsoft.Web/sites", "2024-04-01"),
    ("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "2024-04-01"),
    ("Microsoft.Web/sites/config", "2024-04-01"),
    // The newest version whose documentation names `onedeploy`.
    ("Microsoft.Web/sites/extensions", "2022-09-01"),
];

/// The pinned version of a resource type.
pub fn api_version(resource_type: &str) -> Option<&'static str> {
    let pinned = API_VERSIONS.iter().find(|(name, _)| *name == resource_type);
    pinned.map(|(_, version)| *version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_stands_once_and_in_order() {
        assert!(API_VERSIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
