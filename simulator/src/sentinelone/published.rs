//! Everything that was published, version by version.

use std::sync::Arc;

use crate::generate::sentinelone::{Activity, Agent, Alert, Group, Threat, UnifiedAlert};

use super::contract::Stream;

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
    pub(super) stream: Stream,
    pub(super) id: String,
    pub(super) updated_at: String,
    pub(super) json: Arc<str>,
    /// It stood in a whole answer.
    pub(super) shown: bool,
    /// No newer version has replaced it.
    pub(super) current: bool,
}

/// The history.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub(super) records: Vec<Record>,
    pub(super) activities: Vec<Activity>,
    pub(super) agents: Vec<Agent>,
    pub(super) groups: Vec<Group>,
    pub(super) threats: Vec<Threat>,
    pub(super) alerts: Vec<Alert>,
    pub(super) unified_alerts: Vec<UnifiedAlert>,
}

impl Published {
    pub(super) fn versions(&self, wanted: impl Fn(&Record) -> bool) -> Vec<Version> {
        self.records
            .iter()
            .filter(|record| wanted(record))
            .map(|record| Version {
                stream: record.stream,
                id: record.id.clone(),
                updated_at: record.updated_at.clone(),
                json: record.json.to_string(),
            })
            .collect()
    }
}

/// An object of one of the streams.
pub(super) trait Publishable: Sized {
    const STREAM: Stream;

    fn json(&self) -> &str;

    /// Puts it among those of its kind.
    fn keep(self, published: &mut Published);
}

macro_rules! publishable {
    ($object:ty, $stream:expr, $list:ident) => {
        impl Publishable for $object {
            const STREAM: Stream = $stream;

            fn json(&self) -> &str {
                &self.json
            }

            fn keep(self, published: &mut Published) {
                published.$list.push(self);
            }
        }
    };
}

publishable!(Activity, Stream::Activities, activities);
publishable!(Agent, Stream::Agents, agents);
publishable!(Group, Stream::Groups, groups);
publishable!(Threat, Stream::Threats, threats);
publishable!(Alert, Stream::Alerts, alerts);
publishable!(UnifiedAlert, Stream::UnifiedAlerts, unified_alerts);
