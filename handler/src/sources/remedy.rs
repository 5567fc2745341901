//! What to do about a refusal.

use std::fmt;

/// A sentence for people, and what of it others need as data.
#[derive(Debug)]
pub struct Remedy {
    text: String,
    credential_setting: Option<String>,
}

impl Remedy {
    /// The credential in `setting` (`<SOURCE>__API_TOKEN`) is to be renewed; `text` is told the setting.
    pub fn renew(setting: String, text: impl FnOnce(&str) -> String) -> Self {
        Self {
            text: text(&setting),
            credential_setting: Some(setting),
        }
    }

    /// The whole sentence.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The setting of the credential to renew, if that is what to do.
    pub fn credential_setting(&self) -> Option<&str> {
        self.credential_setting.as_deref()
    }
}

impl From<String> for Remedy {
    fn from(text: String) -> Self {
        Self {
            text,
            credential_setting: None,
        }
    }
}

impl From<&str> for Remedy {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
