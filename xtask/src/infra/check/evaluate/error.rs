//! What an evaluation gives.

use serde_json::Value;
use thiserror::Error;

/// Why there is no value.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum EvaluationError {
    /// The template refuses what it was given: `fail(text)`, or a parameter with a value that is not allowed.
    #[error("{0}")]
    Refused(String),
    /// The template is wrong, or calls what is not implemented here.
    #[error("{0}")]
    Invalid(String),
}

pub type Evaluated<T = Value> = Result<T, EvaluationError>;

pub fn invalid<T>(why: impl Into<String>) -> Evaluated<T> {
    Err(EvaluationError::Invalid(why.into()))
}
