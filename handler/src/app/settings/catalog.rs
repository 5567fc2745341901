//! The catalog that is built into the executable.

use std::sync::LazyLock;

use crate::config::{Catalog, SettingProblems};

static BUILT_IN: LazyLock<Result<Catalog, SettingProblems>> =
    LazyLock::new(|| parse(include_str!("../../../../infra/settings.json")));

/// Every setting of the program.
///
/// # Errors
/// If the file that is built in is malformed: then no setting can be read.
pub fn catalog() -> Result<&'static Catalog, SettingProblems> {
    BUILT_IN.as_ref().map_err(Clone::clone)
}

fn parse(text: &'static str) -> Result<Catalog, SettingProblems> {
    Catalog::parse(text).map_err(|error| {
        let mut problems = SettingProblems::default();
        problems.add(
            "settings",
            format!("the list of settings in this executable is malformed ({error}); please report it with this line"),
        );
        problems
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalog_is_well_formed_and_names_settings_of_sources_and_program() {
        let catalog = catalog().unwrap();
        assert!(!catalog.sources.is_empty() && catalog.sources.iter().all(|source| !source.group.keys.is_empty()));
        assert!(!catalog.groups.is_empty() && catalog.program_key("STATE_URL").is_some());
    }

    #[test]
    fn a_malformed_catalog_is_an_error_and_not_an_empty_one() {
        for text in ["", "{", "{}", r#"{"sources":[]}"#] {
            let problems = parse(text).unwrap_err().to_string();
            assert!(
                problems.starts_with("settings: the list of settings in this executable is malformed"),
                "{problems}"
            );
        }
    }
}
