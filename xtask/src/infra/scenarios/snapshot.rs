//! Bicep's own engine, where it is on the PATH: `bicep snapshot` writes what a deployment would make.
//!
//! Command and options, since 0.41: learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-cli#snapshot. The form:
//! src/Bicep.Cli.IntegrationTests/Files/SnapshotCommandTests of github.com/Azure/bicep.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::expected::ScenarioOutcome;
use crate::files;
use crate::infra::check::evaluate::{LOCATION, RESOURCE_GROUP, SUBSCRIPTION, TENANT};

/// `<scenario>.snapshot.json`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    predicted_resources: Vec<Value>,
}

/// The Bicep of this machine.
#[derive(Debug)]
pub struct Bicep {
    executable: PathBuf,
}

impl Bicep {
    /// None where there is none.
    pub fn on_path() -> Result<Option<Self>, String> {
        Self::at(Path::new("bicep"))
    }

    /// At a path, or by a name on the PATH.
    pub fn at(executable: &Path) -> Result<Option<Self>, String> {
        match Command::new(executable).arg("--version").output() {
            Ok(output) if output.status.success() => Ok(Some(Self {
                executable: executable.to_owned(),
            })),
            Ok(output) => Err(format!("bicep --version ended with {}", output.status)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("bicep cannot be started: {error}")),
        }
    }

    /// What it makes of a parameter file. It writes beside that: give it a copy.
    pub fn outcome(&self, parameter_file: &Path) -> Result<ScenarioOutcome, String> {
        let mut command = Command::new(&self.executable);
        command
            .arg("snapshot")
            .arg(parameter_file)
            .args(["--mode", "overwrite"]);
        command.args(["--tenant-id", TENANT, "--subscription-id", SUBSCRIPTION]);
        command.args(["--resource-group", RESOURCE_GROUP, "--location", LOCATION]);
        let output = command.output();
        let output = output.map_err(|error| format!("bicep cannot be started: {error}"))?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            return Ok(ScenarioOutcome::Refused(String::from_utf8_lossy(&said).into_owned()));
        }
        let snapshot: Snapshot = files::json(&parameter_file.with_extension("snapshot.json"))?;
        let mut resources = snapshot.predicted_resources;
        // What a deployment inside makes is listed; it is no resource itself.
        resources.retain(|resource| resource["type"] != "Microsoft.Resources/deployments");
        Ok(ScenarioOutcome::Resources(resources))
    }
}

#[cfg(test)]
pub mod tests {
    use std::fs;

    use super::*;

    /// An executable in the place of Bicep, which runs the script.
    pub fn bicep(folder: &Path, script: &str) -> Bicep {
        let executable = folder.join("bicep");
        // Written by another process: what this one has open for writing may not be started meanwhile.
        let text = format!("#!/bin/sh\n[ \"$1\" = --version ] && exit 0\n{script}\n");
        let mut writer = Command::new("sh");
        writer.args(["-c", "printf %s \"$1\" > \"$2\" && chmod +x \"$2\"", "sh"]);
        assert!(writer.arg(text).arg(&executable).status().unwrap().success());
        Bicep::at(&executable).unwrap().unwrap()
    }

    #[test]
    fn the_resources_of_a_snapshot_are_read_where_bicep_writes_them() {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = r#"{
          "predictedResources": [
            {"id": "/s/x", "type": "A.B/c", "name": "x", "apiVersion": "2022-09-01", "properties": {}},
            {"id": "/s/d", "type": "Microsoft.Resources/deployments", "name": "d", "apiVersion": "2022-09-01"}
          ],
          "diagnostics": [],
          "outputs": {}
        }"#;
        fs::write(folder.path().join("made"), snapshot).unwrap();
        let script = "[ \"${10}\" = connector ] && cp \"$(dirname \"$2\")/made\" \"${2%.bicepparam}.snapshot.json\"";
        let outcome = bicep(folder.path(), script).outcome(&folder.path().join("first.bicepparam"));
        let Ok(ScenarioOutcome::Resources(resources)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(resources.len(), 1);
        assert_eq!(resources[0]["id"], "/s/x");
    }

    #[test]
    fn what_bicep_says_when_it_fails_is_the_refusal() {
        let folder = tempfile::tempdir().unwrap();
        let bicep = bicep(folder.path(), "echo 'the client id is missing' >&2; exit 1");
        let outcome = bicep.outcome(&folder.path().join("half.bicepparam")).unwrap();
        assert_eq!(
            outcome,
            ScenarioOutcome::Refused("the client id is missing\n".to_owned())
        );
    }

    #[test]
    fn without_bicep_there_is_none() {
        assert!(Bicep::at(Path::new("/nowhere/bicep")).unwrap().is_none());
    }
}
