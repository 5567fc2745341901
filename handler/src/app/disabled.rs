//! What is configured and does not run.

use std::collections::HashSet;

use super::settings::Settings;
use crate::config::{Disabled, DisabledCause};
use crate::event::StreamName;
use crate::jobs::{DisabledInstance, DisabledReason};
use crate::report::{ErrorCode, ReportSubject};
use crate::vendors::VENDORS;

/// What is configured and does not run, each instance once with all its reasons.
pub fn disabled_instances(settings: &Settings) -> Vec<DisabledInstance> {
    let mut instances: Vec<DisabledInstance> = Vec::new();
    for disabled in &settings.disabled {
        let subject = ReportSubject::Instance {
            source: disabled.source,
            instance: disabled.instance.as_str().to_owned(),
        };
        let reason = DisabledReason {
            part: disabled.part,
            code: match disabled.cause {
                DisabledCause::UnresolvedReference => ErrorCode::SecretUnresolved,
                DisabledCause::BadSetting => ErrorCode::BadSetting,
            },
            text: disabled.reason(),
        };
        match instances.iter_mut().find(|instance| instance.subject == subject) {
            Some(instance) => instance.reasons.push(reason),
            None => instances.push(DisabledInstance {
                subject,
                reasons: vec![reason],
            }),
        }
    }
    instances
}

/// The names of the instances that are disabled, each once.
pub fn disabled_names(settings: &Settings) -> Vec<String> {
    let mut known = HashSet::new();
    let names = settings.disabled.iter().map(Disabled::name);
    names.filter(|name| known.insert(name.clone())).collect()
}

/// The streams of what does not run for which something may wait in the spool.
pub fn disabled_streams(settings: &Settings) -> Vec<StreamName> {
    let mut streams = Vec::new();
    for disabled in &settings.disabled {
        let vendor = VENDORS.iter().find(|vendor| vendor.name == disabled.source);
        let names = vendor.map_or(&[][..], |vendor| vendor.spooled_streams);
        streams.extend(names.iter().map(|stream| StreamName {
            source: disabled.source,
            instance: disabled.instance.as_str().to_owned(),
            stream,
        }));
    }
    streams
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    #[test]
    fn an_instance_with_several_bad_settings_is_off_once_with_every_reason() {
        let settings = Settings::load(&Environment::from([
            ("PINGONE__ACME__REGION", "mars"),
            ("PINGONE__ACME__TABLES", "none"),
            ("ONELOGIN__BEARER_TOKEN", "a-token-of-twenty-letters"),
        ]))
        .unwrap();

        let instances = disabled_instances(&settings);

        assert_eq!(instances.len(), 1);
        assert_eq!(instances[0].subject.to_string(), "pingone/acme");
        let words: Vec<&str> = instances[0].reasons.iter().map(|reason| reason.code.word()).collect();
        assert_eq!(words, ["bad_setting"; 2]);
        assert_eq!(disabled_names(&settings), ["pingone/acme"]);
    }
}
