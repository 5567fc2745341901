//! The syntax of Key Vault references. Resolving them is done elsewhere.

use std::collections::BTreeMap;

use crate::config::origin::Origin;
use crate::config::web_address;

const PREFIX: &str = "@Microsoft.KeyVault(";
const VAULT_DOMAINS: [&str; 3] = [".vault.azure.net", ".vault.usgovcloudapi.net", ".vault.azure.cn"];

/// The forms a reference may have, for messages.
pub(super) const ACCEPTED_FORMS: &str = "@Microsoft.KeyVault(SecretUri=https://<vault>.vault.azure.net/secrets/<name>/<version>) or \
     @Microsoft.KeyVault(VaultName=<vault>;SecretName=<name>;SecretVersion=<version>), each with \
     or without the version";

/// A pointer to a secret in a Key Vault, as written in an app setting.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    vault: Origin,
    secret_name: String,
    version: Option<String>,
}

/// A value that begins like a Key Vault reference and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is a Key Vault reference in a form that is not accepted; write {ACCEPTED_FORMS}")]
pub struct MalformedReference;

impl Reference {
    /// Whether a value is meant as a reference: the platform leaves the text in place where it
    /// could not resolve it.
    pub fn is_meant_by(value: &str) -> bool {
        value
            .trim_ascii_start()
            .get(..PREFIX.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
    }

    /// Reads a reference in either of its two forms.
    ///
    /// # Errors
    /// Where the text is no reference that could be resolved.
    pub fn parse(value: &str) -> Result<Self, MalformedReference> {
        if !Self::is_meant_by(value) {
            return Err(MalformedReference);
        }
        let reference = value
            .trim_ascii()
            .get(PREFIX.len()..)
            .and_then(|rest| rest.strip_suffix(')'))
            .and_then(from_parts);
        reference.ok_or(MalformedReference)
    }

    /// The vault, e.g. `https://my-vault.vault.azure.net`.
    pub fn vault(&self) -> &Origin {
        &self.vault
    }

    /// The name of the secret in its vault.
    pub fn secret_name(&self) -> &str {
        &self.secret_name
    }

    /// The version of the secret; none stands for the latest one.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

/// Reads the `key=value` parts between the brackets, whose keys are in any order and any case.
fn from_parts(text: &str) -> Option<Reference> {
    let mut parts = BTreeMap::new();
    for part in text.split(';') {
        let (key, value) = part.split_once('=')?;
        let known = parts.insert(key.trim_ascii().to_ascii_lowercase(), value.trim_ascii());
        if known.is_some() {
            return None;
        }
    }
    let parts: Vec<(&str, &str)> = parts.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    match *parts.as_slice() {
        [("secreturi", uri)] => from_uri(uri),
        [("secretname", name), ("vaultname", vault)] => from_names(vault, name, None),
        [("secretname", name), ("secretversion", version), ("vaultname", vault)] => {
            // An empty version is how a template writes "the latest".
            from_names(vault, name, Some(version).filter(|version| !version.is_empty()))
        }
        _ => None,
    }
}

fn from_names(vault: &str, name: &str, version: Option<&str>) -> Option<Reference> {
    if !is_word(vault, 24) {
        return None;
    }
    let host = format!("{}{}", vault.to_ascii_lowercase(), VAULT_DOMAINS[0]);
    reference(Origin::of_host(&host), name, version)
}

fn from_uri(uri: &str) -> Option<Reference> {
    let url = web_address::parse(uri)?;
    let host = url.host_str()?;
    let vault = VAULT_DOMAINS.iter().find_map(|domain| host.strip_suffix(domain))?;
    let is_plain_https = url.scheme() == "https" && url.port().is_none() && url.query().is_none();
    if !is_plain_https || !is_word(vault, 24) {
        return None;
    }

    let path = url.path();
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut segments = path.strip_prefix("/secrets/")?.split('/');
    let name = segments.next()?;
    let version = segments.next();
    if segments.next().is_some() {
        return None;
    }
    reference(Origin::of(&url), name, version)
}

fn reference(vault: Origin, name: &str, version: Option<&str>) -> Option<Reference> {
    if !is_word(name, 127) || !version.is_none_or(|version| is_word(version, 127)) {
        return None;
    }
    Some(Reference {
        vault,
        secret_name: name.to_owned(),
        version: version.map(str::to_owned),
    })
}

fn is_word(text: &str, longest: usize) -> bool {
    let is_word_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.len() <= longest && text.bytes().all(is_word_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_with_and_without_a_version() {
        let vault = "https://v.vault.azure.net";
        for (written, vault, name, version) in [
            ("SecretUri=https://v.vault.azure.net/secrets/n", vault, "n", None),
            ("SecretUri=https://v.vault.azure.net/secrets/n/", vault, "n", None),
            (
                "SecretUri=https://v.vault.azure.net/secrets/n/0a1",
                vault,
                "n",
                Some("0a1"),
            ),
            (
                "secreturi=https://V.vault.azure.net:443/secrets/n/0a1/",
                vault,
                "n",
                Some("0a1"),
            ),
            ("VaultName=v;SecretName=n", vault, "n", None),
            ("VaultName=v;SecretName=n;SecretVersion=", vault, "n", None),
            (
                "SecretVersion=0a1; SecretName=n-2 ;VaultName=v",
                vault,
                "n-2",
                Some("0a1"),
            ),
            (
                "SecretUri=https://v.vault.usgovcloudapi.net/secrets/n",
                "https://v.vault.usgovcloudapi.net",
                "n",
                None,
            ),
            (
                "SecretUri=https://v.vault.azure.cn/secrets/n",
                "https://v.vault.azure.cn",
                "n",
                None,
            ),
        ] {
            for prefix in ["@Microsoft.KeyVault(", " @microsoft.keyvault("] {
                let reference = Reference::parse(&format!("{prefix}{written})")).unwrap();
                assert_eq!(reference.vault().as_str(), vault);
                assert_eq!(reference.secret_name(), name);
                assert_eq!(reference.version(), version);
            }
        }
    }

    #[test]
    fn other_forms_are_malformed_but_still_meant_as_references() {
        for written in [
            "",
            "SecretUri=",
            "SecretUri=http://v.vault.azure.net/secrets/n",
            "SecretUri=https://v.vault.azure.net:8443/secrets/n",
            "SecretUri=https://evil.test/secrets/n",
            "SecretUri=https://evilvault.azure.net/secrets/n",
            "SecretUri=https://a.b.vault.azure.net/secrets/n",
            "SecretUri=https://vault.azure.net/secrets/n",
            "SecretUri=https://v.vault.azure.net/keys/n",
            "SecretUri=https://v.vault.azure.net/secrets/",
            "SecretUri=https://v.vault.azure.net/secrets/n/1/2",
            "SecretUri=https://v.vault.azure.net/secrets/n/../m",
            "SecretUri=https://v.vault.azure.net/secrets/n?x=y",
            "SecretUri=https://v.vault.azure.net/secrets/n;VaultName=v",
            "VaultName=v",
            "SecretName=n",
            "VaultName=v;SecretName=n;SecretName=m",
            "VaultName=v.evil.test/;SecretName=n",
            "VaultName=v;SecretName=a/b",
            "VaultName=v;SecretName=n;Colour=red",
            "VaultName=v;SecretName=n;",
        ] {
            let value = format!("@Microsoft.KeyVault({written})");
            assert!(Reference::is_meant_by(&value), "{written}");
            assert!(Reference::parse(&value).is_err(), "{written}");
        }
        let unclosed = "@Microsoft.KeyVault(VaultName=v;SecretName=n";
        assert!(Reference::is_meant_by(unclosed));
        assert!(Reference::parse(unclosed).is_err());
    }

    #[test]
    fn other_values_are_no_references() {
        for value in [
            "",
            "@",
            "@Microsoft.KeyVault",
            "x@Microsoft.KeyVault()",
            "@Microsoft.KeyVa\u{fc}lt(",
        ] {
            assert!(!Reference::is_meant_by(value), "{value}");
            assert!(Reference::parse(value).is_err(), "{value}");
        }
    }
}
