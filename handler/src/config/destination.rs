//! Where rows go: the local directory, or a rule of the Logs Ingestion API.

use crate::config::catalog::SourceCatalog;
use crate::config::given::Given;
use crate::config::instance_reader::InstanceReader;
use crate::config::invalid_value::InvalidValue;
use crate::config::origin::Origin;
use crate::config::problem::SettingProblems;
use crate::config::reader::Reader;
use crate::config::switched_off::UnresolvedReference;
use crate::config::values;

const DEFAULT_AUDIENCE: &str = "https://monitor.azure.com";

/// Where the rows of one source go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DestinationChoice {
    /// The local directory of `DESTINATION_DIR`: no ingestion rule is set.
    Directory,
    /// A data collection rule.
    Rule(IngestionRule),
}

/// A data collection rule and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IngestionRule {
    /// Where rows are sent: `LOGS_INGESTION__ENDPOINT`, or `..__INGESTION_ENDPOINT` of the source.
    pub endpoint: Origin,
    /// The rule's immutable id: `LOGS_INGESTION__RULE_ID`, or `..__RULE_ID` of the source.
    pub rule_id: String,
    /// Name of the setting that gave the rule's id.
    pub rule_setting: String,
    /// Name of the setting that gave the endpoint.
    pub endpoint_setting: String,
    /// What a token is asked for: `LOGS_INGESTION__AUDIENCE`, default `https://monitor.azure.com`;
    /// without `/.default`.
    pub audience: String,
}

/// A pair of endpoint and rule, at one of the places where it may be set.
#[derive(Debug, Clone)]
enum Level {
    Absent,
    Refused(SettingProblems),
    Unresolved(Vec<UnresolvedReference>),
    Pair {
        endpoint: (String, Origin),
        rule: (String, String),
    },
}

/// What is set for the whole program.
pub(super) struct Destinations {
    common: Level,
    audience: Given<String>,
}

/// What is set for one source, before what is set for the whole program.
pub(super) struct SourceDestinations<'d> {
    all: &'d Destinations,
    source: Level,
}

impl Destinations {
    /// Reads `LOGS_INGESTION__*`.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let names = ["LOGS_INGESTION__ENDPOINT", "LOGS_INGESTION__RULE_ID"];
        let common = Level::read(reader, names.map(str::to_owned));
        if let Level::Refused(problems) = &common {
            reader.problems.extend(problems.clone());
        }
        Self {
            common,
            audience: reader.read("LOGS_INGESTION__AUDIENCE", accept_audience),
        }
    }

    /// Reads `<SOURCE>__INGESTION_ENDPOINT` and `<SOURCE>__RULE_ID`.
    pub(super) fn of_source(&self, reader: &Reader<'_>, source: &SourceCatalog) -> SourceDestinations<'_> {
        SourceDestinations {
            all: self,
            source: Level::read(reader, pair_under(source.prefix)),
        }
    }

    /// Where the health rows go, after `HEALTH__INGESTION_ENDPOINT` and `HEALTH__RULE_ID`.
    pub(super) fn of_health(
        &self,
        reader: &mut Reader<'_>,
        unresolved: &mut Vec<UnresolvedReference>,
    ) -> Option<DestinationChoice> {
        let names = ["HEALTH__INGESTION_ENDPOINT", "HEALTH__RULE_ID"];
        let endpoint = reader.read_plain(names[0], Origin::parse);
        let rule = reader.read_plain(names[1], values::path_id);
        let own = Level::of(names.map(str::to_owned), endpoint, rule, SettingProblems::default());
        if let Level::Refused(problems) = &own {
            reader.problems.extend(problems.clone());
        }
        self.choose(&[&own, &self.common], unresolved)
    }

    /// The first level that is set counts, whole: an endpoint of one and a rule of another level
    /// are never put together.
    fn choose(&self, levels: &[&Level], unresolved: &mut Vec<UnresolvedReference>) -> Option<DestinationChoice> {
        let set = levels.iter().find(|level| !matches!(level, Level::Absent));
        let Some(level) = set else {
            return Some(DestinationChoice::Directory);
        };
        match level {
            Level::Absent | Level::Refused(_) => None,
            Level::Unresolved(references) => {
                unresolved.extend(references.iter().cloned());
                None
            }
            Level::Pair { endpoint, rule } => {
                let default = DEFAULT_AUDIENCE.to_owned();
                let audience = self.audience.clone().or(default, unresolved)?;
                Some(DestinationChoice::Rule(IngestionRule {
                    endpoint: endpoint.1.clone(),
                    rule_id: rule.1.clone(),
                    rule_setting: rule.0.clone(),
                    endpoint_setting: endpoint.0.clone(),
                    audience,
                }))
            }
        }
    }
}

impl SourceDestinations<'_> {
    /// Where the rows of one instance go. None where a setting is refused or, being a reference,
    /// is put into `unresolved`.
    pub(super) fn of_instance(
        &self,
        entry: &mut InstanceReader<'_, '_>,
        is_wanted: bool,
        unresolved: &mut Vec<UnresolvedReference>,
    ) -> Option<DestinationChoice> {
        // For the unnamed instance the two are the same settings.
        let own = Level::read(entry.whole(), pair_under(&entry.setting_prefix()));
        match (&own, &self.source) {
            (Level::Refused(problems), _) => entry.refuse_all(problems.clone()),
            // Who does not run relies on nothing.
            (Level::Absent, Level::Refused(problems)) if is_wanted => entry.refuse_all(problems.clone()),
            _ => {}
        }
        let levels = [&own, &self.source, &self.all.common];
        self.all.choose(&levels, unresolved)
    }
}

fn pair_under(prefix: &str) -> [String; 2] {
    ["INGESTION_ENDPOINT", "RULE_ID"].map(|key| format!("{prefix}{key}"))
}

impl Level {
    fn read(reader: &Reader<'_>, names: [String; 2]) -> Self {
        let mut problems = SettingProblems::default();
        let endpoint = reader.look(&names[0], &mut problems, Origin::parse);
        let rule = reader.look(&names[1], &mut problems, values::path_id);
        Self::of(names, endpoint, rule, problems)
    }

    /// Puts a pair together; half of one is a problem of the missing half.
    fn of(
        [endpoint_setting, rule_setting]: [String; 2],
        endpoint: Given<Origin>,
        rule: Given<String>,
        mut problems: SettingProblems,
    ) -> Self {
        let missing = match (endpoint.is_given(), rule.is_given()) {
            (false, false) => return Self::Absent,
            (true, true) => None,
            (true, false) => Some(&rule_setting),
            (false, true) => Some(&endpoint_setting),
        };
        if let Some(missing) = missing {
            let message = format!("is missing; {endpoint_setting} and {rule_setting} belong together");
            problems.add(missing, message);
            return Self::Refused(problems);
        }

        let mut unresolved = Vec::new();
        let (endpoint, rule) = (endpoint.needed(&mut unresolved), rule.needed(&mut unresolved));
        match (endpoint, rule) {
            (Some(endpoint), Some(rule)) => Self::Pair {
                endpoint: (endpoint_setting, endpoint),
                rule: (rule_setting, rule),
            },
            // A value that is refused counts before a reference beside it.
            _ if unresolved.is_empty() || !problems.is_empty() => Self::Refused(problems),
            _ => Self::Unresolved(unresolved),
        }
    }
}

/// Accepts an audience with or without what a scope has after it.
fn accept_audience(text: &str) -> Result<String, InvalidValue> {
    let audience = text.strip_suffix("/.default").unwrap_or(text);
    let origin = Origin::parse(audience.trim_end_matches('/'))?;
    Ok(origin.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_kept_without_the_end_of_a_scope() {
        for (written, kept) in [
            ("https://monitor.azure.com", DEFAULT_AUDIENCE),
            ("https://monitor.azure.com/", DEFAULT_AUDIENCE),
            ("https://monitor.azure.com/.default", DEFAULT_AUDIENCE),
            ("https://monitor.azure.com//.default", DEFAULT_AUDIENCE),
            ("https://monitor.azure.us/.default", "https://monitor.azure.us"),
        ] {
            assert_eq!(accept_audience(written).as_deref(), Ok(kept));
        }
        for refused in [
            "monitor.azure.com",
            "https://monitor.azure.com/x",
            "/.default",
            "http://a",
        ] {
            assert!(accept_audience(refused).is_err(), "{refused}");
        }
    }
}
