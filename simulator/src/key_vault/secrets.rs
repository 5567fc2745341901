//! The secrets of a vault and their versions.

use std::collections::BTreeMap;

/// By name; names do not tell capitals apart.
#[derive(Debug, Default)]
pub(super) struct Secrets(BTreeMap<String, Secret>);

#[derive(Debug)]
struct Secret {
    enabled: bool,
    /// Version and value, the latest last.
    versions: Vec<(String, String)>,
}

/// What a lookup finds.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Found<'a> {
    Nothing,
    Disabled,
    Version { version: &'a str, value: &'a str },
}

impl Secrets {
    pub(super) fn set(&mut self, name: &str, value: &str) -> String {
        let secret = self.0.entry(name.to_ascii_lowercase()).or_insert(Secret {
            enabled: true,
            versions: Vec::new(),
        });
        let version = format!("{:032x}", secret.versions.len() + 1);
        secret.versions.push((version.clone(), value.to_owned()));
        version
    }

    pub(super) fn set_enabled(&mut self, name: &str, enabled: bool) {
        if let Some(secret) = self.0.get_mut(&name.to_ascii_lowercase()) {
            secret.enabled = enabled;
        }
    }

    /// An empty version is the latest.
    pub(super) fn find(&self, name: &str, version: &str) -> Found<'_> {
        let Some(secret) = self.0.get(&name.to_ascii_lowercase()) else {
            return Found::Nothing;
        };
        let wanted = match version {
            "" => secret.versions.last(),
            _ => secret.versions.iter().find(|(known, _)| known == version),
        };
        match wanted {
            None => Found::Nothing,
            Some(_) if !secret.enabled => Found::Disabled,
            Some((version, value)) => Found::Version { version, value },
        }
    }
}
