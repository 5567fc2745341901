//! What became of one setting.

use crate::config::switched_off::UnresolvedReference;

/// What reading one setting gave.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Given<T> {
    /// Not set, or empty.
    Absent,
    /// A secret that is set to nothing: most likely a mistake.
    EmptySecret,
    /// A Key Vault reference that nobody resolved.
    Unresolved(UnresolvedReference),
    /// Not accepted; the problem is noted already.
    Refused,
    /// A good value.
    Value(T),
}

/// The same without the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// Not set, or empty.
    Absent,
    /// A secret that is set to nothing.
    EmptySecret,
    /// Set to something, good or bad.
    Given,
}

impl<T> Given<T> {
    /// Whether there is something, good or bad.
    pub(super) fn is_given(&self) -> bool {
        self.presence() == Presence::Given
    }

    /// Whether there is something.
    pub(super) fn presence(&self) -> Presence {
        match self {
            Self::Absent => Presence::Absent,
            Self::EmptySecret => Presence::EmptySecret,
            Self::Unresolved(_) | Self::Refused | Self::Value(_) => Presence::Given,
        }
    }

    /// The value, for a setting that has to be there. A reference goes to `unresolved`.
    pub(super) fn needed(self, unresolved: &mut Vec<UnresolvedReference>) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Unresolved(reference) => {
                unresolved.push(reference);
                None
            }
            Self::Absent | Self::EmptySecret | Self::Refused => None,
        }
    }

    /// The value or, where there is none, `default`. A reference goes to `unresolved`.
    pub(super) fn or(self, default: T, unresolved: &mut Vec<UnresolvedReference>) -> Option<T> {
        if self.is_given() {
            return self.needed(unresolved);
        }
        Some(default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_stands_in_for_nothing_only() {
        let reference = UnresolvedReference {
            setting: "A".to_owned(),
            malformed: false,
            why: None,
        };
        for (given, value, unresolved_count) in [
            (Given::Absent, Some(1), 0),
            (Given::EmptySecret, Some(1), 0),
            (Given::Value(2), Some(2), 0),
            (Given::Refused, None, 0),
            (Given::Unresolved(reference), None, 1),
        ] {
            let mut unresolved = Vec::new();
            assert_eq!(given.or(1, &mut unresolved), value);
            assert_eq!(unresolved.len(), unresolved_count);
        }
    }
}
