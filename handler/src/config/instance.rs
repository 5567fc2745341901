//! Names of the instances of a source.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::config::catalog::SourceCatalog;

const DEFAULT: &str = "default";

/// The name of one instance of a source: lower case, `default` for the unnamed one.
///
/// Ordered by name, the unnamed one first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceName(Option<String>);

/// Why the middle part of a setting's name is no instance name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InstanceNameFault {
    /// Something else than upper-case letters and digits.
    Form,
    /// The name that stands for the unnamed instance.
    Reserved,
}

impl InstanceName {
    /// The instance whose settings carry no name.
    pub fn unnamed() -> Self {
        Self(None)
    }

    /// The name in lower case, as in state paths and messages.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or(DEFAULT)
    }

    /// Whether this is the instance without a name.
    pub fn is_unnamed(&self) -> bool {
        self.0.is_none()
    }

    /// Reads the name as written in a setting, e.g. `ACME` of `<SOURCE>__ACME__CLIENT_ID`.
    pub(super) fn from_setting(written: &str) -> Result<Self, InstanceNameFault> {
        if written.eq_ignore_ascii_case(DEFAULT) {
            return Err(InstanceNameFault::Reserved);
        }
        let is_accepted = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if written.is_empty() || !written.bytes().all(is_accepted) {
            return Err(InstanceNameFault::Form);
        }
        Ok(Self(Some(written.to_ascii_lowercase())))
    }

    /// What stands between the prefix of the source and the key: `ACME__`, or nothing.
    pub(super) fn infix(&self) -> String {
        let infix = |name: &String| format!("{}__", name.to_ascii_uppercase());
        self.0.as_ref().map(infix).unwrap_or_default()
    }

    /// The full name of a setting of this instance.
    pub(super) fn setting(&self, source: &SourceCatalog, key: &str) -> String {
        format!("{}{}{key}", source.group.prefix, self.infix())
    }
}

impl fmt::Display for InstanceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The instances of each source of which at least one setting is there, empty or not.
#[derive(Debug, Default)]
pub struct Instances(BTreeMap<&'static str, BTreeSet<InstanceName>>);

impl Instances {
    /// The instances of a source, the unnamed one first.
    pub fn of(&self, source: &SourceCatalog) -> impl Iterator<Item = &InstanceName> {
        self.0.get(source.name).into_iter().flatten()
    }

    /// Whether a source has an instance.
    pub(super) fn has(&self, source: &SourceCatalog, instance: &InstanceName) -> bool {
        self.0.get(source.name).is_some_and(|known| known.contains(instance))
    }

    pub(super) fn add(&mut self, source: &SourceCatalog, instance: InstanceName) {
        self.0.entry(source.name).or_default().insert(instance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_upper_case_letters_and_digits_and_kept_in_lower_case() {
        let acme = InstanceName::from_setting("ACME2").unwrap();

        assert_eq!(acme.as_str(), "acme2");
        assert_eq!(acme.infix(), "ACME2__");
        for refused in ["", "acme", "AcME", "AC-ME", "AC_ME", "A__B", "\u{c4}"] {
            assert_eq!(InstanceName::from_setting(refused), Err(InstanceNameFault::Form));
        }
    }

    #[test]
    fn the_name_of_the_unnamed_instance_is_reserved() {
        assert_eq!(InstanceName::from_setting("DEFAULT"), Err(InstanceNameFault::Reserved));
        assert_eq!(InstanceName::unnamed().as_str(), "default");
        assert_eq!(InstanceName::unnamed().infix(), "");
    }

    #[test]
    fn the_unnamed_instance_comes_first() {
        let acme = InstanceName::from_setting("ACME").unwrap();
        let zeta = InstanceName::from_setting("ZETA").unwrap();
        let mut names = vec![zeta.clone(), InstanceName::unnamed(), acme.clone()];

        names.sort();

        assert_eq!(names, [InstanceName::unnamed(), acme, zeta]);
    }
}
