//! Reads the settings of one instance of a source.

use crate::config::catalog::SourceCatalog;
use crate::config::disabled::DisabledPart;
use crate::config::duplicates::ExclusiveClaim;
use crate::config::instance::InstanceName;
use crate::config::invalid_value::InvalidValue;
use crate::config::problem::SettingProblems;
use crate::config::push_token::{PushTokens, accept_push_tokens, has_reference_inside};
use crate::config::raw_setting::{RawSetting, UnresolvedReference};
use crate::config::reader::{Reader, Rejected};
use crate::config::secret::Secret;

/// A reader that knows the source and the instance, and so the full name of a key.
pub struct InstanceReader<'r> {
    reader: &'r mut Reader,
    source: &'static SourceCatalog,
    instance: InstanceName,
    is_wanted: bool,
    /// The settings that are missing or empty, with what is wrong where the instance is wanted.
    gaps: Vec<(&'static str, String)>,
}

impl<'r> InstanceReader<'r> {
    /// Nothing is read yet.
    pub fn new(reader: &'r mut Reader, source: &'static SourceCatalog, instance: InstanceName) -> Self {
        Self {
            reader,
            source,
            instance,
            is_wanted: false,
            gaps: Vec::new(),
        }
    }

    /// The instance.
    pub fn instance(&self) -> &InstanceName {
        &self.instance
    }

    /// The instance as messages name it: without `default`.
    pub fn label(&self) -> String {
        match self.instance.is_unnamed() {
            true => self.source.name.to_owned(),
            false => format!("{}/{}", self.source.name, self.instance),
        }
    }

    /// What the names of all settings of this instance start with, e.g. `<SOURCE>__ACME__`.
    pub fn setting_prefix(&self) -> String {
        self.setting("")
    }

    /// The full name of a setting.
    pub fn setting(&self, key: &str) -> String {
        self.instance.setting(self.source, key)
    }

    /// The product's name, for messages.
    pub fn title(&self) -> &'static str {
        self.source.title
    }

    /// The reader of all settings, for those that are not of this instance.
    pub fn all(&self) -> &Reader {
        self.reader
    }

    /// Whether anything of the instance is configured, as far as it was read.
    pub fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// Whether one of these settings is set, to something good or bad.
    pub fn is_any_set(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.reader.raw(&self.setting(key)).is_set())
    }

    /// Settings that belong together. Where they are wanted, what is missing of `needs` is a problem, and a reference
    /// that was not resolved disables `part`; what is set is checked in any case.
    pub fn part(&mut self, part: DisabledPart, is_wanted: bool, needs: &'static str) -> PartReader<'_, 'r> {
        self.is_wanted |= is_wanted;
        PartReader {
            instance: self,
            part,
            is_wanted,
            needs,
        }
    }

    /// The settings of the whole instance, after those that make it wanted.
    pub fn whole(&mut self) -> PartReader<'_, 'r> {
        self.part(DisabledPart::Whole, self.is_wanted, "")
    }

    /// Reads the token or the two tokens of a push, which make the instance wanted.
    pub fn push_tokens(&mut self, key: &'static str) -> PushTokens {
        let setting = self.setting(key);
        let raw = self.reader.raw(&setting);
        let (is_there, is_set) = (!matches!(raw, RawSetting::Absent), raw.is_set());
        let unresolved = match raw {
            RawSetting::Reference(unresolved) => Some(unresolved),
            // Only a whole value is ever resolved. As a token the text of a reference would be a password that is no
            // secret.
            RawSetting::Text(text) if has_reference_inside(text) => Some(UnresolvedReference {
                setting,
                is_malformed: true,
                why: None,
            }),
            _ => None,
        };
        if is_there {
            self.reader.note_pushed(self.source, &self.instance);
        }
        let has_placeholder = is_set && self.reader.has_placeholder(&self.setting(key));
        let placeholder = has_placeholder.then(|| Secret::new(self.setting(key)));
        let mut push = self.part(DisabledPart::Push, is_set, "");
        if let Some(placeholder) = placeholder {
            return PushTokens {
                tokens: vec![placeholder],
                is_unresolved: false,
            };
        }
        if let Some(unresolved) = unresolved {
            self.disable(DisabledPart::Push, &unresolved);
            return PushTokens {
                is_unresolved: true,
                ..PushTokens::default()
            };
        }
        let tokens = push.secret(key, accept_push_tokens).unwrap_or_default();
        for token in &tokens {
            self.claim(key, None, token.clone());
        }
        PushTokens {
            tokens,
            is_unresolved: false,
        }
    }

    /// Claims an account, by the setting of `key`, for this instance alone; `what` is its name in messages.
    pub fn claim_account(&mut self, key: &str, what: &'static str, account: impl Into<String>) {
        self.claim(key, Some(what), Secret::new(account));
    }

    fn claim(&mut self, key: &str, account: Option<&'static str>, of: Secret) {
        self.reader.claims.push(ExclusiveClaim {
            instance: self.instance.clone(),
            setting: self.setting(key),
            account,
            of,
        });
    }

    /// Notes a problem of a setting of this instance, which is disabled then.
    pub fn reject(&mut self, key: &str, message: impl Into<String>) {
        let setting = self.setting(key);
        self.reader
            .reject_instance(self.source, &self.instance, setting, message);
    }

    /// Notes problems that disable this instance.
    pub fn reject_all(&mut self, problems: &SettingProblems) {
        for problem in problems {
            self.reader
                .reject_instance(self.source, &self.instance, &problem.setting, &problem.message);
        }
    }

    /// Notes that a part of this instance is disabled.
    pub fn disable(&mut self, part: DisabledPart, unresolved: &UnresolvedReference) {
        self.reader.disable(self.source.name, &self.instance, part, unresolved);
    }

    /// Notes what is missing.
    pub fn reject_gaps(&mut self) {
        for (key, message) in std::mem::take(&mut self.gaps) {
            if self.is_wanted {
                self.reject(key, message);
            }
        }
    }
}

/// Reads settings of an instance that belong together. What is wrong is noted, and gives none.
pub struct PartReader<'p, 'r> {
    instance: &'p mut InstanceReader<'r>,
    part: DisabledPart,
    is_wanted: bool,
    needs: &'static str,
}

impl PartReader<'_, '_> {
    /// A setting that has to be there.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        accept: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        let found = self.read(key, accept)?;
        if found.is_none() && self.is_wanted {
            let message = format!("is missing; {} needs {}", self.instance.source.title, self.needs);
            self.instance.gaps.push((key, message));
        }
        found
    }

    /// A secret that has to be there. One that is set to nothing is a problem of its own wherever the instance is wanted.
    pub fn secret<T>(&mut self, key: &'static str, accept: impl FnOnce(&str) -> Result<T, InvalidValue>) -> Option<T> {
        let setting = self.instance.setting(key);
        if self.is_wanted && self.instance.reader.has_placeholder(&setting) {
            // The setting's own name, so that no two of them are equal.
            return accept(&setting).ok();
        }
        if matches!(self.instance.reader.raw(&setting), RawSetting::Empty) {
            let message = "is empty; give it a value or remove the setting";
            self.instance.gaps.push((key, message.to_owned()));
            return None;
        }
        self.required(key, accept)
    }

    /// A setting, or its default in the catalog.
    pub fn optional<T>(&mut self, key: &'static str, accept: impl Fn(&str) -> Result<T, InvalidValue>) -> Option<T> {
        if let Some(value) = self.read(key, &accept)? {
            return Some(value);
        }
        let default = self
            .instance
            .source
            .group
            .key(key)
            .and_then(|key| accept(key.default).ok());
        if default.is_none() {
            self.instance.reject(
                key,
                "has no usable default in this executable; please report it with this line",
            );
        }
        default
    }

    /// A setting, or a default that depends on others.
    pub fn optional_or<T>(
        &mut self,
        key: &'static str,
        default: T,
        accept: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        Some(self.read(key, accept)?.unwrap_or(default))
    }

    /// The value, if there is one; none where it is wrong.
    fn read<T>(&mut self, key: &str, accept: impl FnOnce(&str) -> Result<T, InvalidValue>) -> Option<Option<T>> {
        match self.instance.reader.parse(&self.instance.setting(key), accept) {
            Ok(value) => return Some(value),
            Err(Rejected::Invalid(invalid)) => self.instance.reject(key, invalid.to_string()),
            Err(Rejected::Unresolved(unresolved)) if self.is_wanted => self.instance.disable(self.part, &unresolved),
            Err(Rejected::Unresolved(_)) => {}
        }
        None
    }
}
