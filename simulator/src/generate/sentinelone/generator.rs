//! The objects of one account, of every stream.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::object::Object;
use super::source::Source;
use super::{activities, agents, alerts, groups, threats, unified_alerts};
use crate::sentinelone::Stream;

/// Makes the objects of one account. The streams share nothing but the account.
#[derive(Debug)]
pub struct ConsoleObjects {
    sources: BTreeMap<Stream, Source>,
}

impl ConsoleObjects {
    /// A generator for the account of that seed.
    pub fn new(seed: u64) -> Self {
        ConsoleObjects {
            sources: Stream::ALL.map(|stream| (stream, Source::new(seed))).into(),
        }
    }

    /// A new object of a stream, created at that time. Activities come type after type in a circle; an alert is on
    /// something that happened then (cut to milliseconds).
    pub fn new_object(&mut self, stream: Stream, at: DateTime<Utc>) -> Object {
        let source = self.source(stream);
        match stream {
            Stream::Activities => activities::new_object(source, at),
            Stream::Agents => agents::new_object(source, at),
            Stream::Groups => groups::new_object(source, at),
            Stream::Threats => threats::new_object(source, at),
            Stream::Alerts => alerts::new_object(source, at),
            Stream::UnifiedAlerts => unified_alerts::new_object(source, at),
        }
    }

    /// An alert whose row appeared at `reported_at`, long after the event: the agent was offline.
    pub fn late_alert(&mut self, at: DateTime<Utc>, reported_at: DateTime<Utc>) -> Object {
        alerts::late_object(self.source(Stream::Alerts), at, reported_at)
    }

    /// The same object with some changed fields, changed at that time. Stops the test for an activity, which never
    /// changes.
    pub fn update(&mut self, previous: &Object, at: DateTime<Utc>) -> Object {
        let source = self.source(previous.stream);
        match previous.stream {
            Stream::Activities => panic!("an activity does not change"),
            Stream::Agents => agents::update(source, previous, at),
            Stream::Groups => groups::update(source, previous, at),
            Stream::Threats => threats::update(source, previous, at),
            Stream::Alerts => alerts::update(source, previous, at),
            Stream::UnifiedAlerts => unified_alerts::update(source, previous, at),
        }
    }

    /// The same agent taken out of service; the API shows it only where it is asked for.
    pub fn decommission(&self, agent: &Object, at: DateTime<Utc>) -> Object {
        agents::decommission(agent, at)
    }

    /// The same agent taken off its computer; the API shows it only where it is asked for.
    pub fn uninstall(&self, agent: &Object, at: DateTime<Utc>) -> Object {
        agents::uninstall(agent, at)
    }

    fn source(&mut self, stream: Stream) -> &mut Source {
        self.sources.get_mut(&stream).expect("every stream has a source")
    }
}
