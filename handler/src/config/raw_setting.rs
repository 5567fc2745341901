//! One setting as it stands in the environment.

use crate::config::reference::MalformedReference;

/// What stands in the environment, before its value is looked at.
pub enum RawSetting<'e> {
    /// Not set.
    Absent,
    /// Set to nothing but white space: counts as absent, and for a secret as a mistake.
    Empty,
    /// Set to something that is no UTF-8 text.
    NotText,
    /// A Key Vault reference that was not resolved.
    Reference(UnresolvedReference),
    /// A value, trimmed.
    Text(&'e str),
}

impl RawSetting<'_> {
    /// Whether there is something, good or bad.
    pub fn is_set(&self) -> bool {
        !matches!(self, Self::Absent | Self::Empty)
    }
}

/// A setting whose value is still a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedReference {
    /// Name of the setting.
    pub setting: String,
    /// Whether the reference has no accepted form.
    pub is_malformed: bool,
    /// Why it could not be resolved, where somebody tried.
    pub why: Option<String>,
}

impl UnresolvedReference {
    /// What failed and what to do about it, to follow the setting's name.
    pub fn message(&self) -> String {
        match (self.is_malformed, &self.why) {
            (true, _) => MalformedReference.to_string(),
            (false, Some(why)) => format!("is a Key Vault reference that cannot be resolved: {why}"),
            (false, None) => "is a Key Vault reference that was not resolved; check that the vault and the secret \
                 exist, that the secret is enabled and not empty, and that the identity of the app has \
                 the role Key Vault Secrets User on the vault, then restart the app"
                .to_owned(),
        }
    }

    /// The same for a setting that nothing can be disabled for.
    pub fn message_where_none_is_accepted(&self) -> String {
        let why = self.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        format!("must be the value itself: it is a Key Vault reference that was not resolved{why}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_to_do() {
        let message = |is_malformed, why: Option<&str>| {
            let unresolved = UnresolvedReference {
                setting: "PINGONE__CLIENT_SECRET".to_owned(),
                is_malformed,
                why: why.map(str::to_owned),
            };
            unresolved.message()
        };

        assert!(message(false, None).starts_with("is a Key Vault reference"));
        assert!(message(false, None).contains("role Key Vault Secrets User"));
        assert!(message(true, None).starts_with("is a Key Vault reference"));
        assert!(message(true, None).contains("SecretUri="));
        assert!(message(true, None).contains("VaultName="));
        assert_eq!(
            message(false, Some("the secret is disabled; enable it")),
            "is a Key Vault reference that cannot be resolved: the secret is disabled; enable it"
        );
    }
}
