//! The answer to a value that is not accepted.

use std::borrow::Cow;

/// Why a value is refused: the accepted form, never the value or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidValue(Cow<'static, str>);

impl InvalidValue {
    /// A refusal in words that follow the setting's name, e.g. "must be true or false".
    pub fn new(accepted_form: impl Into<Cow<'static, str>>) -> Self {
        Self(accepted_form.into())
    }
}
