//! Keys whose values are secrets: they are left out wherever a value is carried over without a column of its own.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::json::{Kind, kind};

/// What stands in the place of a secret.
pub const WITHHELD: &str = r#""[withheld: a secret]""#;

#[derive(Default, Deserialize)]
struct SecretNames {
    names: HashSet<String>,
    endings: Vec<String>,
}

static SECRET_NAMES: LazyLock<SecretNames> = LazyLock::new(|| read().unwrap_or_default());

fn read() -> Result<SecretNames, serde_json::Error> {
    serde_json::from_str(include_str!("../../../infra/secret-names.json"))
}

/// # Errors
/// Where the list that is built in cannot be read: no table may be filled without it.
pub fn check() -> Result<(), serde_json::Error> {
    read().map(drop)
}

/// True if the name of `key` says that `value` is a secret.
pub fn holds_a_secret(key: &str, value: &str) -> bool {
    may_be_a_secret(value) && names_a_secret(key)
}

/// True if the name says that what is under it is a secret.
pub fn names_a_secret(key: &str) -> bool {
    let letters = key.chars().filter(|letter| !matches!(letter, '_' | '-'));
    let name = letters.collect::<String>().to_ascii_lowercase();
    let SecretNames { names, endings } = &*SECRET_NAMES;
    names.contains(&name) || endings.iter().any(|ending| name.ends_with(ending))
}

/// What is true, false, null or empty holds no secret, whatever its name.
pub fn may_be_a_secret(value: &str) -> bool {
    match kind(value) {
        Kind::Null | Kind::Boolean => false,
        Kind::String => value.trim_ascii().len() > 2,
        Kind::Object | Kind::Array | Kind::Number => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_separators() {
        for key in [
            "password",
            "PassWord",
            "user_password",
            "API-Token",
            "agentPassphrase",
            "pin",
            "registration_token",
        ] {
            assert!(holds_a_secret(key, r#""x""#), "{key}");
            assert!(!holds_a_secret(key, "true") && !holds_a_secret(key, r#""""#), "{key}");
        }
        for key in [
            "passwordExpiresAt",
            "tokenId",
            "spin",
            "pinned",
            "nextCursor",
            "secretary",
            "PASSWORD.RESET",
        ] {
            assert!(!holds_a_secret(key, r#""x""#), "{key}");
        }
    }
}
