//! A value that must not be seen.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::config::invalid_value::InvalidValue;
use crate::config::values;

/// A secret: cannot be printed or serialized, is wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes charge of a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether `candidate` is this secret, in a time that does not depend on where they differ.
    pub fn matches(&self, candidate: &[u8]) -> bool {
        let secret = self.expose().as_bytes();
        // Comparing slices of unequal length would return at once and tell the length, so the
        // candidate is brought to the length of the secret first and the lengths are compared apart.
        let mut same_length = vec![0_u8; secret.len()];
        let shared = secret.len().min(candidate.len());
        same_length[..shared].copy_from_slice(&candidate[..shared]);

        let equal_text = same_length.as_slice().ct_eq(secret);
        let equal_length = (candidate.len() as u64).ct_eq(&(secret.len() as u64));
        (equal_text & equal_length).into()
    }

    /// Accepts a secret that is sent in a body or is encoded before it is sent.
    pub fn accept(text: &str) -> Result<Self, InvalidValue> {
        values::text(text).map(Self::new)
    }

    /// Accepts a secret that is sent in a header as it is.
    pub fn accept_for_header(text: &str) -> Result<Self, InvalidValue> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidValue::new(
                "must consist of visible ASCII characters, without spaces or control characters",
            ));
        }
        Ok(Self::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_bytes_match() {
        let secret = Secret::new("abc\u{e9}");

        assert!(secret.matches("abc\u{e9}".as_bytes()));
        for other in ["", "a", "abc", "abc\u{e8}", "abc\u{e9}\0", "abc\u{e9}d", "ABC\u{e9}"] {
            assert!(!secret.matches(other.as_bytes()), "{other:?}");
        }
        assert!(!Secret::new("a\0").matches(b"a"));
    }

    #[test]
    fn an_empty_secret_matches_only_the_empty_text() {
        assert!(Secret::new("").matches(b""));
        assert!(!Secret::new("").matches(b"x"));
    }

    #[test]
    fn debug_output_hides_the_text() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[secret]");
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some([secret])");
    }

    #[test]
    fn control_characters_are_refused() {
        for text in ["a\nb", "a\u{7f}", "a\u{85}b", "\0"] {
            assert!(Secret::accept(text).is_err(), "{text:?}");
            assert!(Secret::accept_for_header(text).is_err(), "{text:?}");
        }
        assert!(Secret::accept("two words \u{e9}").is_ok());
        assert!(Secret::accept_for_header("two words").is_err());
        assert!(Secret::accept_for_header("\u{e9}").is_err());
    }
}
