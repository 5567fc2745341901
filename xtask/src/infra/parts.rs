//! The parts of the template that are written by hand: `infra/template`.

use std::path::Path;

use serde_json::{Map, Value};

use super::settings::Group;
use crate::files;

const RESOURCES: [&str; 5] = ["identity", "storage", "vault", "app", "failed_runs"];

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
            resources.append(&mut files::json(
                &folder.join("resources").join(format!("{name}.json")),
            )?);
        }
        Ok(Self {
            parameters: files::json(&folder.join("parameters.json"))?,
            variables: files::json(&folder.join("variables.json"))?,
            outputs: files::json(&folder.join("outputs.json"))?,
            settings: files::json(&folder.join("settings.json"))?,
            resources,
        })
    }
}
