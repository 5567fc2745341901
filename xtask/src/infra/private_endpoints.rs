//! Private endpoints of storage and vault, with their DNS zones: before the site, which reads all of them as it starts.

use serde_json::{Value, json};

const ENDPOINT: &str = "Microsoft.Network/privateEndpoints";
const ZONE_GROUP: &str = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups";
const ZONE: &str = "Microsoft.Network/privateDnsZones";
const ZONE_LINK: &str = "Microsoft.Network/privateDnsZones/virtualNetworkLinks";

/// What gets an endpoint. State needs blobs alone; the host of the app keeps tables too.
const ENDPOINTS: [Endpoint; 4] = [
    Endpoint {
        short: "host-blob",
        group: "blob",
        of: "resourceId('Microsoft.Storage/storageAccounts', variables('storageName'))",
    },
    Endpoint {
        short: "host-table",
        group: "table",
        of: "resourceId('Microsoft.Storage/storageAccounts', variables('storageName'))",
    },
    Endpoint {
        short: "state-blob",
        group: "blob",
        of: "resourceId('Microsoft.Storage/storageAccounts', variables('stateStorageName'))",
    },
    Endpoint {
        short: "vault",
        group: "vault",
        of: "resourceId('Microsoft.KeyVault/vaults', variables('name'))",
    },
];

/// A DNS zone for each group, in the variable `<group>Zone`.
const GROUPS: [&str; 3] = ["blob", "table", "vault"];

struct Endpoint {
    /// The end of its name.
    short: &'static str,
    /// What of the resource it leads to, and the zone that has its name.
    group: &'static str,
    of: &'static str,
}

impl Endpoint {
    fn name(&self) -> String {
        format!("format('pe-{{0}}-{}', variables('name'))", self.short)
    }

    fn id(&self) -> String {
        format!("[resourceId('{ENDPOINT}', {})]", self.name())
    }

    fn resource(&self) -> Value {
        json!({
            "type": ENDPOINT,
            "name": format!("[{}]", self.name()),
            "condition": "[variables('makesPrivateEndpoints')]",
            "location": "[parameters('appLocation')]",
            "dependsOn": [format!("[{}]", self.of)],
            "properties": {
                "subnet": {"id": "[parameters('privateEndpointSubnetId')]"},
                "privateLinkServiceConnections": [{
                    "name": self.short,
                    "properties": {"privateLinkServiceId": format!("[{}]", self.of), "groupIds": [self.group]},
                }],
            },
        })
    }

    fn zone_group(&self) -> Value {
        json!({
            "type": ZONE_GROUP,
            "name": format!("[format('pe-{{0}}-{}/default', variables('name'))]", self.short),
            "condition": "[variables('hasDnsZones')]",
            "dependsOn": [self.id(), zone_id(self.group)],
            "properties": {
                "privateDnsZoneConfigs": [{
                    "name": self.group,
                    "properties": {"privateDnsZoneId": format!("[variables('dnsZoneIds').{}]", self.group)},
                }],
            },
        })
    }
}

/// All of it.
pub fn resources() -> Vec<Value> {
    let zones = GROUPS.into_iter().flat_map(|group| [zone(group), zone_link(group)]);
    let endpoints = ENDPOINTS
        .iter()
        .flat_map(|endpoint| [endpoint.resource(), endpoint.zone_group()]);
    zones.chain(endpoints).collect()
}

/// Lets the site among the resources wait for all of it.
pub fn put_before_site(resources: &mut [Value]) {
    let site = resources
        .iter_mut()
        .find(|resource| resource["type"] == "Microsoft.Web/sites");
    if let Some(waits_for) = site.and_then(|site| site["dependsOn"].as_array_mut()) {
        waits_for.extend(before_site().map(Value::from));
    }
}

fn before_site() -> impl Iterator<Item = String> {
    let links = GROUPS
        .into_iter()
        .map(|group| format!("[resourceId('{ZONE_LINK}', variables('{group}Zone'), variables('name'))]"));
    let endpoints = ENDPOINTS.iter().flat_map(|endpoint| {
        let group = format!("[resourceId('{ZONE_GROUP}', {}, 'default')]", endpoint.name());
        [endpoint.id(), group]
    });
    links.chain(endpoints)
}

fn zone_id(group: &str) -> String {
    format!("[resourceId('{ZONE}', variables('{group}Zone'))]")
}

fn zone(group: &str) -> Value {
    json!({
        "type": ZONE,
        "name": format!("[variables('{group}Zone')]"),
        "condition": "[variables('makesDnsZones')]",
        "location": "global",
    })
}

fn zone_link(group: &str) -> Value {
    json!({
        "type": ZONE_LINK,
        "name": format!("[format('{{0}}/{{1}}', variables('{group}Zone'), variables('name'))]"),
        "condition": "[variables('makesDnsZones')]",
        "location": "global",
        "dependsOn": [zone_id(group)],
        "properties": {"registrationEnabled": false, "virtualNetwork": {"id": "[variables('networkId')]"}},
    })
}
