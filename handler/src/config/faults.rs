//! What is wrong with the settings of single instances: each switches off its own instance.

use std::collections::HashSet;

use crate::config::catalog::SourceCatalog;
use crate::config::instance::InstanceName;
use crate::config::problem::{SettingProblem, SettingProblems};
use crate::config::switched_off::{OffCause, OffPart, SwitchedOff};

/// The bad settings of instances, in the order in which they were found.
#[derive(Default)]
pub(super) struct Faults {
    found: Vec<Fault>,
    takes_push: HashSet<(&'static str, InstanceName)>,
}

struct Fault {
    source: &'static str,
    instance: InstanceName,
    problem: SettingProblem,
}

impl Faults {
    /// Keeps the problems of an instance, each once.
    pub(super) fn extend(&mut self, source: &SourceCatalog, instance: &InstanceName, problems: SettingProblems) {
        for problem in &problems {
            let is_known = self
                .found
                .iter()
                .any(|known| known.source == source.name && known.instance == *instance && known.problem == *problem);
            if !is_known {
                self.found.push(Fault {
                    source: source.name,
                    instance: instance.clone(),
                    problem: problem.clone(),
                });
            }
        }
    }

    /// Keeps one problem of an instance.
    pub(super) fn add(
        &mut self,
        source: &SourceCatalog,
        instance: &InstanceName,
        setting: impl Into<String>,
        message: impl Into<String>,
    ) {
        let mut problems = SettingProblems::default();
        problems.add(setting, message);
        self.extend(source, instance, problems);
    }

    /// Notes that an instance is to take pushes, whether its settings are good or bad.
    pub(super) fn note_push(&mut self, source: &SourceCatalog, instance: &InstanceName) {
        self.takes_push.insert((source.name, instance.clone()));
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether a setting of this instance is bad.
    pub(super) fn concern(&self, source: &str, instance: &InstanceName) -> bool {
        let mut found = self.found.iter();
        found.any(|fault| fault.source == source && fault.instance == *instance)
    }

    /// What is off because of them.
    pub(super) fn switched_off(&self) -> impl Iterator<Item = SwitchedOff> {
        self.found.iter().map(|fault| SwitchedOff {
            source: fault.source,
            instance: fault.instance.clone(),
            setting: fault.problem.setting.clone(),
            reason: format!("{} {}", fault.problem.setting, fault.problem.message),
            part: OffPart::Whole,
            takes_push: self.takes_push.contains(&(fault.source, fault.instance.clone())),
            cause: OffCause::BadSetting,
        })
    }
}
