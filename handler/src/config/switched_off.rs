//! Parts of the program that stay off because a value is bad or could not be had.

use crate::config::instance::InstanceName;
use crate::config::reference::MalformedReference;

/// What of an instance is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OffPart {
    /// Nothing is polled; a push may still be received.
    Poll,
    /// No push can be authenticated; polling may go on.
    Push,
    /// Everything: the instance is in none of the lists of [`Settings`](crate::config::Settings).
    Whole,
}

/// Why something is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OffCause {
    /// A Key Vault reference was not resolved. It is tried again.
    UnresolvedReference,
    /// A setting is bad, missing or misspelt, until somebody corrects it.
    BadSetting,
}

/// Something that is configured but off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchedOff {
    /// `pingone`, `pingone-enterprise`, `sentinelone`, `onelogin` or `health`.
    pub source: &'static str,
    /// The instance of the source.
    pub instance: InstanceName,
    /// Name of the setting that holds the reference, or is bad.
    pub setting: String,
    /// What failed and what to do about it, beginning with the setting's name; never the value.
    pub reason: String,
    /// What is off.
    pub part: OffPart,
    /// Whether the instance takes pushes, which are to be sent again later and not refused.
    pub takes_push: bool,
    /// Why it is off.
    pub cause: OffCause,
}

impl SwitchedOff {
    /// The reason without the name of the setting, which it begins with.
    pub(super) fn message(&self) -> &str {
        let message = self.reason.strip_prefix(self.setting.as_str());
        message.map_or(self.reason.as_str(), str::trim_start)
    }
}

/// A setting whose value is still a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnresolvedReference {
    /// Name of the setting.
    pub(super) setting: String,
    /// Whether the reference has no accepted form.
    pub(super) malformed: bool,
    /// Why it could not be resolved, where somebody tried.
    pub(super) why: Option<String>,
}

impl UnresolvedReference {
    /// What failed and what to do about it.
    pub(super) fn reason(&self) -> String {
        if self.malformed {
            return format!("{} {MalformedReference}", self.setting);
        }
        if let Some(why) = &self.why {
            return format!(
                "{} is a Key Vault reference that cannot be resolved: {why}",
                self.setting
            );
        }
        format!(
            "{} is a Key Vault reference that was not resolved; check that the vault and the secret \
             exist, that the secret is enabled and not empty, and that the identity of the app has \
             the role Key Vault Secrets User on the vault, then restart the app",
            self.setting
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_names_the_setting_and_the_remedy() {
        let unresolved = |malformed, why: Option<&str>| UnresolvedReference {
            setting: "PINGONE__CLIENT_SECRET".to_owned(),
            malformed,
            why: why.map(str::to_owned),
        };
        let reason = |malformed| unresolved(malformed, None).reason();

        assert!(reason(false).starts_with("PINGONE__CLIENT_SECRET is a Key Vault reference"));
        assert!(reason(false).contains("role Key Vault Secrets User"));
        assert!(reason(true).starts_with("PINGONE__CLIENT_SECRET is a Key Vault reference"));
        assert!(reason(true).contains("SecretUri="));
        assert!(reason(true).contains("VaultName="));
        assert_eq!(
            unresolved(false, Some("the secret is disabled; enable it")).reason(),
            "PINGONE__CLIENT_SECRET is a Key Vault reference that cannot be resolved: the secret is disabled; enable it"
        );
    }
}
