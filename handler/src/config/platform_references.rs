//! What the platform tells about Key Vault references, those that it resolved and those that it did not.
//!
//! App Service and Functions put it into `WEBSITE_KEYVAULT_REFERENCES` (App Service, "Environment variables and app
//! settings": read-only, all references with their status), as far as is known a JSON object: the name of the setting,
//! and under it `rawReference` (the text as it was written) and `status`. The form is not documented, so it is read
//! without relying on it: under a setting's name any text that is a reference, the address of a secret, or the parts
//! of one count, also in the forms that the management API has (`config/configreferences/appsettings`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::config::reference::Reference;

/// The variable that the platform sets.
pub(super) const PLATFORM_REFERENCES: &str = "WEBSITE_KEYVAULT_REFERENCES";
/// App settings are in the environment under two names, one of which has this in front.
const APP_SETTING: &str = "APPSETTING_";
/// How deep lists of references lie in other objects.
const DEEPEST: usize = 4;

/// The settings that are references, by name; none where the reference itself cannot be read. Empty where the platform
/// tells nothing that can be read.
pub(super) fn platform_references(text: &str) -> BTreeMap<String, Option<Reference>> {
    let told = serde_json::from_str(text).unwrap_or_default();
    let mut found: BTreeMap<String, Option<Reference>> = BTreeMap::new();
    for (name, reference) in told_in(&told, DEEPEST) {
        let name = name.strip_prefix(APP_SETTING).unwrap_or(name);
        let known = found.entry(name.to_owned()).or_default();
        *known = known.take().or(reference);
    }
    found
}

/// Everything that may be the name of a setting, with the reference under it.
fn told_in(told: &Value, deepest: usize) -> Vec<(&str, Option<Reference>)> {
    match told {
        Value::Array(entries) if deepest > 0 => entries.iter().flat_map(|entry| told_in(entry, deepest - 1)).collect(),
        Value::Object(fields) if deepest > 0 => {
            let mut names = ["name", "settingName", "appSettingName"].iter();
            if let Some(name) = names.find_map(|name| fields.get(*name)?.as_str()) {
                return vec![(name, reference_of(told))];
            }
            let entries = fields.iter().flat_map(|(name, told)| {
                let reference = reference_of(told);
                let below = reference.is_none().then(|| told_in(told, deepest - 1));
                std::iter::once((name.as_str(), reference)).chain(below.into_iter().flatten())
            });
            entries.collect()
        }
        _ => Vec::new(),
    }
}

fn reference_of(told: &Value) -> Option<Reference> {
    reference_in(told).or_else(|| reference_in(told.get("properties")?))
}

fn reference_in(told: &Value) -> Option<Reference> {
    match told {
        Value::String(text) => reference_from(text),
        Value::Object(fields) => fields
            .values()
            .find_map(|field| field.as_str().and_then(reference_from))
            .or_else(|| from_parts(fields)),
        _ => None,
    }
}

fn reference_from(text: &str) -> Option<Reference> {
    Reference::parse(text)
        .or_else(|_| Reference::parse(&format!("@Microsoft.KeyVault(SecretUri={text})")))
        .ok()
}

fn from_parts(fields: &Map<String, Value>) -> Option<Reference> {
    let part = |wanted: &str| {
        let found = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.and_then(|(_, value)| value.as_str())
    };
    let (vault, secret) = (part("vaultName")?, part("secretName")?);
    let version = part("secretVersion").unwrap_or_default();
    let text = format!("@Microsoft.KeyVault(VaultName={vault};SecretName={secret};SecretVersion={version})");
    Reference::parse(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let found = platform_references(text).into_iter();
        found
            .filter_map(|(name, reference)| Some((name, reference?.secret_name().to_owned())))
            .collect()
    }

    #[test]
    fn references_are_found_under_the_names_of_their_settings() {
        let text = r#"{
            "A": {"rawReference": "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/a/)", "status": "Resolved"},
            "APPSETTING_B": {"status": "Resolved", "secretUri": "https://v.vault.azure.net/secrets/b/0a1", "n": 7},
            "C": "@Microsoft.KeyVault(VaultName=v;SecretName=c)",
            "D": {"reference": "@Microsoft.KeyVault(VaultName=v;SecretName=d)", "status": "SecretNotFound", "details": null},
            "E": {"vaultName": "v", "secretName": "e", "secretVersion": null, "status": "AccessToKeyVaultDenied"}
        }"#;
        let expected = [("A", "a"), ("B", "b"), ("C", "c"), ("D", "d"), ("E", "e")];
        let expected = expected.map(|(name, secret)| (name.to_owned(), secret.to_owned()));
        assert_eq!(read(text), expected);
    }

    #[test]
    fn references_are_found_in_lists_and_below_other_names() {
        let one = r#"{"name": "A", "properties": {"reference": "@Microsoft.KeyVault(VaultName=v;SecretName=a)"}}"#;
        let expected = [("A".to_owned(), "a".to_owned())];
        assert_eq!(read(&format!("[{one}]")), expected);
        assert_eq!(read(&format!(r#"{{"value": [{one}]}}"#)), expected);
        let text = r#"{"properties": {"keyToReferenceStatuses": {
            "A": {"reference": "@Microsoft.KeyVault(VaultName=v;SecretName=a)", "status": "Resolved"}}}}"#;
        assert_eq!(read(text), expected);
    }

    #[test]
    fn a_setting_is_known_as_a_reference_where_the_reference_cannot_be_read() {
        let found = platform_references(
            r#"{"A": {"status": "SecretNotFound"}, "B": {"rawReference": "@Microsoft.KeyVault(x)"}}"#,
        );
        assert_eq!((found.get("A"), found.get("B")), (Some(&None), Some(&None)));
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        for text in [
            "",
            "[]",
            "7",
            "{",
            r#"{"A": null, "B": [], "C": {"status": "Resolved"}, "D": {"rawReference": 7}}"#,
            r#"{"A": {"rawReference": "@Microsoft.KeyVault(SecretUri=https://evil.test/secrets/a)"}}"#,
        ] {
            assert!(read(text).is_empty(), "{text}");
        }
        let deep = format!("{}{}", r#"{"A":"#.repeat(100), "1".to_owned() + &"}".repeat(100));
        assert!(platform_references(&deep).len() <= 1);
    }
}
