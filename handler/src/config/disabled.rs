//! Parts of the program that stay off because a value is bad or could not be had.

use crate::config::instance::InstanceName;

/// What of an instance is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisabledPart {
    /// Nothing is polled; a push may still be received.
    Poll,
    /// No push can be authenticated; polling may go on.
    Push,
    /// Everything: the instance is none of those that run.
    Whole,
}

/// Why something is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisabledCause {
    /// A Key Vault reference was not resolved. It is tried again.
    UnresolvedReference,
    /// A setting is bad, missing or misspelt, until somebody corrects it.
    BadSetting,
}

/// Something that is configured but disabled.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Disabled {
    /// The name of the source, or `health`.
    pub source: &'static str,
    /// The instance of the source.
    pub instance: InstanceName,
    /// Name of the setting that holds the reference, or is bad.
    pub setting: String,
    /// What failed and what to do about it, to follow the setting's name; never the value.
    pub message: String,
    /// What is disabled.
    pub part: DisabledPart,
    /// Whether the instance takes pushes, which are to be sent again later and not refused.
    pub takes_push: bool,
    /// Why it is disabled.
    pub cause: DisabledCause,
}

impl Disabled {
    /// What failed and what to do about it, beginning with the setting's name.
    pub fn reason(&self) -> String {
        format!("{} {}", self.setting, self.message)
    }

    /// The source and the instance, as in `source/instance`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.source, self.instance)
    }
}
