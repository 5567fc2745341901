use std::fmt;

use serde::{Serialize, Serializer};

/// Names a stream of events: `<source>/<instance>/<stream>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName {
    /// The vendor, as in settings and paths.
    pub source: &'static str,
    /// `default`, or the name in the settings.
    pub instance: String,
    /// What of the vendor.
    pub stream: &'static str,
}

impl StreamName {
    /// Of an instance of a vendor.
    pub fn of(source: &'static str, instance: &str, stream: &'static str) -> Self {
        Self {
            source,
            instance: instance.to_owned(),
            stream,
        }
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{}", self.source, self.instance, self.stream)
    }
}

impl Serialize for StreamName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
