//! Which setting a name that is none was meant to be.
//!
//! The environment is shared: the platform, the shell and other tools put their own names there. So a name counts
//! only if it is a known one but for underscores and capitals, or a slip or two away from one.

use crate::config::catalog::{Catalog, KeyGroup, SourceCatalog};
use crate::config::instance::{InstanceName, Instances};
use crate::config::suggestion;
use crate::config::suggestion::{shape, slips, within};

/// What the platform puts before names that are its own, or copies of ours.
const FOREIGN: [&str; 8] = [
    "APPSETTING_",
    "WEBSITE_",
    "FUNCTIONS_",
    "AZUREWEBJOBS",
    "CUSTOMCONNSTR_",
    "SQLAZURECONNSTR_",
    "NPM_",
    "GITHUB_",
];

/// Words of their own that are a slip away from the first word of one of our names: whoever wrote one meant it.
const OTHER_WORDS: [&str; 34] = [
    "STAGE", "STAKE", "STALE", "STARE", "STAVE", "STATS", "STATES", "STATED", "SKATE", "SLATE", "SPATE", "LAG", "LEG",
    "LUG", "LOC", "LOT", "LOW", "LOGO", "LONG", "LOGIN", "POLE", "POLO", "POLY", "POOL", "PULL", "PILL", "PLUSH",
    "PUSHED", "SPOOF", "SPOON", "SPOOK", "STOOL", "HEALTHY", "HEARTH",
];

/// A setting that was meant.
#[derive(Debug, Clone)]
pub struct Meant {
    /// Its name as it is written right.
    pub setting: String,
    /// Whose setting it is; none for one of the whole program.
    pub of: Option<MeantInstance>,
}

/// The instance whose setting was meant.
#[derive(Debug, Clone)]
pub struct MeantInstance {
    /// The source.
    pub source: &'static SourceCatalog,
    /// None where it cannot be told, or where all instances go by the setting.
    pub instance: Option<InstanceName>,
    /// Whether it is the token of pushes.
    pub is_push_token: bool,
}

impl Meant {
    fn in_source(source: &'static SourceCatalog, instance: &InstanceName, key: &'static str) -> Self {
        // The pair of the source counts for every instance without a pair of its own.
        let is_of_all = instance.is_unnamed() && ["INGESTION_ENDPOINT", "RULE_ID"].contains(&key);
        Self {
            setting: format!("{}{}{key}", source.prefix, instance.infix()),
            of: Some(MeantInstance {
                source,
                instance: (!is_of_all).then(|| instance.clone()),
                is_push_token: source.push_key == Some(key),
            }),
        }
    }

    fn of_program(setting: String) -> Self {
        Self { setting, of: None }
    }
}

/// What is known, to hold names against.
pub struct LookAlikes<'a> {
    /// Every setting.
    pub catalog: &'static Catalog,
    /// The instances that are there.
    pub known: &'a Instances,
}

impl LookAlikes<'_> {
    /// What was meant by a name that stands under none of our prefixes.
    pub fn meant_by_stray(&self, name: &str) -> Option<Meant> {
        let capitals = name.to_ascii_uppercase();
        if FOREIGN.iter().any(|foreign| capitals.starts_with(foreign)) {
            return None;
        }
        self.by_whole_name(name)
            .or_else(|| self.by_parts(&capitals))
            .or_else(|| self.by_words(&capitals))
    }

    /// What was meant by `rest` under the prefix of a source.
    pub fn meant_in_source(&self, source: &'static SourceCatalog, rest: &str) -> Option<Meant> {
        let splits = splits(rest);
        if let Some(meant) = self.in_sibling(source, rest, &splits) {
            return Some(meant);
        }
        let keys = source.key_names();
        let misspelt = splits.iter().filter_map(|(instance, written)| {
            let (slips, key) = suggestion::misspelt(written, &keys)?;
            Some((slips, instance, key))
        });
        if let Some((_, instance, key)) = misspelt.min_by_key(|(slips, ..)| *slips) {
            return Some(Meant::in_source(source, instance, key));
        }
        self.joined_with_one_underscore(source, rest).or_else(|| {
            splits.iter().find_map(|(instance, written)| {
                let key = suggestion::shortened(written, &keys).or_else(|| self.token_of_another(written, &keys))?;
                Some(Meant::in_source(source, instance, key))
            })
        })
    }

    /// What was meant by `key` under the prefix of a group.
    pub fn meant_in_group(&self, group: &KeyGroup, key: &str) -> Option<Meant> {
        let keys = group.key_names();
        let misspelt = suggestion::misspelt(key, &keys).map(|(_, key)| key);
        let meant = misspelt.or_else(|| suggestion::shortened(key, &keys)).or_else(|| {
            // `LOGS_INGESTION__INGESTION_ENDPOINT`: the key of a source.
            let is_of_a_source = self.catalog.sources.iter().any(|source| source.key(key).is_some());
            let (_, key) = suggestion::with_something_before(key, &keys)?;
            is_of_a_source.then_some(key)
        })?;
        Some(Meant::of_program(format!("{}{meant}", group.prefix)))
    }

    /// A product whose prefix begins like that of `source` (`ONE__` and `ONE_TWO__`): its keys under the prefix of
    /// `source` are no misspelling, but the wrong prefix.
    fn in_sibling(&self, source: &'static SourceCatalog, rest: &str, splits: &[(InstanceName, &str)]) -> Option<Meant> {
        let begins_alike = |other: &SourceCatalog| {
            let rest = other.prefix.strip_prefix(source.prefix.trim_end_matches('_'));
            rest.is_some_and(|rest| rest.len() > 2)
        };
        let sibling = self.catalog.sources.iter().find(|other| begins_alike(other))?;
        // `ONE__TWO__URL`
        let whole = shape(&format!("{}{rest}", source.prefix));
        let mut keys = sibling.keys.iter();
        if let Some(key) = keys.find(|key| shape(&format!("{}{}", sibling.prefix, key.name)) == whole) {
            return Some(Meant::in_source(sibling, &InstanceName::unnamed(), key.name));
        }
        let mut only_there = splits
            .iter()
            .filter_map(|(instance, key)| Some((instance, sibling.key(key)?)));
        let (instance, key) = only_there.next()?;
        Some(Meant::in_source(sibling, instance, key.name))
    }

    /// The whole name against every name without an instance.
    fn by_whole_name(&self, name: &str) -> Option<Meant> {
        let capitals = name.to_ascii_uppercase();
        let first = capitals.split('_').next();
        let is_other_word = first.is_some_and(|word| OTHER_WORDS.contains(&word));
        let written = shape(name);
        let in_groups = self.catalog.groups.iter().flat_map(|group| {
            let keys = group.keys.iter().map(|key| (group.prefix, key.name));
            keys.filter_map(|(prefix, key)| {
                let begins = if prefix.is_empty() { key } else { prefix };
                let is_word = !prefix.trim_end_matches('_').contains('_');
                let may_be_ours = !is_word || (begin_alike(&written, begins) && !is_other_word);
                let slips = may_be_ours.then(|| slips_in_parts(&written, prefix, key)).flatten()?;
                Some((slips, Meant::of_program(format!("{prefix}{key}"))))
            })
        });
        let in_sources = self.catalog.sources.iter().flat_map(|source| {
            let keys = source.keys.iter();
            keys.filter_map(|key| {
                let slips = slips_in_parts(&written, source.prefix, key.name)?;
                Some((slips, Meant::in_source(source, &InstanceName::unnamed(), key.name)))
            })
        });
        let near = in_groups.chain(in_sources);
        near.min_by_key(|(slips, _)| *slips).map(|(_, meant)| meant)
    }

    /// `SOURC__ACME__CLIENT_ID`, `SOURCE_ACME__CLIENT_ID`: source, instance and key stand apart.
    fn by_parts(&self, capitals: &str) -> Option<Meant> {
        let (front, written) = capitals.rsplit_once("__")?;
        self.catalog.sources.iter().find_map(|source| {
            let instance = instance_in(source, front)?;
            let (_, key) = suggestion::misspelt(written, &source.key_names())?;
            Some(Meant::in_source(source, &instance, key))
        })
    }

    /// `SOURCE_ACME_CLIENT_ID`, where `ACME` is there already: other tools have names of this form.
    fn by_words(&self, capitals: &str) -> Option<Meant> {
        self.catalog.sources.iter().find_map(|source| {
            let prefix = source.prefix.trim_end_matches('_');
            let rest = capitals.strip_prefix(prefix)?.strip_prefix('_')?;
            // The instance is one word.
            let (written, key) = rest.split_once('_')?;
            let instance = InstanceName::from_setting(written).ok()?;
            let key = source.key(key)?;
            let is_known = self.known.has(source, &instance);
            is_known.then(|| Meant::in_source(source, &instance, key.name))
        })
    }

    /// `SOURCE__ACME_CLIENT_ID`. A key of one word may as well be the end of a name of a newer version, unless the
    /// instance is there.
    fn joined_with_one_underscore(&self, source: &'static SourceCatalog, rest: &str) -> Option<Meant> {
        let capitals = rest.to_ascii_uppercase();
        let keys = source.key_names();
        let (before, key) = suggestion::with_something_before(&capitals, &keys)?;
        let instance = InstanceName::from_setting(before).ok()?;
        let is_told = key.contains('_') || self.known.has(source, &instance);
        is_told.then(|| Meant::in_source(source, &instance, key))
    }

    /// `<SOURCE>__PUSH_TOKEN` for `<SOURCE>__BEARER_TOKEN`: what another source calls its token.
    fn token_of_another(&self, written: &str, keys: &[&'static str]) -> Option<&'static str> {
        let is_a_token = written.ends_with("_TOKEN");
        let is_of_another = self.catalog.sources.iter().any(|source| source.key(written).is_some());
        let only = (is_a_token && is_of_another).then(|| suggestion::only_one_of_its_kind(written, keys));
        only.flatten()
    }
}

fn begin_alike(written: &str, right: &str) -> bool {
    written.as_bytes().first() == right.as_bytes().first()
}

/// How many slips there are in a name whose prefix and key are both near: a short prefix with half of its
/// letters missing is another one, however long the whole is. At most three, and only one where not even the beginning is right, or
/// where there is no prefix.
fn slips_in_parts(written: &str, prefix: &str, key: &str) -> Option<usize> {
    let (prefix, key) = (shape(prefix), shape(key));
    if prefix.is_empty() {
        return Some(slips(written, &key)).filter(|slips| *slips <= 1);
    }
    let most = if begin_alike(written, &prefix) { 3 } else { 1 };
    let most = most.min(within(prefix.len() + key.len()));
    // Where the prefix ends: there may be a letter too few or too many.
    let ends = prefix.len().saturating_sub(most)..=(prefix.len() + most).min(written.len());
    let sums = ends.filter_map(|end| {
        let (before, after) = written.split_at_checked(end)?;
        let (before, after) = (slips(before, &prefix), slips(after, &key));
        let is_near = before <= within(prefix.len()) && after <= within(key.len()) && before + after <= most;
        is_near.then_some(before + after)
    });
    sums.min()
}

fn instance_in(source: &SourceCatalog, front: &str) -> Option<InstanceName> {
    let right = source.prefix.trim_end_matches('_');
    let written = match front.rsplit_once("__") {
        Some((before, instance)) if slips(&shape(before), &shape(right)) <= within(shape(right).len()) => instance,
        Some(_) => return None,
        None => front.strip_prefix(right)?.strip_prefix('_')?,
    };
    InstanceName::from_setting(written).ok()
}

/// Every way to take what follows a source's prefix for an instance and a key, the unnamed instance first.
fn splits(rest: &str) -> Vec<(InstanceName, &str)> {
    let named = rest.match_indices("__").filter_map(|(at, _)| {
        let instance = InstanceName::from_setting(&rest[..at].to_ascii_uppercase()).ok()?;
        Some((instance, rest[at..].trim_start_matches('_')))
    });
    std::iter::once((InstanceName::unnamed(), rest)).chain(named).collect()
}
