//! Which settings are Key Vault references, resolved by the platform or not.

use std::collections::BTreeSet;

use crate::config::catalog;
use crate::config::environment::Environment;
use crate::config::platform_references::platform_references;
use crate::config::reference::Reference;

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
    let told = platform_references(environment);
    // What the platform could not resolve may be left out of the environment altogether.
    let names: BTreeSet<String> = environment.names().into_iter().chain(told.keys().cloned()).collect();
    let ours = names.into_iter().filter(|name| catalog::is_ours(name));
    ours.filter_map(|setting| {
        if environment.is_unreadable(&setting) {
            return None;
        }
        let text = environment.get(&setting).unwrap_or_default();
        let is_written = Reference::is_meant_by(&text);
        let reference = match is_written {
            true => Reference::parse(&text).ok()?,
            false => told.get(&setting).cloned().flatten()?,
        };
        let is_resolved = !is_written && !text.trim_ascii().is_empty();
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
    use crate::config::environment::MapEnvironment;

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
                    "SENTINELONE__URL":{"rawReference":"@Microsoft.KeyVault(VaultName=v;SecretName=n)","status":"SecretNotFound"},
                    "PINGONE__PUSH_TOKEN":{"reference":"@Microsoft.KeyVault(VaultName=v;SecretName=n)"},
                    "PINGONE__CLIENT_ID":{"status":"SecretNotFound"},
                    "OTHERS":{"rawReference":"@Microsoft.KeyVault(VaultName=v;SecretName=n)"}}"#,
            ),
            ("PINGONE__PUSH_TOKEN", " "),
        ]);

        let found: Vec<(String, bool)> = references(&environment)
            .into_iter()
            .map(|found| (found.setting, found.is_resolved))
            .collect();

        let expected = [
            ("PINGONE__ACME__CLIENT_SECRET", false),
            // Left out, or left empty, by the platform.
            ("PINGONE__PUSH_TOKEN", false),
            ("SENTINELONE__API_TOKEN", true),
            ("SENTINELONE__URL", false),
            ("STATE_URL", false),
        ];
        assert_eq!(
            found,
            expected.map(|(name, is_resolved)| (name.to_owned(), is_resolved))
        );
    }
}
