//! The connector's own health table.

use crate::config::{DisabledPart, InstanceName, Reader, values};
use crate::destination::{DestinationChoice, DestinationReader};

/// The name under which health stands beside the sources in messages.
pub const NAME: &str = "health";

/// Whether and where each run leaves a row per stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthSettings {
    /// `HEALTH__ENABLED`. Also `false` where its destination could not be had, which is in
    /// [`Settings::disabled`](super::Settings::disabled).
    pub enabled: bool,
    /// `HEALTH__INGESTION_ENDPOINT` and `HEALTH__RULE_ID`, default `LOGS_INGESTION__*`.
    pub destination: DestinationChoice,
    /// The function app that writes the rows: `WEBSITE_SITE_NAME`, which the platform sets. None outside of Azure.
    pub app: Option<String>,
}

impl HealthSettings {
    /// Reads `HEALTH__*`.
    pub fn read(reader: &mut Reader, destinations: &mut DestinationReader) -> Option<Self> {
        let is_wanted = reader.program("HEALTH__ENABLED", values::boolean)?;
        let destination = destinations.of_program(reader, "HEALTH__", is_wanted.then_some(NAME));
        if is_wanted {
            for unresolved in destination.as_ref().err().into_iter().flatten() {
                reader.disable(NAME, &InstanceName::unnamed(), DisabledPart::Whole, unresolved);
            }
        }
        Some(Self {
            enabled: is_wanted && destination.is_ok(),
            destination: destination.unwrap_or(DestinationChoice::Directory),
            app: reader.site_name(),
        })
    }
}
