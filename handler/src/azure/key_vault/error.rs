//! Why a secret could not be had, and what to do about it. No text holds a value.

use std::time::Duration;

use azure_core::error::ErrorKind;
use serde_json::Value;

use crate::config::Reference;
use crate::http::ConnectFailure;

/// Resolving takes no longer than this, all tries of all references together: they run side by side.
pub const LONGEST_RESOLVING: Duration = Duration::from_secs(10);
const LONGEST_REASON: usize = 200;
const LONGEST_CODE: usize = 60;

/// A reference that cannot be resolved at present.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("secret {secret} of {vault}: {fault}")]
pub struct KeyVaultError {
    vault: String,
    secret: String,
    fault: LookupFault,
}

impl KeyVaultError {
    pub(super) fn new(reference: &Reference, fault: LookupFault) -> Self {
        let secret = match reference.version() {
            Some(version) => format!("{}/{version}", reference.secret_name()),
            None => reference.secret_name().to_owned(),
        };
        Self {
            vault: reference.vault().as_str().to_owned(),
            secret,
            fault,
        }
    }

    /// For tests of others.
    #[cfg(test)]
    pub fn no_answer(reference: &Reference) -> Self {
        Self::new(reference, LookupFault::NoAnswer)
    }
}

/// What went wrong. A code is the service's own, in brackets, or empty where it gave none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LookupFault {
    #[error(
        "the vault answered 403{0}; give the identity of the app the role Key Vault Secrets User on the vault (a new role takes some minutes)"
    )]
    NoRole(String),
    #[error("the vault answered 403{0}; let the network of the app through the firewall of the vault")]
    Firewall(String),
    #[error("the secret is disabled; enable it, or point the reference to another one")]
    Disabled,
    #[error("the vault answered 404{0}; check the name and the version of the secret")]
    NotFound(String),
    #[error("the secret is empty; give it a value")]
    Empty,
    /// The token is not good for this vault.
    #[error("the vault answered 401{0}; it must belong to the tenant of the app's identity")]
    Unauthorized(String),
    #[error("the vault answered {status}{code}; it is asked again later")]
    Status { status: u16, code: String },
    /// Name resolution, TCP, TLS or a proxy.
    #[error("the vault cannot be reached, because {}; it is asked again later", .0.advice("the reference"))]
    Unreachable(ConnectFailure),
    /// No access token.
    #[error("{0}")]
    Identity(String),
    #[error(
        "the vault gave no answer within {} s; check its firewall or private endpoint; it is asked again later",
        LONGEST_RESOLVING.as_secs()
    )]
    NoAnswer,
    /// 200 with something else than a secret.
    #[error("the vault's answer cannot be read; it is asked again later")]
    Unreadable,
    /// What the client refuses to go on with, such as a challenge for another audience.
    #[error("the client gave up: {0}")]
    GaveUp(String),
}

impl LookupFault {
    /// What an error of the client means. `identity` makes a whole message of the reason why there is no token.
    pub(super) fn of(error: &azure_core::Error, identity: impl Fn(&str) -> String) -> Self {
        match error.kind() {
            ErrorKind::HttpResponse {
                status,
                error_code,
                raw_response,
            } => {
                let inner = raw_response.as_ref().and_then(|reply| inner_code(reply.body()));
                Self::of_status(u16::from(*status), inner.or_else(|| error_code.clone()))
            }
            ErrorKind::Credential => Self::Identity(identity(&one_line(error))),
            ErrorKind::Connection | ErrorKind::Io => Self::Unreachable(ConnectFailure::of(error, None)),
            _ => Self::GaveUp(one_line(error)),
        }
    }

    fn of_status(status: u16, code: Option<String>) -> Self {
        let is_word = |code: &String| {
            code.len() <= LONGEST_CODE && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let name = code.filter(is_word).unwrap_or_default();
        let code = match name.is_empty() {
            true => String::new(),
            false => format!(" ({name})"),
        };
        match (status, name.as_str()) {
            (403, "SecretDisabled") => Self::Disabled,
            (403, "ForbiddenByFirewall" | "ForbiddenByConnection") => Self::Firewall(code),
            (403, _) => Self::NoRole(code),
            (404, _) => Self::NotFound(code),
            (401, _) => Self::Unauthorized(code),
            _ => Self::Status { status, code },
        }
    }
}

/// Key Vault says `Forbidden` for many things and the reason further inside.
fn inner_code(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.pointer("/error/innererror/code")?.as_str()?.to_owned())
}

fn one_line(error: &azure_core::Error) -> String {
    shortened(&error.to_string())
}

fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, code: &str) -> String {
        let reference = Reference::parse("@Microsoft.KeyVault(VaultName=v;SecretName=n;SecretVersion=0a1)").unwrap();
        KeyVaultError::new(&reference, LookupFault::of_status(status, Some(code.to_owned()))).to_string()
    }

    #[test]
    fn a_message_names_vault_secret_status_and_remedy() {
        for (status, code, said) in [
            (403, "ForbiddenByRbac", "role Key Vault Secrets User"),
            (403, "AccessDenied", "role Key Vault Secrets User"),
            (403, "ForbiddenByFirewall", "firewall"),
            (403, "SecretDisabled", "disabled"),
            (404, "SecretNotFound", "404 (SecretNotFound); check the name"),
            (401, "Unauthorized", "tenant"),
            (429, "Throttled", "429 (Throttled)"),
        ] {
            let message = of(status, code);
            assert!(
                message.starts_with("secret n/0a1 of https://v.vault.azure.net: "),
                "{message}"
            );
            assert!(message.contains(said), "{message}");
        }
    }

    #[test]
    fn a_code_that_is_no_word_is_not_repeated() {
        assert!(of(500, "no word <b>").contains("answered 500;"));
    }

    #[test]
    fn the_reason_is_found_inside() {
        let body = br#"{"error":{"code":"Forbidden","message":"m","innererror":{"code":"SecretDisabled"}}}"#;
        assert_eq!(inner_code(body).as_deref(), Some("SecretDisabled"));
        assert_eq!(inner_code(br#"{"error":{"code":"Forbidden"}}"#), None);
        assert_eq!(inner_code(b"<html>"), None);
    }
}
