//! Where a deployment goes: its cloud, subscription and resource group, and ids within them.

use serde_json::{Value, json};

use super::call::Call;
use super::error::{Evaluated, invalid};

/// The tenant, subscription, resource group and region of every deployment that is evaluated here.
pub const TENANT: &str = "00000000-0000-0000-0000-00000000000a";
pub const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";
pub const RESOURCE_GROUP: &str = "connector";
pub const LOCATION: &str = "westeurope";

#[derive(Debug, Clone)]
pub struct DeploymentScope {
    pub cloud: &'static str,
    pub subscription: String,
    pub resource_group: String,
}

impl Default for DeploymentScope {
    fn default() -> Self {
        Self {
            cloud: "AzureCloud",
            subscription: SUBSCRIPTION.to_owned(),
            resource_group: RESOURCE_GROUP.to_owned(),
        }
    }
}

impl DeploymentScope {
    /// Suffixes: learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-deployment#environment
    pub fn environment(&self) -> Value {
        let (storage, vault, login, manager) = match self.cloud {
            "AzureUSGovernment" => (
                "core.usgovcloudapi.net",
                ".vault.usgovcloudapi.net",
                "https://login.microsoftonline.us/",
                "https://management.usgovcloudapi.net/",
            ),
            "AzureChinaCloud" => (
                "core.chinacloudapi.cn",
                ".vault.azure.cn",
                "https://login.chinacloudapi.cn/",
                "https://management.chinacloudapi.cn/",
            ),
            _ => (
                "core.windows.net",
                ".vault.azure.net",
                "https://login.microsoftonline.com/",
                "https://management.azure.com/",
            ),
        };
        json!({
            "name": self.cloud,
            "resourceManager": manager,
            "authentication": {"loginEndpoint": login, "tenant": "common"},
            "suffixes": {"storage": storage, "keyvaultDns": vault},
        })
    }

    pub fn subscription_object(&self) -> Value {
        json!({
            "id": format!("/subscriptions/{}", self.subscription),
            "subscriptionId": self.subscription,
            "tenantId": TENANT,
            "displayName": "subscription",
        })
    }

    pub fn resource_group_object(&self) -> Value {
        json!({"id": self.path(), "name": self.resource_group, "location": LOCATION})
    }

    pub fn tenant_object(&self) -> Value {
        json!({"tenantId": TENANT})
    }

    /// The id of the resource group.
    pub fn path(&self) -> String {
        group_path(&self.subscription, &self.resource_group)
    }

    /// `resourceId([subscription], [resource group], type, names...)`
    pub fn resource_id(&self, call: &Call<'_>) -> Evaluated {
        let of_type = type_position(call)?;
        let group = match of_type {
            0 => self.path(),
            1 => group_path(&self.subscription, call.text(0)?),
            _ => group_path(call.text(0)?, call.text(1)?),
        };
        Ok(format!("{group}{}", provider_path(call, of_type)?.as_str().unwrap_or_default()).into())
    }

    /// `subscriptionResourceId([subscription], type, names...)`
    pub fn subscription_resource_id(&self, call: &Call<'_>) -> Evaluated {
        let of_type = type_position(call)?;
        let subscription = match of_type {
            0 => self.subscription.as_str(),
            _ => call.text(0)?,
        };
        let path = provider_path(call, of_type)?;
        Ok(format!("/subscriptions/{subscription}{}", path.as_str().unwrap_or_default()).into())
    }
}

fn group_path(subscription: &str, resource_group: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{resource_group}")
}

/// `extensionResourceId(scope, type, names...)`
pub fn extension_resource_id(call: &Call<'_>) -> Evaluated {
    let path = provider_path(call, 1)?;
    Ok(format!("{}{}", call.text(0)?, path.as_str().unwrap_or_default()).into())
}

/// The first argument that is a type: the only one with a slash in front of names.
fn type_position(call: &Call<'_>) -> Evaluated<usize> {
    let is_type = |argument: &Value| argument.as_str().is_some_and(|text| text.contains('/'));
    match call.arguments.iter().position(is_type) {
        Some(position) => Ok(position),
        None => Err(call.wrong("a resource type", 0)),
    }
}

/// `/providers/<namespace>/<type>/<name>...` of a type and as many names as it has segments.
pub fn provider_path(call: &Call<'_>, of_type: usize) -> Evaluated {
    let names: Evaluated<Vec<&str>> = (of_type + 1..call.arguments.len())
        .map(|position| call.text(position))
        .collect();
    path(call.text(of_type)?, &names?).map(Value::from)
}

/// As [`provider_path`].
pub fn path(resource_type: &str, names: &[&str]) -> Evaluated<String> {
    let mut segments = resource_type.split('/');
    let namespace = segments.next().unwrap_or_default();
    let kinds: Vec<&str> = segments.collect();
    if kinds.len() != names.len() {
        return invalid(format!("{resource_type} has {} names, not {names:?}", kinds.len()));
    }
    let pairs = kinds.iter().zip(names);
    let tail: String = pairs.map(|(kind, name)| format!("/{kind}/{name}")).collect();
    Ok(format!("/providers/{namespace}{tail}"))
}
