//! The data collection endpoint, for those who send through a private link.

use serde_json::{Map, Value, json};

use super::deployment::{SCHEMA, WORKSPACE_LOCATION, in_workspace};

const ID: &str = "resourceId('Microsoft.Insights/dataCollectionEndpoints', parameters('name'))";

/// Its deployment beside the workspace.
pub fn deployment() -> Value {
    let mut given = Map::new();
    given.insert(
        "name".to_owned(),
        json!({"value": "[format('dce-{0}', variables('name'))]"}),
    );
    given.insert(
        "location".to_owned(),
        json!({"value": format!("[{WORKSPACE_LOCATION}]")}),
    );
    let template = json!({
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {"name": {"type": "string"}, "location": {"type": "string"}},
        "resources": [{
            "type": "Microsoft.Insights/dataCollectionEndpoints",
            "name": "[parameters('name')]",
            "location": "[parameters('location')]",
            "properties": {"networkAcls": {"publicNetworkAccess": "Disabled"}},
        }],
        "outputs": {
            "id": {"type": "string", "value": format!("[{ID}]")},
            "address": {"type": "string", "value": format!("[reference({ID}, '2023-03-11').logsIngestion.endpoint]")},
        },
    });
    let mut deployment = in_workspace("[format('{0}-endpoint', variables('name'))]", given, template);
    deployment["condition"] = "[parameters('useDataCollectionEndpoint')]".into();
    deployment
}
