//! Settings as data: every name with its default.

use serde::Deserialize;

/// One setting.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct SettingKey {
    /// What comes after the prefix; the whole name where there is no prefix.
    #[serde(rename = "key")]
    pub name: &'static str,
    /// The default, written as a value is; empty where there is none, or where it depends on other settings.
    #[serde(default)]
    pub default: &'static str,
}

/// The settings of one source; each of its instances has all of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceCatalog {
    /// The source in state paths, commands, routes and messages.
    pub name: &'static str,
    /// The product's name, for messages.
    pub title: &'static str,
    /// What all names start with.
    pub prefix: &'static str,
    /// What comes after the prefix, or after the instance's name.
    #[serde(rename = "settings")]
    pub keys: Vec<SettingKey>,
    /// The key that holds the token of its pushes, where it is pushed.
    pub push_key: Option<&'static str>,
}

impl SourceCatalog {
    /// The names of its keys.
    pub fn key_names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }

    /// The key of a name.
    pub fn key(&self, name: &str) -> Option<&SettingKey> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// Settings that exist once, under a prefix that belongs to this program.
#[derive(Debug, Deserialize)]
pub struct KeyGroup {
    /// What all names start with; empty for names that stand alone.
    pub prefix: &'static str,
    /// What comes after the prefix.
    #[serde(rename = "settings")]
    pub keys: Vec<SettingKey>,
}

impl KeyGroup {
    /// The names of its keys.
    pub fn key_names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }
}

/// Every setting.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Catalog {
    /// Those of the sources.
    pub sources: Vec<SourceCatalog>,
    /// Those of the whole program.
    pub groups: Vec<KeyGroup>,
    every_source: Vec<SettingKey>,
    #[serde(borrow = "'static")]
    reserved: Vec<&'static str>,
}

impl Catalog {
    /// Reads the catalog of this repository, `infra/settings.json`.
    ///
    /// # Errors
    /// Where the text has another form.
    pub fn parse(text: &'static str) -> Result<Self, serde_json::Error> {
        let mut catalog: Self = serde_json::from_str(text)?;
        for source in &mut catalog.sources {
            source.keys.extend(&catalog.every_source);
        }
        // A name under these prefixes is of a newer template.
        let reserved = catalog.reserved.iter().map(|prefix| KeyGroup {
            prefix,
            keys: Vec::new(),
        });
        catalog.groups.extend(reserved);
        Ok(catalog)
    }

    /// The source of a name.
    pub fn source(&self, name: &str) -> Option<&SourceCatalog> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// Whether a name is a setting of ours, or would be one if it were spelt right.
    pub fn is_ours(&self, name: &str) -> bool {
        self.source_of(name).is_some() || self.group_of(name).is_some() || self.program_key(name).is_some()
    }

    /// A setting of the whole program, by its whole name.
    pub fn program_key(&self, name: &str) -> Option<&SettingKey> {
        self.groups.iter().find_map(|group| {
            let rest = name.strip_prefix(group.prefix)?;
            group.keys.iter().find(|key| key.name == rest)
        })
    }

    /// The source under whose prefix a name stands, and what comes after it.
    pub(super) fn source_of<'n>(&self, name: &'n str) -> Option<(&SourceCatalog, &'n str)> {
        let mut sources = self.sources.iter();
        sources.find_map(|source| Some((source, name.strip_prefix(source.prefix)?)))
    }

    /// The group under whose prefix a name stands, and what comes after it.
    pub(super) fn group_of<'n>(&self, name: &'n str) -> Option<(&KeyGroup, &'n str)> {
        let mut groups = self.groups.iter().filter(|group| !group.prefix.is_empty());
        groups.find_map(|group| Some((group, name.strip_prefix(group.prefix)?)))
    }

    /// Every name of a setting, the keys of each source for the unnamed instance and for `named`.
    #[cfg(test)]
    pub fn every_name(&self, named: &str) -> Vec<String> {
        let of_groups = self.groups.iter().flat_map(|group| {
            let keys = group.keys.iter();
            keys.map(|key| format!("{}{}", group.prefix, key.name))
        });
        let of_sources = self.sources.iter().flat_map(|source| {
            let keys = source.keys.iter();
            keys.flat_map(|key| {
                let unnamed = format!("{}{}", source.prefix, key.name);
                [unnamed, format!("{}{named}__{}", source.prefix, key.name)]
            })
        });
        of_groups.chain(of_sources).collect()
    }
}
