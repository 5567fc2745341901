//! `cargo xtask release TAG`: whether a tag may be released, and what lies beside the package in `dist/`.

#[cfg(test)]
mod workflows;

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Args;
use serde_json::Value;

use crate::cargo::root;
use crate::files;
use crate::infra::{released, remembered_repository};

/// Where the history that may be released is, after a checkout with the whole history.
const MAIN: &str = "origin/main";

/// What follows `release`.
#[derive(Args)]
pub struct ReleaseArguments {
    /// The tag, `v<version>`, of the commit that is checked out.
    tag: String,
}

/// Refuses a tag that must not become a release. Then copies the templates and the portal form into `dist/`; those
/// that name a package must name that of this tag.
pub fn run(arguments: &ReleaseArguments) -> Result<(), String> {
    let root = root();
    let candidate = Candidate {
        tag: &arguments.tag,
        repository: remembered_repository(&root.join("infra/repository.txt"))?,
        on_main: is_on_main(&root)?,
    };
    let repository = candidate.accept()?;
    let package = released::package_uri(&repository);
    let dist = root.join("dist");
    fs::create_dir_all(&dist).map_err(|error| format!("{} cannot be made: {error}", dist.display()))?;
    for (name, has_package) in released::TEMPLATES {
        let source = root.join("infra").join(name);
        if has_package {
            refuse_another_package(&files::json(&source)?, &package)
                .map_err(|reason| format!("{}: {reason}", source.display()))?;
        }
        let copied = fs::copy(&source, dist.join(name));
        copied.map_err(|error| format!("{} cannot be copied to dist: {error}", source.display()))?;
    }
    println!(
        "release {}: the tag is good, its package will be {package}",
        arguments.tag
    );
    Ok(())
}

/// A tag that shall become a release.
struct Candidate<'a> {
    tag: &'a str,
    /// `https://github.com/OWNER/REPO`, as infra/repository.txt has it.
    repository: Option<String>,
    /// Whether the commit that is checked out belongs to the main branch.
    on_main: bool,
}

impl Candidate<'_> {
    /// The repository, if the tag may be released.
    fn accept(self) -> Result<String, String> {
        if self.tag != released::TAG {
            return Err(format!(
                "the tag {} is not the version of the workspace, {}: raise the version in Cargo.toml in the commit that is tagged",
                self.tag,
                released::TAG
            ));
        }
        if !self.on_main {
            return Err(format!(
                "the commit of {} is not on {MAIN}: merge it first, so that it went through review and checks",
                self.tag
            ));
        }
        self.repository.ok_or_else(|| {
            "infra/repository.txt is missing, so the template would deploy an app without code: run `cargo xtask infra \
             --repository https://github.com/OWNER/REPO` and commit what it writes"
                .to_owned()
        })
    }
}

/// Refuses a template or a form in which `packageUri` has another default than the package of the release.
fn refuse_another_package(document: &Value, package: &str) -> Result<(), String> {
    let found = document
        .pointer("/parameters/packageUri")
        .filter(|parameter| parameter.is_object())
        .or_else(|| element_named(document, "packageUri"))
        .and_then(|parameter| parameter["defaultValue"].as_str())
        .unwrap_or_default();
    if found == package {
        return Ok(());
    }
    Err(format!(
        "packageUri is \"{found}\" and not {package}: run `cargo xtask infra` and commit what it writes"
    ))
}

/// The element of that name, wherever it is in the form.
fn element_named<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    if value["name"] == name && value.get("type").is_some() {
        return Some(value);
    }
    match value {
        Value::Array(items) => items.iter().find_map(|item| element_named(item, name)),
        Value::Object(members) => members.values().find_map(|member| element_named(member, name)),
        _ => None,
    }
}

/// Whether the commit that is checked out is on the main branch of the remote.
fn is_on_main(folder: &Path) -> Result<bool, String> {
    let mut command = Command::new("git");
    command.current_dir(folder);
    let output = command.args(["merge-base", "--is-ancestor", "HEAD", MAIN]).output();
    let output = output.map_err(|error| format!("git cannot be run: {error}"))?;
    match output.status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(format!(
            "git cannot compare HEAD with {MAIN}; the checkout needs the whole history: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn candidate(tag: &str) -> Candidate<'_> {
        Candidate {
            tag,
            repository: Some("https://github.com/o/r".to_owned()),
            on_main: true,
        }
    }

    #[test]
    fn the_tag_of_this_version_on_main_is_released() {
        assert_eq!(candidate(released::TAG).accept().unwrap(), "https://github.com/o/r");
    }

    #[test]
    fn a_tag_that_is_not_the_version_is_refused() {
        for tag in ["v99.0.0", env!("CARGO_PKG_VERSION"), "v", "latest"] {
            assert!(
                candidate(tag).accept().unwrap_err().contains("not the version"),
                "{tag}"
            );
        }
    }

    #[test]
    fn a_tag_without_a_repository_is_refused() {
        let mut candidate = candidate(released::TAG);
        candidate.repository = None;
        assert!(candidate.accept().unwrap_err().contains("infra/repository.txt"));
    }

    #[test]
    fn a_tag_on_a_commit_that_is_not_on_main_is_refused() {
        let mut candidate = candidate(released::TAG);
        candidate.on_main = false;
        assert!(candidate.accept().unwrap_err().contains("not on origin/main"));
    }

    #[test]
    fn a_template_or_form_with_another_package_is_refused() {
        let package = released::package_uri("https://github.com/o/r");
        let template = |uri: &str| json!({"parameters": {"packageUri": {"type": "string", "defaultValue": uri}}});
        let form = |uri: &str| {
            json!({"parameters": {"steps": [{"elements": [{"name": "packageUri", "type": "T", "defaultValue": uri}]}],
                                  "outputs": {"packageUri": "[steps('advanced').packageUri]"}}})
        };
        assert_eq!(refuse_another_package(&template(&package), &package), Ok(()));
        assert_eq!(refuse_another_package(&form(&package), &package), Ok(()));
        for other in [
            "",
            "https://github.com/o/r/releases/latest/download/released-package.zip",
        ] {
            assert!(refuse_another_package(&template(other), &package).is_err(), "{other}");
            assert!(refuse_another_package(&form(other), &package).is_err(), "{other}");
        }
    }

    #[test]
    fn git_says_whether_a_commit_is_on_main() {
        let folder = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.current_dir(folder.path());
            let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
            let output = command.args(identity).args(arguments).output().unwrap();
            assert!(output.status.success(), "{output:?}");
        };
        git(&["init", "--quiet"]);
        assert!(is_on_main(folder.path()).unwrap_err().contains("whole history"));
        git(&["commit", "--quiet", "--allow-empty", "--no-verify", "-m", "one"]);
        git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
        assert!(is_on_main(folder.path()).unwrap());
        git(&["commit", "--quiet", "--allow-empty", "--no-verify", "-m", "two"]);
        assert!(!is_on_main(folder.path()).unwrap());
    }
}
