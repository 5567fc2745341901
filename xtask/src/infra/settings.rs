//! The app settings: which there are, under which conditions, and the secrets behind them.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::versions::api_version;
use crate::vendors::SOURCES;

/// Settings that are there together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Names it among the template's variables.
    name: String,
    /// The condition, none where they always are.
    when: Option<String>,
    settings: Map<String, Value>,
}

/// A setting whose value lies in the vault.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InVault {
    secret: String,
    parameter: String,
}

/// A variable for each group that can be one; what is known only after other resources are there stays out.
pub fn variables(groups: &[Group]) -> Result<Map<String, Value>, String> {
    let mut variables = Map::new();
    for group in groups {
        if !group.is_known_late() {
            let settings: Result<Map<_, _>, String> = group
                .settings
                .iter()
                .map(|(name, value)| Ok((name.clone(), plain(value)?)))
                .collect();
            variables.insert(group.variable(), settings?.into());
        }
    }
    Ok(variables)
}

/// The names of all settings that the template may write.
pub fn names(groups: &[Group]) -> impl Iterator<Item = &str> {
    let of_groups = groups
        .iter()
        .flat_map(|group| group.settings.keys())
        .map(String::as_str);
    of_groups.chain(
        SOURCES
            .iter()
            .flat_map(|source| [source.endpoint_setting, source.rule_setting]),
    )
}

/// All settings, as one expression.
pub fn expression(groups: &[Group]) -> String {
    let mut parts: Vec<String> = groups.iter().map(Group::expression).collect();
    for source in &SOURCES {
        let version = api_version("Microsoft.Resources/deployments").unwrap_or_default();
        let outputs = format!(
            "reference(variables('{}'), '{version}').outputs",
            source.deployment_variable()
        );
        let settings = format!(
            "createObject('{}', {outputs}.endpoint.value, '{}', {outputs}.ruleId.value)",
            source.endpoint_setting, source.rule_setting
        );
        parts.push(source.if_on(&settings, "createObject()"));
    }
    parts.push("parameters('additionalSettings')".to_owned());
    format!("[union({})]", parts.join(", "))
}

/// A secret in the vault for each parameter that is one, made only if it was given.
pub fn secrets(groups: &[Group]) -> Result<Vec<Value>, String> {
    let values = groups.iter().flat_map(|group| group.settings.values());
    let in_vault = values.filter(|value| value.is_object());
    let secrets = in_vault.map(|value| {
        let InVault { secret, parameter } = in_vault_of(value)?;
        Ok(json!({
            "type": "Microsoft.KeyVault/vaults/secrets",
            "name": format!("[format('{{0}}/{secret}', variables('name'))]"),
            "condition": format!("[not(empty(parameters('{parameter}')))]"),
            "dependsOn": ["[resourceId('Microsoft.KeyVault/vaults', variables('name'))]"],
            "properties": {"value": format!("[parameters('{parameter}')]")},
        }))
    });
    secrets.collect()
}

impl Group {
    fn variable(&self) -> String {
        format!("settings{}", self.name)
    }

    fn is_known_late(&self) -> bool {
        let values = self.settings.values();
        values
            .filter_map(Value::as_str)
            .any(|value| value.contains("reference("))
    }

    fn expression(&self) -> String {
        let settings = if self.is_known_late() {
            self.inline()
        } else {
            format!("variables('{}')", self.variable())
        };
        match &self.when {
            Some(condition) => format!("if({condition}, {settings}, createObject())"),
            None => settings,
        }
    }

    fn inline(&self) -> String {
        let settings = self.settings.iter().map(|(name, value)| {
            let text = value.as_str().unwrap_or_default();
            let value = match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
                Some(expression) => expression.to_owned(),
                None => format!("'{text}'"),
            };
            format!("'{name}', {value}")
        });
        format!("createObject({})", settings.collect::<Vec<_>>().join(", "))
    }
}

fn plain(value: &Value) -> Result<Value, String> {
    if !value.is_object() {
        return Ok(value.clone());
    }
    let InVault { secret, .. } = in_vault_of(value)?;
    let reference = "@Microsoft.KeyVault(SecretUri={0}/secrets/{1})";
    Ok(format!("[format('{reference}', variables('vaultUri'), '{secret}')]").into())
}

fn in_vault_of(value: &Value) -> Result<InVault, String> {
    InVault::deserialize(value).map_err(|error| format!("a setting of the template is malformed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<Group> {
        serde_json::from_value(json!([
            {"name": "A", "settings": {"X": "1"}},
            {"name": "B", "when": "variables('on')", "settings": {"S": {"secret": "s-x", "parameter": "sX"}}},
            {"name": "C", "settings": {"L": "[reference('r').v]", "T": "text"}},
        ]))
        .unwrap()
    }

    #[test]
    fn a_secret_is_a_reference_in_the_settings_and_made_only_if_given() {
        let variables = variables(&groups()).unwrap();
        assert_eq!(
            variables["settingsB"]["S"],
            "[format('@Microsoft.KeyVault(SecretUri={0}/secrets/{1})', variables('vaultUri'), 's-x')]"
        );
        let secrets = secrets(&groups()).unwrap();
        assert_eq!(secrets.len(), 1);
        assert_eq!(secrets[0]["condition"], "[not(empty(parameters('sX')))]");
    }

    #[test]
    fn what_only_a_deployed_resource_knows_is_no_variable() {
        assert!(!variables(&groups()).unwrap().contains_key("settingsC"));
        let expression = expression(&groups());
        assert!(expression.starts_with("[union(variables('settingsA'), if(variables('on'), variables('settingsB'), createObject()), createObject('L', reference('r').v, 'T', 'text'), "), "{expression}");
    }
}
