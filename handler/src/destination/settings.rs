//! Settings of the destination: the local directory, or a rule of the Logs Ingestion API.

use std::path::PathBuf;

use crate::config::{
    DisabledPart, InstanceReader, InvalidValue, Origin, Reader, Rejected, SettingProblems, UnresolvedReference, values,
};

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
    /// What a token is asked for: `LOGS_INGESTION__AUDIENCE`, without `/.default`.
    pub audience: String,
}

/// A pair of endpoint and rule, at one of the places where it may be set.
struct RuleSettings {
    /// Whether one of the two is set.
    is_set: bool,
    problems: SettingProblems,
    unresolved: Vec<UnresolvedReference>,
    /// Its audience is not filled in.
    rule: Option<IngestionRule>,
}

/// What is set for the whole program.
pub struct DestinationReader {
    common: RuleSettings,
    audience: Result<String, Vec<UnresolvedReference>>,
    /// What is configured without an ingestion rule, for the message about it in Azure.
    without_rule: Vec<String>,
}

/// What is set for one source, before what is set for the whole program.
pub struct SourceDestinations(RuleSettings);

impl DestinationReader {
    /// Reads `LOGS_INGESTION__*`.
    pub fn new(reader: &mut Reader) -> Self {
        let names = ["LOGS_INGESTION__ENDPOINT", "LOGS_INGESTION__RULE_ID"];
        let common = RuleSettings::read(reader, names.map(str::to_owned));
        reader.reject_all(&common.problems);
        let name = "LOGS_INGESTION__AUDIENCE";
        let audience = match reader.parse(name, accept_audience) {
            Err(Rejected::Unresolved(unresolved)) => Err(vec![unresolved]),
            // A value that is refused fails the load.
            _ => reader.program(name, accept_audience).ok_or_else(Vec::new),
        };
        Self {
            common,
            audience,
            without_rule: Vec::new(),
        }
    }

    /// Reads `<SOURCE>__INGESTION_ENDPOINT` and `<SOURCE>__RULE_ID`.
    pub fn of_source(reader: &Reader, prefix: &str) -> SourceDestinations {
        SourceDestinations(RuleSettings::read(reader, pair_under(prefix)))
    }

    /// Where the rows of one instance go; none where a setting is refused or could not be had, which disables the
    /// instance if it is configured.
    pub fn of_instance(
        &mut self,
        source: &SourceDestinations,
        instance: &mut InstanceReader<'_>,
    ) -> Option<DestinationChoice> {
        // For the unnamed instance the two are the same settings.
        let own = RuleSettings::read(instance.all(), pair_under(&instance.setting_prefix()));
        let is_wanted = instance.is_wanted();
        if own.is_set {
            instance.reject_all(&own.problems);
        } else if is_wanted {
            // Who does not run relies on nothing.
            instance.reject_all(&source.0.problems);
        }
        let choice = self.choose(&[&own, &source.0, &self.common]);
        if is_wanted {
            for unresolved in choice.as_ref().err().into_iter().flatten() {
                instance.disable(DisabledPart::Whole, unresolved);
            }
            self.note_without_rule(choice.as_ref().ok(), instance.label());
        }
        choice.ok()
    }

    /// Where other rows than those of a source go, after `<prefix>INGESTION_ENDPOINT` and `<prefix>RULE_ID`.
    ///
    /// # Errors
    /// The references that were not resolved. Other problems are noted.
    pub fn of_program(
        &mut self,
        reader: &mut Reader,
        prefix: &str,
        label: Option<&str>,
    ) -> Result<DestinationChoice, Vec<UnresolvedReference>> {
        let own = RuleSettings::read(reader, pair_under(prefix));
        reader.reject_all(&own.problems);
        for unresolved in &own.unresolved {
            reader.reject(&unresolved.setting, unresolved.message_where_none_is_accepted());
        }
        let choice = match own.unresolved.is_empty() {
            true => self.choose(&[&own, &self.common]),
            false => Err(Vec::new()),
        };
        if let Some(label) = label {
            self.note_without_rule(choice.as_ref().ok(), label.to_owned());
        }
        choice
    }

    /// In Azure the local default lies on a disk that vanishes.
    pub fn reject_local_default_in_azure(&self, reader: &mut Reader) {
        if self.without_rule.is_empty() || !reader.is_in_azure() {
            return;
        }
        let message = format!(
            "is missing, and so the rows of {} have no destination but the local default, which in \
             Azure (WEBSITE_SITE_NAME is set) lies on a disk that vanishes; set LOGS_INGESTION__ENDPOINT \
             and LOGS_INGESTION__RULE_ID",
            self.without_rule.join(", ")
        );
        reader.reject("LOGS_INGESTION__ENDPOINT", message);
    }

    fn note_without_rule(&mut self, choice: Option<&DestinationChoice>, label: String) {
        if choice == Some(&DestinationChoice::Directory) {
            self.without_rule.push(label);
        }
    }

    /// The first level that is set counts, whole: an endpoint of one and a rule of another level
    /// are never put together.
    fn choose(&self, levels: &[&RuleSettings]) -> Result<DestinationChoice, Vec<UnresolvedReference>> {
        let Some(level) = levels.iter().find(|level| level.is_set) else {
            return Ok(DestinationChoice::Directory);
        };
        let Some(rule) = &level.rule else {
            // A value that is refused counts before a reference beside it.
            let unresolved = level.unresolved.iter().filter(|_| level.problems.is_empty());
            return Err(unresolved.cloned().collect());
        };
        Ok(DestinationChoice::Rule(IngestionRule {
            audience: self.audience.clone()?,
            ..rule.clone()
        }))
    }
}

fn pair_under(prefix: &str) -> [String; 2] {
    ["INGESTION_ENDPOINT", "RULE_ID"].map(|key| format!("{prefix}{key}"))
}

impl RuleSettings {
    /// Puts a pair together; half of one is a problem of the missing half.
    fn read(reader: &Reader, [endpoint_setting, rule_setting]: [String; 2]) -> Self {
        let mut read = Self {
            is_set: reader.raw(&endpoint_setting).is_set() || reader.raw(&rule_setting).is_set(),
            problems: SettingProblems::default(),
            unresolved: Vec::new(),
            rule: None,
        };
        if !read.is_set {
            return read;
        }
        let endpoint = read.take(&endpoint_setting, reader.parse(&endpoint_setting, Origin::parse));
        let rule_id = read.take(&rule_setting, reader.parse(&rule_setting, accept_rule_id));
        for setting in [&endpoint_setting, &rule_setting] {
            if !reader.raw(setting).is_set() {
                let message = format!("is missing; {endpoint_setting} and {rule_setting} belong together");
                read.problems.add(setting, message);
            }
        }
        if let (Some(endpoint), Some(rule_id)) = (endpoint, rule_id) {
            read.rule = Some(IngestionRule {
                endpoint,
                rule_id,
                rule_setting,
                endpoint_setting,
                audience: String::new(),
            });
        }
        read
    }

    fn take<T>(&mut self, setting: &str, value: Result<Option<T>, Rejected>) -> Option<T> {
        match value {
            Ok(value) => return value,
            Err(Rejected::Invalid(invalid)) => self.problems.add(setting, invalid.to_string()),
            Err(Rejected::Unresolved(unresolved)) => self.unresolved.push(unresolved),
        }
        None
    }
}

/// The local destination.
pub fn read_directory(reader: &mut Reader) -> Option<PathBuf> {
    reader.program("DESTINATION_DIR", values::path)
}

/// Accepts what may be a rule's immutable id.
fn accept_rule_id(text: &str) -> Result<String, InvalidValue> {
    let accepted =
        "must be the immutable id of a rule, such as dcr-0123456789abcdef0123456789abcdef, not its name or resource id";
    values::path_id(text).map_err(|_| InvalidValue::new(accepted))
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
            ("https://monitor.azure.com", "https://monitor.azure.com"),
            ("https://monitor.azure.com/", "https://monitor.azure.com"),
            ("https://monitor.azure.com/.default", "https://monitor.azure.com"),
            ("https://monitor.azure.com//.default", "https://monitor.azure.com"),
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
