//! Reads the settings of one instance of a source.

use crate::config::catalog::SourceCatalog;
use crate::config::given::{Given, Presence};
use crate::config::instance::InstanceName;
use crate::config::invalid_value::InvalidValue;
use crate::config::problem::SettingProblems;
use crate::config::push_token::{PushTokens, accept_push_tokens, has_reference_inside};
use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::config::switched_off::{OffCause, OffPart, SwitchedOff, UnresolvedReference};
use crate::config::twins::Claim;

/// A reader that knows the source and the instance, and so the full name of a key.
pub(super) struct InstanceReader<'r, 'e> {
    reader: &'r mut Reader<'e>,
    pub(super) source: &'static SourceCatalog,
    pub(super) instance: InstanceName,
}

/// A key of an instance and whether it is there.
pub(super) type KeyPresence = (&'static str, Presence);

impl<'r, 'e> InstanceReader<'r, 'e> {
    pub(super) fn new(reader: &'r mut Reader<'e>, source: &'static SourceCatalog, instance: InstanceName) -> Self {
        Self {
            reader,
            source,
            instance,
        }
    }

    /// What the names of all settings of this instance start with, e.g. `PINGONE__ACME__`.
    pub(super) fn setting_prefix(&self) -> String {
        format!("{}{}", self.source.prefix, self.instance.infix())
    }

    /// The full name of a setting.
    pub(super) fn setting(&self, key: &str) -> String {
        format!("{}{key}", self.setting_prefix())
    }

    /// Reads a setting that is no secret.
    pub(super) fn read<T>(&mut self, key: &str, accept: impl FnOnce(&str) -> Result<T, InvalidValue>) -> Given<T> {
        let mut problems = SettingProblems::default();
        let given = self.reader.look(&self.setting(key), &mut problems, accept);
        self.refuse_all(problems);
        given
    }

    /// Reads a secret.
    pub(super) fn read_secret<T>(
        &mut self,
        key: &str,
        accept: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Given<T> {
        let mut problems = SettingProblems::default();
        let given = self.reader.look_for_secret(&self.setting(key), &mut problems, accept);
        self.refuse_all(problems);
        given
    }

    /// Reads the token or the two tokens of a push.
    pub(super) fn read_push_tokens(&mut self, key: &str) -> Given<Vec<Secret>> {
        let mut reference_inside = false;
        let given = self.read_secret(key, |text| {
            // Only a whole value is ever resolved. As a token the text of a reference would be a
            // password that is no secret.
            reference_inside = has_reference_inside(text);
            if reference_inside {
                return Ok(Vec::new());
            }
            accept_push_tokens(text)
        });
        if reference_inside {
            return Given::Unresolved(UnresolvedReference {
                setting: self.setting(key),
                malformed: true,
                why: None,
            });
        }
        given
    }

    /// Notes a problem of a setting of this instance, which is off then.
    pub(super) fn refuse(&mut self, key: &str, message: impl Into<String>) {
        let setting = self.setting(key);
        self.reader
            .refuse_instance(self.source, &self.instance, setting, message);
    }

    /// Notes problems that switch off this instance.
    pub(super) fn refuse_all(&mut self, problems: SettingProblems) {
        self.reader.faults.extend(self.source, &self.instance, problems);
    }

    /// What this instance claims for itself alone, by the setting of `key`.
    pub(super) fn claim<T>(&self, key: &str, of: T) -> Claim<T> {
        Claim {
            instance: self.instance.clone(),
            setting: self.setting(key),
            of,
        }
    }

    /// Notes that this instance is to take pushes.
    pub(super) fn note_push(&mut self, token: Presence) {
        if token != Presence::Absent {
            self.reader.faults.note_push(self.source, &self.instance);
        }
    }

    /// Notes each key that is missing although others of `keys` are there.
    pub(super) fn refuse_gaps(&mut self, needs: &str, keys: &[KeyPresence]) {
        let title = self.source.title;
        for (key, presence) in keys {
            match presence {
                Presence::Given => {}
                Presence::Absent => self.refuse(key, format!("is missing; {title} needs {needs}")),
                Presence::EmptySecret => self.refuse_empty_secrets(&[(key, *presence)]),
            }
        }
    }

    /// Notes each secret that is set to nothing next to settings that fill the source.
    pub(super) fn refuse_empty_secrets(&mut self, keys: &[KeyPresence]) {
        for (key, presence) in keys {
            if *presence == Presence::EmptySecret {
                self.refuse(key, "is empty; give it a value or remove the setting");
            }
        }
    }

    /// Notes that a part of this instance stays off, once for each reference.
    pub(super) fn switch_off(&mut self, part: OffPart, takes_push: bool, unresolved: &[UnresolvedReference]) {
        for reference in unresolved {
            self.reader.switched_off.push(SwitchedOff {
                source: self.source.name,
                instance: self.instance.clone(),
                setting: reference.setting.clone(),
                reason: reference.reason(),
                part,
                takes_push,
                cause: OffCause::UnresolvedReference,
            });
        }
    }

    /// The tokens of the push part, which is switched off where they are a reference.
    pub(super) fn push_part(&mut self, given: Given<Vec<Secret>>) -> PushTokens {
        let mut unresolved = Vec::new();
        let tokens = given.or(Vec::new(), &mut unresolved).unwrap_or_default();
        self.switch_off(OffPart::Push, true, &unresolved);
        PushTokens {
            tokens,
            unresolved: !unresolved.is_empty(),
        }
    }

    /// Notes that this instance is configured and has no ingestion rule.
    pub(super) fn note_without_rule(&mut self) {
        let label = if self.instance.is_unnamed() {
            self.source.name.to_owned()
        } else {
            format!("{}/{}", self.source.name, self.instance)
        };
        self.reader.without_rule.push(label);
    }

    /// The reader of all settings, for those that are not of this instance.
    pub(super) fn whole(&self) -> &Reader<'e> {
        self.reader
    }
}
