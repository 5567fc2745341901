//! Which setting a name that is none was meant to be.
//!
//! The environment is shared: the platform, the shell and other tools put their own names there. So a name counts
//! only if it is a known one but for underscores and capitals, or a slip or two away from one.

use crate::config::catalog::{Catalog, KeyGroup, SourceCatalog};
use crate::config::instance::{InstanceName, Instances};
use crate::config::suggestion::{misspelt, most_slips, shape, shortened, slips, with_something_before};

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
            setting: instance.setting(source, key),
            of: Some(MeantInstance {
                source,
                instance: (!is_of_all).then(|| instance.clone()),
                is_push_token: source.push_key == Some(key),
            }),
        }
    }

    fn of_program(group: &KeyGroup, key: &str) -> Self {
        Self {
            setting: format!("{}{key}", group.prefix),
            of: None,
        }
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
    /// What was meant by a name that is no setting.
    pub fn meant_by(&self, name: &str) -> Option<Meant> {
        match self.catalog.group_of(name) {
            Some((Some(source), _, rest)) => return self.under_source(source, rest),
            Some((None, group, key)) => return self.under_group(group, key),
            None => {}
        }
        let capitals = name.to_ascii_uppercase();
        if FOREIGN.iter().any(|foreign| capitals.starts_with(foreign)) {
            return None;
        }
        self.by_whole_name(&capitals).or_else(|| self.by_parts(&capitals))
    }

    /// What was meant by `rest` under the prefix of a source.
    fn under_source(&self, source: &'static SourceCatalog, rest: &str) -> Option<Meant> {
        let splits = splits(rest);
        let keys = source.group.key_names();
        let near = splits.iter().filter_map(|(instance, written)| {
            let (slips, key) = misspelt(written, &keys)?;
            Some((slips, Meant::in_source(source, instance, key)))
        });
        let shortened = || {
            splits.iter().find_map(|(instance, written)| {
                let key = shortened(written, &keys).or_else(|| self.token_of_another(written, &keys))?;
                Some(Meant::in_source(source, instance, key))
            })
        };
        self.in_sibling(source, rest, &splits)
            .or_else(|| near.min_by_key(|(slips, _)| *slips).map(|(_, meant)| meant))
            .or_else(|| self.joined_with_one_underscore(source, rest))
            .or_else(shortened)
    }

    /// What was meant by `key` under the prefix of a group.
    fn under_group(&self, group: &KeyGroup, key: &str) -> Option<Meant> {
        let keys = group.key_names();
        // `LOGS_INGESTION__INGESTION_ENDPOINT`: the key of a source.
        let of_a_source = || {
            let (_, end) = with_something_before(key, &keys)?;
            self.is_of_a_source(key).then_some(end)
        };
        let near = misspelt(key, &keys).map(|(_, key)| key);
        let meant = near.or_else(|| shortened(key, &keys)).or_else(of_a_source)?;
        Some(Meant::of_program(group, meant))
    }

    fn is_of_a_source(&self, key: &str) -> bool {
        self.catalog
            .sources
            .iter()
            .any(|source| source.group.key(key).is_some())
    }

    /// A product whose prefix begins like that of `source` (`ONE__` and `ONE_TWO__`): its keys under the prefix of
    /// `source` are no misspelling, but the wrong prefix.
    fn in_sibling(&self, source: &SourceCatalog, rest: &str, splits: &[(InstanceName, &str)]) -> Option<Meant> {
        let begins_alike = |other: &&SourceCatalog| {
            let rest = other
                .group
                .prefix
                .strip_prefix(source.group.prefix.trim_end_matches('_'));
            rest.is_some_and(|rest| rest.len() > 2)
        };
        let sibling = self.catalog.sources.iter().find(begins_alike)?;
        // `ONE__TWO__URL`
        let unnamed = InstanceName::unnamed();
        let whole = shape(&format!("{}{rest}", source.group.prefix));
        let mut keys = sibling.group.keys.iter();
        let by_shape = keys.find(|key| shape(&unnamed.setting(sibling, key.name)) == whole);
        let mut splits = splits.iter();
        let (instance, key) = by_shape
            .map(|key| (&unnamed, key))
            .or_else(|| splits.find_map(|(instance, key)| Some((instance, sibling.group.key(key)?))))?;
        Some(Meant::in_source(sibling, instance, key.name))
    }

    /// The whole name against every name without an instance.
    fn by_whole_name(&self, capitals: &str) -> Option<Meant> {
        let written = shape(capitals);
        let is_other_word = capitals
            .split('_')
            .next()
            .is_some_and(|word| OTHER_WORDS.contains(&word));
        let may_be_of_program = |group: &KeyGroup, key: &str| {
            let is_word = !group.prefix.trim_end_matches('_').contains('_');
            let begins = if group.prefix.is_empty() { key } else { group.prefix };
            !is_word || (begin_alike(&written, begins) && !is_other_word)
        };
        let near = self.catalog.all_groups().flat_map(|(source, group)| {
            let keys = group.keys.iter().map(|key| key.name);
            let keys = keys.filter(|key| source.is_some() || may_be_of_program(group, key));
            let near = keys.filter_map(|key| Some((slips_in_parts(&written, group.prefix, key)?, source, group, key)));
            near.collect::<Vec<_>>()
        });
        let (_, source, group, key) = near.min_by_key(|(slips, ..)| *slips)?;
        Some(match source {
            Some(source) => Meant::in_source(source, &InstanceName::unnamed(), key),
            None => Meant::of_program(group, key),
        })
    }

    /// `SOURC__ACME__CLIENT_ID`, `SOURCE_ACME__CLIENT_ID`: source, instance and key stand apart. Or
    /// `SOURCE_ACME_CLIENT_ID`, where `ACME` is there already: other tools have names of this form.
    fn by_parts(&self, capitals: &str) -> Option<Meant> {
        self.catalog.sources.iter().find_map(|source| {
            let prefix = source.group.prefix.trim_end_matches('_');
            let after_prefix = |name| str::strip_prefix(name, prefix)?.strip_prefix('_');
            let (instance, key) = match capitals.rsplit_once("__") {
                Some((front, written)) => {
                    let instance = match front.rsplit_once("__") {
                        Some((before, instance)) => slips(&shape(before), &shape(prefix)).map(|_| instance)?,
                        None => after_prefix(front)?,
                    };
                    let (_, key) = misspelt(written, &source.group.key_names())?;
                    (InstanceName::from_setting(instance).ok()?, key)
                }
                None => {
                    // The instance is one word.
                    let (written, key) = after_prefix(capitals)?.split_once('_')?;
                    let instance = InstanceName::from_setting(written).ok()?;
                    let is_known = self.known.has(source, &instance);
                    (instance, source.group.key(key).filter(|_| is_known)?.name)
                }
            };
            Some(Meant::in_source(source, &instance, key))
        })
    }

    /// `SOURCE__ACME_CLIENT_ID`. A key of one word may as well be the end of a name of a newer version, unless the
    /// instance is there.
    fn joined_with_one_underscore(&self, source: &'static SourceCatalog, rest: &str) -> Option<Meant> {
        let capitals = rest.to_ascii_uppercase();
        let (before, key) = with_something_before(&capitals, &source.group.key_names())?;
        let instance = InstanceName::from_setting(before).ok()?;
        let is_told = key.contains('_') || self.known.has(source, &instance);
        is_told.then(|| Meant::in_source(source, &instance, key))
    }

    /// `<SOURCE>__PUSH_TOKEN` for `<SOURCE>__BEARER_TOKEN`: what another source calls its token.
    fn token_of_another(&self, written: &str, keys: &[&'static str]) -> Option<&'static str> {
        let mut tokens = keys.iter().filter(|key| key.ends_with("_TOKEN"));
        let (first, second) = (tokens.next(), tokens.next());
        let is_a_token = written.ends_with("_TOKEN") && self.is_of_a_source(written);
        first.filter(|_| is_a_token && second.is_none()).copied()
    }
}

fn begin_alike(written: &str, right: &str) -> bool {
    written.as_bytes().first() == right.as_bytes().first()
}

/// How many slips there are in a name whose prefix and key are both near: a short prefix with half of its letters
/// missing is another one, however long the whole is. At most three, and only one where not even the beginning is
/// right, or where there is no prefix.
fn slips_in_parts(written: &str, prefix: &str, key: &str) -> Option<usize> {
    let (prefix, key) = (shape(prefix), shape(key));
    if prefix.is_empty() {
        return slips(written, &key).filter(|slips| *slips <= 1);
    }
    let most = if begin_alike(written, &prefix) { 3 } else { 1 };
    let most = most.min(most_slips(prefix.len() + key.len()));
    // Where the prefix ends: there may be a letter too few or too many.
    let ends = prefix.len().saturating_sub(most)..=(prefix.len() + most).min(written.len());
    let sums = ends.filter_map(|end| {
        let (before, after) = written.split_at_checked(end)?;
        Some(slips(before, &prefix)? + slips(after, &key)?)
    });
    sums.filter(|slips| *slips <= most).min()
}

/// Every way to take what follows a source's prefix for an instance and a key, the unnamed instance first.
fn splits(rest: &str) -> Vec<(InstanceName, &str)> {
    let named = rest.match_indices("__").filter_map(|(at, _)| {
        let instance = InstanceName::from_setting(&rest[..at].to_ascii_uppercase()).ok()?;
        Some((instance, rest[at..].trim_start_matches('_')))
    });
    std::iter::once((InstanceName::unnamed(), rest)).chain(named).collect()
}
