//! What makes an event the same event when it is seen again.

use sha2::{Digest, Sha256};

use crate::json::canonical_digest;

/// 16 bytes of a SHA-256: short enough to keep a million of them, long enough that two events never share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(pub [u8; 16]);

impl Identity {
    /// Of the vendor's own key, as one or more parts.
    pub fn of_parts(parts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            // Length first: ("ab", "c") is not ("a", "bc").
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        let mut short = [0; 16];
        short.copy_from_slice(&hasher.finalize()[..16]);
        Self(short)
    }

    /// Of what an event says, whatever its whitespace, its order of keys and its escapes.
    pub fn of_content(json: &str) -> Self {
        Self(canonical_digest(json))
    }

    /// 32 hexadecimal digits.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(Identity::of_parts(&["ab", "c"]), Identity::of_parts(&["a", "bc"]));
        assert_ne!(Identity::of_parts(&["a"]), Identity::of_parts(&["a", ""]));
        assert_eq!(Identity::of_parts(&["a"]).hex().len(), 32);
    }
}
