//! Which Key Vault references there are, what they gave, and when they are asked again.
//!
//! A reference that could not be resolved is tried again after a minute. One whose value a vendor rejects is resolved
//! anew, at most once in five minutes: the secret may have been replaced meanwhile. What the platform resolved itself
//! is taken as it is until it is rejected.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::azure::Resolved;
use crate::config::{Environment, Reference, Secret, SettingReference};

/// A reference that could not be resolved is not asked for more often.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// A value that was rejected is not asked for more often.
const RENEW_AFTER: Duration = Duration::from_secs(5 * 60);

/// See the module.
pub struct Secrets {
    environment: Environment,
    entries: Vec<Entry>,
}

struct Entry {
    of: SettingReference,
    /// What stands in place of the setting's value; none for one that the platform resolved, until it is renewed.
    value: Option<Secret>,
    /// Why there is no value, or no newer one.
    failure: Option<String>,
    /// When it was asked for last.
    tried: Option<Instant>,
    /// When it was asked for last because its value was rejected.
    renewed: Option<Instant>,
    is_rejected: bool,
}

/// Where the value of a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretOrigin {
    /// The setting.
    pub setting: String,
    /// `secret worker of https://x.vault.azure.net`
    pub place: String,
    /// Who resolved it: the platform before the start, or the handler.
    pub by_platform: bool,
    /// Why there is no value.
    pub failure: Option<String>,
}

/// What came of asking.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// True if the settings are no longer what they were.
    pub settings: bool,
    /// What a person should know: values that were rejected and could not be renewed, by setting.
    pub not_renewed: Vec<(String, String)>,
}

impl Secrets {
    /// Nothing is asked for yet.
    pub fn new(environment: Environment, references: Vec<SettingReference>) -> Self {
        let entries = references.into_iter().map(|of| Entry {
            of,
            value: None,
            failure: None,
            tried: None,
            renewed: None,
            is_rejected: false,
        });
        let entries = entries.collect();
        Self { environment, entries }
    }

    /// How many settings have no value yet.
    pub fn unresolved(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.has_value()).count()
    }

    /// Notes that a vendor rejected the credential in the settings of an instance.
    pub fn reject(&mut self, setting_prefix: &str) {
        for entry in &mut self.entries {
            // No key has two underscores: what has belongs to a named instance.
            let key = entry.of.setting.strip_prefix(setting_prefix);
            if key.is_some_and(|key| !key.contains("__")) {
                entry.is_rejected = true;
            }
        }
    }

    /// What is to be asked for now; each reference once, however many settings it stands in.
    pub fn due(&self, now: Instant) -> HashSet<Reference> {
        let due = self.entries.iter().filter(|entry| entry.is_due(now));
        due.map(|entry| entry.of.reference.clone()).collect()
    }

    /// Takes the answers.
    pub fn take(&mut self, resolved: &Resolved, now: Instant) -> Change {
        let mut change = Change::default();
        for entry in &mut self.entries {
            let Some(answer) = resolved.get(&entry.of.reference) else {
                continue;
            };
            entry.tried = Some(now);
            if entry.is_rejected {
                entry.renewed = Some(now);
                entry.is_rejected = false;
            }
            match answer {
                Ok(secret) => {
                    entry.failure = None;
                    let of_platform = || self.environment.get(&entry.of.setting).filter(|_| entry.of.is_resolved);
                    let present = entry.value.as_ref().map(Secret::expose).or_else(of_platform);
                    if present.is_none_or(|present| !secret.matches(present.as_bytes())) {
                        entry.value = Some(secret.clone());
                        change.settings = true;
                    }
                }
                Err(error) => {
                    let failure = error.to_string();
                    if entry.has_value() {
                        change.not_renewed.push((entry.of.setting.clone(), failure));
                    } else {
                        // The reason is a part of the settings: it is told with what is off.
                        change.settings |= entry.failure.as_ref() != Some(&failure);
                        entry.failure = Some(failure);
                    }
                }
            }
        }
        change
    }

    /// Every setting that is a reference, and what became of it.
    pub fn origins(&self) -> Vec<SecretOrigin> {
        let origin = |entry: &Entry| SecretOrigin {
            setting: entry.of.setting.clone(),
            place: format!(
                "secret {} of {}",
                entry.of.reference.secret_name(),
                entry.of.reference.vault().as_str()
            ),
            by_platform: entry.of.is_resolved && entry.value.is_none(),
            failure: (!entry.has_value()).then(|| match &entry.failure {
                Some(failure) => failure.clone(),
                None => "it was not asked for".to_owned(),
            }),
        };
        self.entries.iter().map(origin).collect()
    }

    /// The environment with the values in place.
    pub fn environment(&self) -> Environment {
        let resolved = self.entries.iter().filter_map(|entry| {
            let found = match (&entry.value, &entry.failure) {
                (Some(value), _) => Ok(value.clone()),
                (None, failure) => Err(failure.clone()?),
            };
            Some((entry.of.setting.clone(), found))
        });
        self.environment.with_resolved(resolved.collect())
    }
}

impl Entry {
    fn has_value(&self) -> bool {
        self.of.is_resolved || self.value.is_some()
    }

    fn is_due(&self, now: Instant) -> bool {
        let has_passed = |since: Option<Instant>, pause| since.is_none_or(|since| now >= since + pause);
        match self.has_value() {
            true => self.is_rejected && has_passed(self.renewed, RENEW_AFTER),
            false => has_passed(self.tried, TRY_AGAIN_AFTER),
        }
    }
}

#[cfg(test)]
mod tests;
