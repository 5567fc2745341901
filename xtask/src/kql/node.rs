//! Node and the language service: found, installed into `target/tools/kql`, and run.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::cargo::{self, root};
use crate::files::{read, with_ending};

/// The oldest Node that runs the tests of `xtask/kql` with the runner it brings along.
const LEAST_NODE: u32 = 20;
const PACKAGE: &str = "@kusto/language-service-next";

/// Node with the language service installed.
pub struct Node {
    scripts: PathBuf,
    packages: PathBuf,
}

impl Node {
    /// Checks for Node, and installs the package that `xtask/kql/package.json` pins unless it is there.
    pub fn ready() -> Result<Self, String> {
        enough(&version()?)?;
        let scripts = root().join("xtask/kql");
        let tools = root().join("target/tools/kql");
        let node = Self {
            scripts,
            packages: tools.join("node_modules"),
        };
        let wanted = pinned(&read(&node.scripts.join("package.json"))?)?;
        if node.installed().as_deref() != Some(wanted.as_str()) {
            node.install(&tools)?;
        }
        Ok(node)
    }

    /// The tests of `xtask/kql`, by Node's own runner.
    pub fn run_tests(&self) -> Result<(), String> {
        let mut command = self.node();
        command.args(["--test", "--test-reporter=dot"]);
        for file in with_ending(&self.scripts.join("tests"), "mjs")? {
            command.arg(file);
        }
        cargo::run(command)
    }

    /// Executes golden cases, and has requests checked: a report for each. The error names every case that differs.
    pub fn check(&self, requests: &Value, golden: &[PathBuf]) -> Result<Value, String> {
        let mut command = self.node();
        command.arg(self.scripts.join("main.mjs")).args(golden);
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = piped
            .spawn()
            .map_err(|error| format!("node cannot be started: {error}"))?;
        let mut input = child.stdin.take().ok_or("node has no standard input")?;
        let sent = input.write_all(requests.to_string().as_bytes());
        drop(input);
        let answer = answer(child.wait_with_output());
        sent.map_err(|error| format!("node does not take the request: {error}"))?;
        let mut answer = answer?;
        refuse_differences(&answer["cases"])?;
        Ok(answer["reports"].take())
    }

    fn node(&self) -> Command {
        let mut command = Command::new("node");
        command.env("KQL_PACKAGES", &self.packages);
        command
    }

    fn installed(&self) -> Option<String> {
        let manifest = fs::read_to_string(self.packages.join(PACKAGE).join("package.json")).ok()?;
        let manifest: Value = serde_json::from_str(&manifest).ok()?;
        manifest["version"].as_str().map(str::to_owned)
    }

    fn install(&self, tools: &Path) -> Result<(), String> {
        let cannot = |error| format!("{} cannot be filled: {error}", tools.display());
        fs::create_dir_all(tools).map_err(cannot)?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(self.scripts.join(name), tools.join(name)).map_err(cannot)?;
        }
        let mut command = Command::new("npm");
        command.current_dir(tools);
        command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        cargo::run(command).map_err(|error| format!("{PACKAGE} cannot be installed: {error}"))
    }
}

fn refuse_differences(cases: &Value) -> Result<(), String> {
    let mut differences = Vec::new();
    for outcome in cases.as_array().ok_or("the golden cases gave no report")? {
        let lines = outcome["differences"].as_array().into_iter().flatten();
        differences.extend(lines.map(|line| format!("{}: {line}", outcome["file"])));
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!("golden rows differ:\n  {}", differences.join("\n  ")))
}

/// Exit 0 and 1 both come with a report; anything else has said why on standard error.
fn answer(output: std::io::Result<Output>) -> Result<Value, String> {
    let output = output.map_err(|error| format!("node cannot be run: {error}"))?;
    if !matches!(output.status.code(), Some(0 | 1)) {
        return Err(format!("the checker of xtask/kql ended with {}", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("the report of xtask/kql cannot be read: {error}"))
}

fn version() -> Result<String, String> {
    let output = Command::new("node").arg("--version").output();
    let output = output
        .map_err(|error| format!("node cannot be run ({error}): the KQL checks need Node {LEAST_NODE} or newer"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn enough(version: &str) -> Result<(), String> {
    let major = version.trim_start_matches('v').split('.').next();
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(major) if major >= LEAST_NODE => Ok(()),
        _ => Err(format!(
            "node is {version}: the KQL checks need Node {LEAST_NODE} or newer"
        )),
    }
}

/// The exact version that the manifest asks for; a range would change the names that `language.mjs` uses.
fn pinned(manifest: &str) -> Result<String, String> {
    let manifest: Value = serde_json::from_str(manifest).map_err(|error| format!("xtask/kql/package.json: {error}"))?;
    let version = manifest["dependencies"][PACKAGE].as_str().unwrap_or_default();
    let exact = version.split('.').count() == 3 && version.split('.').all(|part| part.parse::<u32>().is_ok());
    if exact {
        return Ok(version.to_owned());
    }
    Err(format!(
        "xtask/kql/package.json must pin {PACKAGE} to one version, not \"{version}\""
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_too_old_or_unreadable_is_refused() {
        assert!(enough("v20.0.0").is_ok());
        assert!(enough("v24.1.2").is_ok());
        for version in ["v18.20.4", "", "node"] {
            assert!(enough(version).unwrap_err().contains("need Node 20"), "{version}");
        }
    }

    #[test]
    fn a_version_that_is_not_exact_is_refused() {
        let manifest = |version: &str| format!(r#"{{"dependencies": {{"{PACKAGE}": "{version}"}}}}"#);
        assert_eq!(pinned(&manifest("12.4.1")).unwrap(), "12.4.1");
        for version in ["^12.4.1", "12.4", "latest", "12.4.x", ""] {
            assert!(pinned(&manifest(version)).is_err(), "{version}");
        }
        assert!(pinned("{}").is_err());
    }

    #[test]
    fn a_case_that_differs_is_told() {
        let cases = |differences: &[&str]| serde_json::json!([{"file": "f", "differences": differences}]);
        assert_eq!(refuse_differences(&cases(&[])), Ok(()));
        assert!(refuse_differences(&cases(&["row 0"])).unwrap_err().contains("row 0"));
        assert!(refuse_differences(&Value::Null).is_err());
    }

    #[test]
    fn manifest_and_lock_file_pin_the_package() {
        let scripts = root().join("xtask/kql");
        let version = pinned(&read(&scripts.join("package.json")).unwrap()).unwrap();
        let lock: Value = serde_json::from_str(&read(&scripts.join("package-lock.json")).unwrap()).unwrap();
        let package = &lock["packages"][format!("node_modules/{PACKAGE}")];
        assert_eq!(package["version"], version);
        assert!(package["integrity"].as_str().unwrap().starts_with("sha512-"));
    }
}
