//! What a report is about.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::event::StreamName;

/// See the module. Its text is what people read, and what streams are selected by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportSubject {
    /// `<source>/<instance>/<stream>`
    Stream(StreamName),
    /// An instance that is disabled: `<source>/<instance>`.
    Instance {
        /// The vendor, as in settings and paths.
        source: &'static str,
        /// `default`, or the name in the settings.
        instance: String,
    },
    /// What waits and belongs to nothing that runs.
    Spool,
}

impl ReportSubject {
    /// Source and instance; none of what belongs to no account.
    pub fn account(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Stream(StreamName { source, instance, .. }) | Self::Instance { source, instance } => {
                Some((source, instance))
            }
            Self::Spool => None,
        }
    }

    /// The stream, if it is one.
    pub fn stream(&self) -> Option<&StreamName> {
        match self {
            Self::Stream(name) => Some(name),
            Self::Instance { .. } | Self::Spool => None,
        }
    }
}

impl From<&StreamName> for ReportSubject {
    fn from(name: &StreamName) -> Self {
        Self::Stream(name.clone())
    }
}

impl From<StreamName> for ReportSubject {
    fn from(name: StreamName) -> Self {
        Self::Stream(name)
    }
}

impl fmt::Display for ReportSubject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(name) => name.fmt(formatter),
            Self::Instance { source, instance } => write!(formatter, "{source}/{instance}"),
            Self::Spool => formatter.write_str("spool"),
        }
    }
}

impl Serialize for ReportSubject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
