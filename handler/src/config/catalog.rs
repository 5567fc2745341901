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

/// Settings under one prefix.
#[derive(Debug, Deserialize)]
pub struct KeyGroup {
    /// What all names start with; empty for names that stand alone.
    pub prefix: &'static str,
    /// What comes after the prefix; for a source after the prefix or the name of the instance.
    #[serde(rename = "settings")]
    pub keys: Vec<SettingKey>,
}

impl KeyGroup {
    /// The names of its keys.
    pub fn key_names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }

    /// The key of a name.
    pub fn key(&self, name: &str) -> Option<&SettingKey> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// The settings of one source; each of its instances has all of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceCatalog {
    /// The source in state paths, commands, routes and messages.
    pub name: &'static str,
    /// The product's name, for messages.
    pub title: &'static str,
    /// Its settings.
    #[serde(flatten)]
    pub group: KeyGroup,
    /// The key that holds the token of its pushes, where it is pushed.
    pub push_key: Option<&'static str>,
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
            source.group.keys.extend(&catalog.every_source);
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
        self.group_of(name).is_some() || self.program_key(name).is_some()
    }

    /// A setting of the whole program, by its whole name.
    pub fn program_key(&self, name: &str) -> Option<&SettingKey> {
        let mut groups = self.groups.iter();
        groups.find_map(|group| group.key(name.strip_prefix(group.prefix)?))
    }

    /// The settings under every prefix: those of the program, then those of the sources.
    pub(super) fn all_groups(&self) -> impl Iterator<Item = (Option<&SourceCatalog>, &KeyGroup)> {
        let of_program = self.groups.iter().map(|group| (None, group));
        of_program.chain(self.sources.iter().map(|source| (Some(source), &source.group)))
    }

    /// The prefix under which a name stands, and what comes after it.
    pub(super) fn group_of<'n>(&self, name: &'n str) -> Option<(Option<&SourceCatalog>, &KeyGroup, &'n str)> {
        let mut groups = self.all_groups().filter(|(_, group)| !group.prefix.is_empty());
        groups.find_map(|(source, group)| Some((source, group, name.strip_prefix(group.prefix)?)))
    }
}
