//! Which streams a command works on.

use std::fmt;

/// Which streams a run takes: `source`, `source/instance` or `source/instance/stream`; everything by default.
#[derive(Clone, Debug, Default)]
pub struct Selection(Option<String>);

impl Selection {
    pub fn all() -> Self {
        Self(None)
    }

    pub fn only(text: &str) -> Self {
        Self(Some(text.trim_end_matches('/').to_ascii_lowercase()))
    }

    /// True if nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.0.is_none()
    }

    pub fn takes(&self, name: &impl fmt::Display) -> bool {
        let Some(wanted) = &self.0 else { return true };
        let name = name.to_string();
        name == *wanted
            || name
                .strip_prefix(wanted.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
    }
}
