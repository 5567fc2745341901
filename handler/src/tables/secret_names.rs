//! Keys whose values are secrets: they are left out wherever a value is carried over without a column of its own.

use std::sync::LazyLock;

use crate::json::{Kind, kind};

/// What stands in the place of a secret.
pub const WITHHELD: &str = r#""[withheld: a secret]""#;

/// Ends of keys in lower case, without `_` and `-`.
static NAMES: LazyLock<Vec<String>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../infra/secret-names.json")).unwrap_or_default());

/// True if `value` is a text or a number and its key ends with the name of a secret, whatever its case.
pub fn holds_a_secret(key: &str, value: &str) -> bool {
    let may_be_one = match kind(value) {
        Kind::String => value.trim_ascii().len() > 2,
        Kind::Number => true,
        _ => false,
    };
    may_be_one && NAMES.iter().any(|name| ends_with(key, name))
}

fn ends_with(key: &str, name: &str) -> bool {
    let letters = key.bytes().rev().filter(|byte| !matches!(byte, b'_' | b'-'));
    let mut letters = letters.map(|byte| byte.to_ascii_lowercase());
    name.bytes().rev().all(|expected| letters.next() == Some(expected))
}
