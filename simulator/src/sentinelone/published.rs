//! Everything that was published, version by version.

use super::contract::Stream;
use crate::generate::sentinelone::Object;

/// One version of an object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// Where it is shown.
    pub stream: Stream,
    /// Its id; empty where a raw element has none.
    pub id: String,
    /// `updatedAt` as it stands in the object; empty where a raw element has none.
    pub updated_at: String,
    /// The object as JSON text.
    pub json: String,
}

/// A version and what became of it.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) version: Version,
    /// It stood in a whole answer.
    pub(super) shown: bool,
    /// No newer version has replaced it.
    pub(super) current: bool,
}

/// The history.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub(super) records: Vec<Record>,
    /// Without raw elements.
    pub(super) objects: Vec<Object>,
}

impl Published {
    pub(super) fn versions(&self, wanted: impl Fn(&Record) -> bool) -> Vec<Version> {
        let records = self.records.iter().filter(|record| wanted(record));
        records.map(|record| record.version.clone()).collect()
    }
}
