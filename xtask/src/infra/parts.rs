//! The parts of the template that are written by hand: `infra/template`.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::settings::Group;

const RESOURCES: [&str; 4] = ["identity", "storage", "vault", "app"];

/// The folder's files.
#[derive(Debug)]
pub struct Parts {
    /// `parameters.json`
    pub parameters: Map<String, Value>,
    /// `variables.json`
    pub variables: Map<String, Value>,
    /// `outputs.json`
    pub outputs: Map<String, Value>,
    /// `settings.json`
    pub settings: Vec<Group>,
    /// `resources/*.json`, without versions
    pub resources: Vec<Value>,
}

impl Parts {
    /// Reads the folder.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let mut resources = Vec::new();
        for name in RESOURCES {
            resources.append(&mut read(&folder.join("resources").join(format!("{name}.json")))?);
        }
        Ok(Self {
            parameters: read(&folder.join("parameters.json"))?,
            variables: read(&folder.join("variables.json"))?,
            outputs: read(&folder.join("outputs.json"))?,
            settings: read(&folder.join("settings.json"))?,
            resources,
        })
    }
}

/// Reads a JSON file.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
