//! Settings of SentinelOne: `SENTINELONE__*`.

use crate::config::catalog::SENTINELONE;
use crate::config::destination::{DestinationChoice, Destinations, SourceDestinations};
use crate::config::given::Given;
use crate::config::instance::InstanceName;
use crate::config::instance_reader::InstanceReader;
use crate::config::invalid_value::InvalidValue;
use crate::config::names::Instances;
use crate::config::origin::Origin;
use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::config::switched_off::OffPart;
use crate::config::twins::{Claim, refuse_twins};
use crate::config::values;

const NEEDS: &str = "URL and API_TOKEN";

/// One instance of SentinelOne: a console.
#[derive(Debug, Clone)]
pub struct SentinelOne {
    /// The instance's name.
    pub instance: InstanceName,
    /// Where its rows go.
    pub destination: DestinationChoice,
    /// `SENTINELONE__URL`, e.g. `https://example.sentinelone.net`.
    pub console: Origin,
    /// `SENTINELONE__API_TOKEN`.
    pub api_token: Secret,
    /// `SENTINELONE__STREAMS`, default [`SentinelOneStream::DEFAULT`].
    pub streams: Vec<SentinelOneStream>,
    /// `SENTINELONE__PARSER_ALIASES`, default `true`: adds the keys that Microsoft's parser reads.
    pub parser_aliases: bool,
    /// `SENTINELONE__AGENT_CHANGES_ONLY`, default `false`. Reserved: nothing follows from it yet.
    pub agent_changes_only: bool,
    /// What the settings of this instance start with, for messages, e.g. `SENTINELONE__`.
    pub setting_prefix: String,
}

/// What can be polled from a console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SentinelOneStream {
    /// The activity log.
    Activities,
    /// Agents.
    Agents,
    /// Cloud detection alerts.
    Alerts,
    /// Groups.
    Groups,
    /// Threats.
    Threats,
    /// Unified alerts; polled only where it is asked for.
    UnifiedAlerts,
}

impl SentinelOneStream {
    /// Every stream.
    pub const ALL: [Self; 6] = [
        Self::Activities,
        Self::Agents,
        Self::Alerts,
        Self::Groups,
        Self::Threats,
        Self::UnifiedAlerts,
    ];

    /// What is polled without `SENTINELONE__STREAMS`: everything but unified alerts.
    pub const DEFAULT: [Self; 5] = [
        Self::Activities,
        Self::Agents,
        Self::Alerts,
        Self::Groups,
        Self::Threats,
    ];

    /// The stream's name in settings, state paths and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Activities => "activities",
            Self::Agents => "agents",
            Self::Alerts => "alerts",
            Self::Groups => "groups",
            Self::Threats => "threats",
            Self::UnifiedAlerts => "unified-alerts",
        }
    }
}

/// The settings of an instance, as read.
struct Fields {
    console: Given<Origin>,
    api_token: Given<Secret>,
    streams: Given<Vec<SentinelOneStream>>,
    parser_aliases: Given<bool>,
    agent_changes_only: Given<bool>,
}

/// Reads every instance.
pub(super) fn load(reader: &mut Reader<'_>, instances: &Instances, destinations: &Destinations) -> Vec<SentinelOne> {
    let destinations = destinations.of_source(reader, &SENTINELONE);
    let mut loaded = Vec::new();
    let mut consoles = Vec::new();
    for instance in instances.of(&SENTINELONE) {
        let mut entry = InstanceReader::new(reader, &SENTINELONE, instance);
        loaded.extend(load_instance(&mut entry, &destinations, &mut consoles));
    }

    // Two tokens of one console may well belong to two accounts of it.
    refuse_twins(
        reader,
        &SENTINELONE,
        "console and token",
        &consoles,
        |(console, token), (other_console, other_token)| {
            console == other_console && token.matches(other_token.expose().as_bytes())
        },
    );
    loaded
}

fn load_instance(
    entry: &mut InstanceReader<'_, '_>,
    destinations: &SourceDestinations<'_>,
    consoles: &mut Vec<Claim<(Origin, Secret)>>,
) -> Option<SentinelOne> {
    let fields = Fields::read(entry);
    let is_wanted = fields.console.is_given() || fields.api_token.is_given();
    let mut unresolved = Vec::new();
    let destination = destinations.of_instance(entry, is_wanted, &mut unresolved);
    if !is_wanted {
        return None;
    }
    let keys = [
        ("URL", fields.console.presence()),
        ("API_TOKEN", fields.api_token.presence()),
    ];
    entry.refuse_gaps(NEEDS, &keys);
    if destination == Some(DestinationChoice::Directory) {
        entry.note_without_rule();
    }

    let mut poll_unresolved = Vec::new();
    let off = &mut poll_unresolved;
    let console = fields.console.needed(off);
    let api_token = fields.api_token.needed(off);
    if let (Some(console), Some(api_token)) = (&console, &api_token) {
        consoles.push(entry.claim("API_TOKEN", (console.clone(), api_token.clone())));
    }
    let streams = fields.streams.or(SentinelOneStream::DEFAULT.into(), off);
    let parser_aliases = fields.parser_aliases.or(true, off);
    let agent_changes_only = fields.agent_changes_only.or(false, off);
    entry.switch_off(OffPart::Poll, false, &poll_unresolved);
    entry.switch_off(OffPart::Whole, false, &unresolved);

    Some(SentinelOne {
        instance: entry.instance.clone(),
        destination: destination?,
        console: console?,
        api_token: api_token?,
        streams: streams?,
        parser_aliases: parser_aliases?,
        agent_changes_only: agent_changes_only?,
        setting_prefix: entry.setting_prefix(),
    })
}

impl Fields {
    fn read(entry: &mut InstanceReader<'_, '_>) -> Self {
        entry.read("ADDITIONAL_FIELDS", values::boolean);
        Self {
            console: entry.read("URL", Origin::parse),
            api_token: entry.read_secret("API_TOKEN", Secret::accept_for_header),
            streams: entry.read("STREAMS", accept_streams),
            parser_aliases: entry.read("PARSER_ALIASES", values::boolean),
            agent_changes_only: entry.read("AGENT_CHANGES_ONLY", values::boolean),
        }
    }
}

fn accept_streams(text: &str) -> Result<Vec<SentinelOneStream>, InvalidValue> {
    const NAMES: [&str; 6] = ["activities", "agents", "alerts", "groups", "threats", "unified-alerts"];
    let chosen = values::some_of(&NAMES)(text)?;
    let streams = SentinelOneStream::ALL.into_iter();
    Ok(streams.filter(|stream| chosen.contains(&stream.name())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_can_be_chosen_by_its_name() {
        for stream in SentinelOneStream::ALL {
            assert_eq!(accept_streams(stream.name()), Ok(vec![stream]));
        }
        let all: Vec<&str> = SentinelOneStream::ALL.map(SentinelOneStream::name).into();
        assert_eq!(accept_streams(&all.join(" , ")), Ok(SentinelOneStream::ALL.into()));
    }

    #[test]
    fn repeated_streams_count_once_and_others_are_refused() {
        assert_eq!(
            accept_streams("threats,agents,threats"),
            Ok(vec![SentinelOneStream::Agents, SentinelOneStream::Threats])
        );
        for refused in ["threat", "threats,", "Threats", "unified_alerts", ","] {
            assert!(accept_streams(refused).is_err(), "{refused}");
        }
    }
}
