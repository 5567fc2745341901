//! What is configured and does not run.

use crate::event::StreamName;
use crate::health::StreamReport;
use crate::settings::{OffPart, Settings};

/// What is configured and does not run, each with its reason: it must not look as if all were well.
pub fn off_reports(settings: &Settings) -> Vec<StreamReport> {
    let mut off = Vec::new();
    for switched_off in &settings.switched_off {
        let part = match switched_off.part {
            OffPart::Poll => "polling",
            OffPart::Push => "push",
            OffPart::Whole => "everything",
        };
        let name = format!("{}/{}", switched_off.source, switched_off.instance.as_str());
        off.push(StreamReport::off(
            name.clone(),
            format!("{name}: {part} is switched off: {}", switched_off.reason),
        ));
    }
    off
}

/// The streams of what does not run for which something may wait in the spool.
pub fn off_streams(settings: &Settings) -> Vec<StreamName> {
    let mut streams = Vec::new();
    for switched_off in &settings.switched_off {
        let names: &[&'static str] = match switched_off.source {
            "pingone" => &["activities", "push"],
            "onelogin" => &["events", "push"],
            "pingone-enterprise" => &["events"],
            _ => &[],
        };
        streams.extend(names.iter().map(|stream| StreamName {
            source: switched_off.source,
            instance: switched_off.instance.as_str().to_owned(),
            stream,
        }));
    }
    streams
}
