//! What is configured and does not run.

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
        off.push(StreamReport::failed(
            name.clone(),
            format!("{name}: {part} is switched off: {}", switched_off.reason),
        ));
    }
    let mut not_yet = |source: &str, instance: &str, what: &str| {
        let name = format!("{source}/{instance}");
        let problem =
            format!("{name}: {what} is configured, but this version does not read it yet; take its settings out");
        off.push(StreamReport::failed(name, problem));
    };
    for instance in settings.onelogin.iter().filter(|instance| instance.api.is_some()) {
        not_yet("onelogin", instance.instance.as_str(), "the OneLogin API");
    }
    off
}
