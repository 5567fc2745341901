//! What is wrong with the settings, all of it at once.

use std::collections::HashSet;
use std::fmt;

/// One thing that is wrong with one setting.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{setting}: {message}")]
pub struct SettingProblem {
    /// Name of the setting, e.g. `POLL_BUDGET`.
    pub setting: String,
    /// What is wrong and the accepted form; never the value or a part of it.
    pub message: String,
}

/// Everything that is wrong with the settings; prints one line each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingProblems {
    problems: Vec<SettingProblem>,
    known: HashSet<SettingProblem>,
}

impl SettingProblems {
    /// The problems, in the order in which the settings were read.
    pub fn iter(&self) -> std::slice::Iter<'_, SettingProblem> {
        self.problems.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Keeps all problems of another list.
    pub fn extend(&mut self, others: &Self) {
        for problem in others {
            self.add(&problem.setting, &problem.message);
        }
    }

    /// Keeps a problem, once: a setting of a whole source is looked at by each of its instances.
    pub fn add(&mut self, setting: impl Into<String>, message: impl Into<String>) {
        let problem = SettingProblem {
            setting: setting.into(),
            message: message.into(),
        };
        if self.known.insert(problem.clone()) {
            self.problems.push(problem);
        }
    }
}

impl<'a> IntoIterator for &'a SettingProblems {
    type Item = &'a SettingProblem;
    type IntoIter = std::slice::Iter<'a, SettingProblem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for SettingProblems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{problem}")?;
        }
        Ok(())
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
        assert_eq!(problems.len(), 2);
        assert!(!problems.is_empty());
    }
}
