//! Which settings are Key Vault references, resolved by the platform or not.

use std::collections::{BTreeMap, BTreeSet};

use crate::settings::catalog;
use crate::settings::environment::Environment;
use crate::settings::platform_references::platform_references;
use crate::settings::reference::Reference;

/// A setting whose value lies in a Key Vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingReference {
    /// Name of the setting.
    pub setting: String,
    /// Where its value lies.
    pub reference: Reference,
    /// Whether the environment has the value: the platform resolved the reference before the start.
    pub is_resolved: bool,
}

/// The references of all our settings, in the order of their names. One in a form that is not accepted is none; the
/// load of the settings says so.
pub fn references(environment: &dyn Environment) -> Vec<SettingReference> {
    let told: BTreeMap<String, Reference> = platform_references(environment).into_iter().collect();
    let names: BTreeSet<String> = environment.names().into_iter().collect();
    let ours = names.into_iter().filter(|name| catalog::is_ours(name));
    ours.filter_map(|setting| {
        let text = environment.get(&setting)?;
        let is_resolved = !Reference::is_meant_by(&text);
        let reference = match is_resolved {
            true => told.get(&setting).cloned()?,
            false => Reference::parse(&text).ok()?,
        };
        Some(SettingReference {
            setting,
            reference,
            is_resolved,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::environment::MapEnvironment;

    #[test]
    fn references_of_our_settings_are_found_and_those_of_others_are_not() {
        let reference = "@Microsoft.KeyVault(VaultName=v;SecretName=n)";
        let environment = MapEnvironment::from([
            ("PINGONE__ACME__CLIENT_SECRET", reference),
            ("STATE_URL", reference),
            ("SENTINELONE__API_TOKEN", "resolved"),
            ("ONELOGIN__CLIENT_SECRET", "plain"),
            ("ONELOGIN__BEARER_TOKEN", "@Microsoft.KeyVault(nonsense)"),
            ("SOMETHING_ELSE", reference),
            (
                "WEBSITE_KEYVAULT_REFERENCES",
                r#"{"SENTINELONE__API_TOKEN":{"rawReference":"@Microsoft.KeyVault(VaultName=v;SecretName=n)","status":"Resolved"},
                    "SENTINELONE__URL":{"rawReference":"@Microsoft.KeyVault(VaultName=v;SecretName=n)"}}"#,
            ),
        ]);

        let found: Vec<(String, bool)> = references(&environment)
            .into_iter()
            .map(|found| (found.setting, found.is_resolved))
            .collect();

        let expected = [
            ("PINGONE__ACME__CLIENT_SECRET", false),
            ("SENTINELONE__API_TOKEN", true),
            ("STATE_URL", false),
        ];
        assert_eq!(
            found,
            expected.map(|(name, is_resolved)| (name.to_owned(), is_resolved))
        );
    }
}
