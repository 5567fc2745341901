//! Which settings are Key Vault references, resolved by the platform or not.

use std::collections::BTreeSet;

use crate::config::catalog::Catalog;
use crate::config::environment::Environment;
use crate::config::platform_references::platform_references;
use crate::config::reference::Reference;

/// A setting whose value lies in a Key Vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingReference {
    /// Name of the setting.
    pub setting: String,
    /// Where its value lies.
    pub reference: Reference,
    /// Whether the environment has the value: the platform resolved the reference before the start.
    pub is_resolved: bool,
}

/// The references of all our settings, in the order of their names. One in a form that is not accepted is none; the
/// load of the settings says so.
pub fn references(environment: &dyn Environment, catalog: &Catalog) -> Vec<SettingReference> {
    let told = platform_references(environment);
    // What the platform could not resolve may be left out of the environment altogether.
    let names: BTreeSet<String> = environment.names().into_iter().chain(told.keys().cloned()).collect();
    let ours = names.into_iter().filter(|name| catalog.is_ours(name));
    ours.filter_map(|setting| {
        if environment.is_unreadable(&setting) {
            return None;
        }
        let text = environment.get(&setting).unwrap_or_default();
        let is_written = Reference::is_meant_by(&text);
        let reference = match is_written {
            true => Reference::parse(&text).ok()?,
            false => told.get(&setting).cloned().flatten()?,
        };
        let is_resolved = !is_written && !text.trim_ascii().is_empty();
        Some(SettingReference {
            setting,
            reference,
            is_resolved,
        })
    })
    .collect()
}
