//! The connector's own health table.

use crate::config::destination::{DestinationChoice, Destinations};
use crate::config::instance::InstanceName;
use crate::config::reader::Reader;
use crate::config::switched_off::{OffCause, OffPart, SwitchedOff};
use crate::config::values;

/// The name under which health stands beside the sources in messages.
pub(super) const NAME: &str = "health";

/// Whether and where each run leaves a row per stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// `HEALTH__ENABLED`, default `false`. Also `false` where its destination could not be had,
    /// which is in [`Settings::switched_off`](crate::config::Settings::switched_off).
    pub enabled: bool,
    /// `HEALTH__INGESTION_ENDPOINT` and `HEALTH__RULE_ID`, default `LOGS_INGESTION__*`.
    pub destination: DestinationChoice,
}

impl Health {
    /// Reads `HEALTH__*`.
    pub(super) fn read(reader: &mut Reader<'_>, destinations: &Destinations) -> Self {
        let wanted = reader.read_or("HEALTH__ENABLED", false, values::boolean);
        let mut unresolved = Vec::new();
        let destination = destinations.of_health(reader, &mut unresolved);

        if wanted && destination == Some(DestinationChoice::Directory) {
            reader.without_rule.push(NAME.to_owned());
        }
        if wanted {
            let off = unresolved.iter().map(|reference| SwitchedOff {
                source: NAME,
                instance: InstanceName::unnamed(),
                setting: reference.setting.clone(),
                reason: reference.reason(),
                part: OffPart::Whole,
                takes_push: false,
                cause: OffCause::UnresolvedReference,
            });
            reader.switched_off.extend(off);
        }
        Self {
            enabled: wanted && destination.is_some(),
            destination: destination.unwrap_or(DestinationChoice::Directory),
        }
    }
}
