//! What is wrong with the settings, all of it at once.

use std::fmt;

use indexmap::IndexSet;

/// One thing that is wrong with one setting.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{setting}: {message}")]
pub struct SettingProblem {
    /// Name of the setting, e.g. `POLL_BUDGET`.
    pub setting: String,
    /// What is wrong and the accepted form; never the value or a part of it.
    pub message: String,
}

/// Everything that is wrong with the settings, each thing once: a setting of a whole source is looked at by each of its
/// instances. In the order in which the settings were read; prints one line each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingProblems(IndexSet<SettingProblem>);

impl SettingProblems {
    /// The problems, in the order in which the settings were read.
    pub fn iter(&self) -> indexmap::set::Iter<'_, SettingProblem> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps all problems of another list.
    pub fn extend(&mut self, others: &Self) {
        self.0.extend(others.iter().cloned());
    }

    /// Keeps a problem.
    pub fn add(&mut self, setting: impl Into<String>, message: impl Into<String>) {
        self.0.insert(SettingProblem {
            setting: setting.into(),
            message: message.into(),
        });
    }
}

impl FromIterator<SettingProblem> for SettingProblems {
    fn from_iter<Problems: IntoIterator<Item = SettingProblem>>(problems: Problems) -> Self {
        Self(problems.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a SettingProblems {
    type Item = &'a SettingProblem;
    type IntoIter = indexmap::set::Iter<'a, SettingProblem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for SettingProblems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.iter().map(ToString::to_string).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for SettingProblems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_print_one_line_each_and_are_kept_once() {
        let mut problems = SettingProblems::default();
        problems.add("A", "must be a");
        problems.add("B", "is missing");
        problems.add("A", "must be a");

        assert_eq!(problems.to_string(), "A: must be a\nB: is missing");
        assert_eq!(problems.iter().count(), 2);
        assert!(!problems.is_empty());
    }
}
