//! What the platform tells about the references that it resolved itself.
//!
//! App Service and Functions put it into `WEBSITE_KEYVAULT_REFERENCES` (App Service, "Environment variables and app
//! settings": read-only, all references with their status), as far as is known a JSON object: the name of the setting,
//! and under it `rawReference` (the text as it was written) and `status`. The form is not documented, so it is read
//! without relying on it: any text below a setting's name that is a reference, or the address of a secret, counts.

use serde_json::Value;

use crate::settings::environment::Environment;
use crate::settings::reference::Reference;

const VARIABLE: &str = "WEBSITE_KEYVAULT_REFERENCES";
/// App settings are in the environment under two names, one of which has this in front.
const APP_SETTING: &str = "APPSETTING_";

/// The references of settings by the name of the setting; empty where the platform tells nothing that can be read.
pub(super) fn platform_references(environment: &dyn Environment) -> Vec<(String, Reference)> {
    let text = environment.get(VARIABLE).unwrap_or_default();
    let Ok(Value::Object(told)) = serde_json::from_str(&text) else {
        return Vec::new();
    };
    let named = told.iter().filter_map(|(name, told)| {
        let name = name.strip_prefix(APP_SETTING).unwrap_or(name);
        Some((name.to_owned(), reference_in(told)?))
    });
    named.collect()
}

fn reference_in(told: &Value) -> Option<Reference> {
    match told {
        Value::String(text) => reference_from(text),
        Value::Object(fields) => fields
            .values()
            .find_map(|field| field.as_str().and_then(reference_from)),
        _ => None,
    }
}

fn reference_from(text: &str) -> Option<Reference> {
    Reference::parse(text)
        .or_else(|_| Reference::parse(&format!("@Microsoft.KeyVault(SecretUri={text})")))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::environment::MapEnvironment;

    fn read(text: &str) -> Vec<(String, String)> {
        let environment = MapEnvironment::from([(VARIABLE, text)]);
        let mut found: Vec<(String, String)> = platform_references(&environment)
            .into_iter()
            .map(|(name, reference)| (name, reference.secret_name().to_owned()))
            .collect();
        found.sort();
        found
    }

    #[test]
    fn references_are_found_under_the_names_of_their_settings() {
        let text = r#"{
            "A": {"rawReference": "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/a/)", "status": "Resolved"},
            "APPSETTING_B": {"status": "Resolved", "secretUri": "https://v.vault.azure.net/secrets/b/0a1", "n": 7},
            "C": "@Microsoft.KeyVault(VaultName=v;SecretName=c)"
        }"#;
        let expected = [("A", "a"), ("B", "b"), ("C", "c")].map(|(name, secret)| (name.to_owned(), secret.to_owned()));
        assert_eq!(read(text), expected);
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
        assert!(platform_references(&MapEnvironment::default()).is_empty());
    }
}
