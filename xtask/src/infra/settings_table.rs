//! The settings of the handler: their catalog in `infra/settings.json`, and the table of them in the README.

use std::path::Path;

use serde::Deserialize;

use crate::files::read;

const EVERY_SOURCE: &str = "<SOURCE>__";

/// `infra/settings.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Catalog {
    sources: Vec<VendorSettings>,
    every_source: Vec<Setting>,
    groups: Vec<SharedSettings>,
    /// Prefixes that are kept free for later versions.
    #[serde(rename = "reserved")]
    _reserved: Vec<String>,
}

/// The settings of a vendor; each instance has them all.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VendorSettings {
    #[serde(rename = "name")]
    _name: String,
    title: String,
    prefix: String,
    #[serde(rename = "pushKey")]
    _push_key: Option<String>,
    settings: Vec<Setting>,
}

/// Settings that exist once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedSettings {
    prefix: String,
    settings: Vec<Setting>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    key: String,
    default: Option<String>,
    meaning: String,
}

impl Catalog {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        serde_json::from_str(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Whether the handler knows a setting of this name, in an instance without a name.
    pub fn has(&self, name: &str) -> bool {
        let of_groups = self.groups.iter().map(|group| (&group.prefix, &group.settings));
        let of_sources = self.sources.iter().map(|source| (&source.prefix, &source.settings));
        let of_every_source = self.sources.iter().map(|source| (&source.prefix, &self.every_source));
        of_groups
            .chain(of_sources)
            .chain(of_every_source)
            .any(|(prefix, settings)| {
                let key = name.strip_prefix(prefix.as_str());
                settings.iter().any(|setting| key == Some(&setting.key))
            })
    }

    /// The table of the README: a line per setting.
    pub fn table(&self) -> String {
        let mut lines = vec!["| setting | default | meaning |".to_owned(), "|---|---|---|".to_owned()];
        for source in &self.sources {
            lines.push(format!("| **{}** | | |", source.title));
            lines.extend(source.settings.iter().map(|setting| setting.line(&source.prefix)));
        }
        lines.push("| **every source** | | |".to_owned());
        lines.extend(self.every_source.iter().map(|setting| setting.line(EVERY_SOURCE)));
        lines.push("| **the whole program** | | |".to_owned());
        for group in &self.groups {
            lines.extend(group.settings.iter().map(|setting| setting.line(&group.prefix)));
        }
        lines.join("\n")
    }
}

impl Setting {
    fn line(&self, prefix: &str) -> String {
        let default = self.default.as_ref().map(|default| format!("`{default}`"));
        format!(
            "| `{prefix}{}` | {} | {} |",
            self.key,
            default.unwrap_or_default(),
            self.meaning
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_one_line_and_is_known_by_its_whole_name() {
        let catalog: Catalog = serde_json::from_str(
            r#"{"sources": [{"name": "one", "title": "One", "prefix": "ONE__", "settings": [{"key": "URL", "meaning": "where"}]}],
                "everySource": [{"key": "RULE_ID", "meaning": "which"}],
                "groups": [{"prefix": "POLL_", "settings": [{"key": "EVERY", "default": "1m", "meaning": "when"}]}],
                "reserved": []}"#,
        )
        .unwrap();
        for name in ["ONE__URL", "ONE__RULE_ID", "POLL_EVERY"] {
            assert!(catalog.has(name), "{name}");
        }
        for name in ["ONE__EVERY", "URL", "POLL_RULE_ID", "ONE__"] {
            assert!(!catalog.has(name), "{name}");
        }
        let table = catalog.table();
        assert!(table.contains("| `<SOURCE>__RULE_ID` |  | which |"), "{table}");
        assert!(table.contains("| `POLL_EVERY` | `1m` | when |"), "{table}");
        assert_eq!(table.matches("ONE__URL").count(), 1);
    }
}
