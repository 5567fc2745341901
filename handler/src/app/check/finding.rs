//! What a check found.

use std::future::Future;
use std::pin::Pin;

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It works, as far as the text says.
    Fine,
    /// It could not be tried; says what will prove it.
    Untried,
    /// It works, and somebody should do something.
    Attention,
    /// It does not work.
    Failed,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What became of it.
    pub severity: Severity,
    /// Which part.
    pub subject: String,
    /// What was found, and what to do; never a secret.
    pub text: String,
}

/// A part that is tried.
pub struct Probe {
    /// Which part, where it does not come to an end.
    pub subject: String,
    /// What is found once it has.
    pub findings: Pin<Box<dyn Future<Output = Vec<Finding>> + Send>>,
}

impl Probe {
    /// Of that part.
    pub fn new(subject: impl Into<String>, findings: impl Future<Output = Vec<Finding>> + Send + 'static) -> Self {
        Self {
            subject: subject.into(),
            findings: Box::pin(findings),
        }
    }
}

impl Finding {
    /// It works, as far as the text says.
    pub fn fine(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Severity::Fine, subject, text)
    }

    /// It could not be tried.
    pub fn untried(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Severity::Untried, subject, text)
    }

    /// It does not work.
    pub fn failed(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Severity::Failed, subject, text)
    }

    /// Any.
    pub fn new(severity: Severity, subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            severity,
            subject: subject.into(),
            text: text.into(),
        }
    }
}
