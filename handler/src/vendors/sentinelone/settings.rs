//! Settings of SentinelOne: `SENTINELONE__*`.

use crate::config::{DisabledPart, InstanceReader, InvalidValue, Origin, PartReader, Secret, values};

pub(super) const NAME: &str = "sentinelone";

const NEEDS: &str = "URL and API_TOKEN";

/// One instance of SentinelOne: a console.
#[derive(Debug)]
pub struct SentinelOne {
    /// `SENTINELONE__URL`, e.g. `https://example.sentinelone.net`.
    pub console: Origin,
    /// `SENTINELONE__API_TOKEN`.
    pub api_token: Secret,
    /// `SENTINELONE__STREAMS`.
    pub streams: Vec<SentinelOneStream>,
    /// `SENTINELONE__PARSER_ALIASES`: adds the keys that Microsoft's parser reads.
    pub parser_aliases: bool,
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

/// Reads an instance; none where it is not configured or cannot run.
pub fn load(reader: &mut InstanceReader<'_>) -> Option<SentinelOne> {
    let is_wanted = reader.is_any_set(&["URL", "API_TOKEN"]);
    let prefix = reader.setting_prefix();
    let loaded = SentinelOne::load(reader.part(DisabledPart::Poll, is_wanted, NEEDS), prefix)?;
    // Two tokens of one console may well belong to two accounts of it.
    let account = format!("{} {}", loaded.console, loaded.api_token.expose());
    reader.claim_account("API_TOKEN", "console and token", account);
    Some(loaded)
}

impl SentinelOne {
    fn load(mut part: PartReader<'_, '_>, setting_prefix: String) -> Option<Self> {
        let console = part.required("URL", Origin::parse);
        let api_token = part.secret("API_TOKEN", Secret::accept_for_header);
        let streams = part.optional("STREAMS", accept_streams);
        let parser_aliases = part.optional("PARSER_ALIASES", values::boolean);
        // Reserved: nothing follows from it yet.
        let agent_changes_only = part.optional_or("AGENT_CHANGES_ONLY", false, values::boolean);
        agent_changes_only?;
        Some(Self {
            console: console?,
            api_token: api_token?,
            streams: streams?,
            parser_aliases: parser_aliases?,
            setting_prefix,
        })
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
