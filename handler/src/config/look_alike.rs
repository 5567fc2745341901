//! Which setting a name that is none was meant to be.
//!
//! The environment is shared: the platform, the shell and other tools put their own names there. So a name counts
//! only if it is a known one but for underscores and capitals, or a slip or two away from one.

use crate::config::catalog::{ALONE, GROUPS, PINGONE, PINGONE_ENTERPRISE, SOURCES, SourceCatalog};
use crate::config::instance::InstanceName;
use crate::config::names::Instances;
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meant {
    /// Its name as it is written right.
    pub(super) setting: String,
    /// Whose setting it is; none for one of the whole program.
    pub(super) of: Option<MeantInstance>,
}

/// The instance whose setting was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MeantInstance {
    /// The source.
    pub(super) source: &'static str,
    /// None where it cannot be told, or where all instances go by the setting.
    pub(super) instance: Option<InstanceName>,
    /// Whether it is the token of pushes.
    pub(super) is_push_token: bool,
}

impl Meant {
    fn in_source(source: &SourceCatalog, instance: &InstanceName, key: &'static str) -> Self {
        // The pair of the source counts for every instance without a pair of its own.
        let is_of_all = instance.is_unnamed() && ["INGESTION_ENDPOINT", "RULE_ID"].contains(&key);
        Self {
            setting: format!("{}{}{key}", source.prefix, instance.infix()),
            of: Some(MeantInstance {
                source: source.name,
                instance: (!is_of_all).then(|| instance.clone()),
                is_push_token: source.push_key == Some(key),
            }),
        }
    }

    fn of_program(setting: String) -> Self {
        Self { setting, of: None }
    }
}

/// What was meant by a name that stands under none of our prefixes. `known` are the instances that are there.
pub(super) fn meant_by_stray(name: &str, known: &Instances) -> Option<Meant> {
    let capitals = name.to_ascii_uppercase();
    if FOREIGN.iter().any(|foreign| capitals.starts_with(foreign)) {
        return None;
    }
    by_whole_name(name)
        .or_else(|| by_parts(&capitals))
        .or_else(|| by_words(&capitals, known))
}

/// What was meant by `rest` under the prefix of a source.
pub(super) fn meant_in_source(source: &SourceCatalog, rest: &str, known: &Instances) -> Option<Meant> {
    let unnamed = InstanceName::unnamed();
    // `PINGONE__ENTERPRISE__POLL_URL`
    let whole = shape(&format!("{}{rest}", source.prefix));
    if let Some(sibling) = sibling_of(source)
        && let Some(key) = sibling
            .keys
            .iter()
            .find(|key| shape(&format!("{}{key}", sibling.prefix)) == whole)
    {
        return Some(Meant::in_source(sibling, &unnamed, key));
    }
    let splits = splits(rest);
    // A key of the other PingOne product is no misspelling, but the wrong prefix.
    let of_sibling = sibling_of(source).and_then(|sibling| {
        splits.iter().find_map(|(instance, key)| {
            let key = sibling.keys.iter().find(|known| *known == key)?;
            Some(Meant::in_source(sibling, instance, key))
        })
    });
    if of_sibling.is_some() {
        return of_sibling;
    }
    let misspelt = splits.iter().filter_map(|(instance, written)| {
        let (slips, key) = suggestion::misspelt(written, source.keys)?;
        Some((slips, instance, key))
    });
    if let Some((_, instance, key)) = misspelt.min_by_key(|(slips, ..)| *slips) {
        return Some(Meant::in_source(source, instance, key));
    }
    joined_with_one_underscore(source, rest, known).or_else(|| {
        splits.iter().find_map(|(instance, written)| {
            let key = suggestion::without_its_head(written, source.keys)
                .or_else(|| suggestion::without_its_kind(written, source.keys))
                .or_else(|| token_of_another(written, source.keys))?;
            Some(Meant::in_source(source, instance, key))
        })
    })
}

/// What was meant by `key` under the prefix of a group.
pub(super) fn meant_in_group(prefix: &str, keys: &[&'static str], key: &str) -> Option<Meant> {
    let misspelt = suggestion::misspelt(key, keys).map(|(_, key)| key);
    let shortened = || suggestion::without_its_head(key, keys).or_else(|| suggestion::without_its_kind(key, keys));
    let meant = misspelt.or_else(shortened).or_else(|| {
        // `LOGS_INGESTION__INGESTION_ENDPOINT`: the key of a source.
        let of_source = SOURCES.iter().any(|source| source.keys.contains(&key));
        let (_, key) = suggestion::with_something_before(key, keys)?;
        of_source.then_some(key)
    })?;
    Some(Meant::of_program(format!("{prefix}{meant}")))
}

/// The whole name against every name without an instance.
fn by_whole_name(name: &str) -> Option<Meant> {
    let capitals = name.to_ascii_uppercase();
    let is_other_word = capitals
        .split('_')
        .next()
        .is_some_and(|word| OTHER_WORDS.contains(&word));
    let written = shape(name);
    let unnamed = InstanceName::unnamed();
    let alone = ALONE.iter().map(|name| {
        let slips = slips(&written, &shape(name));
        let is_near = slips <= 1 && begin_alike(&written, name) && !is_other_word;
        is_near.then(|| (slips, Meant::of_program((*name).to_owned())))
    });
    let in_groups = GROUPS.iter().flat_map(|group| {
        let is_word = !group.prefix.trim_end_matches('_').contains('_');
        let may_be_ours = !is_word || (begin_alike(&written, group.prefix) && !is_other_word);
        group.keys.iter().map(move |key| (group, key, may_be_ours))
    });
    let in_groups = in_groups.map(|(group, key, may_be_ours)| {
        let slips = may_be_ours
            .then(|| slips_in_parts(&written, group.prefix, key))
            .flatten()?;
        Some((slips, Meant::of_program(format!("{}{key}", group.prefix))))
    });
    let in_sources = SOURCES
        .into_iter()
        .flat_map(|source| source.keys.iter().map(move |key| (source, *key)));
    let in_sources = in_sources.map(|(source, key)| {
        let slips = slips_in_parts(&written, source.prefix, key)?;
        Some((slips, Meant::in_source(source, &unnamed, key)))
    });
    let near = alone.chain(in_groups).chain(in_sources).flatten();
    near.min_by_key(|(slips, _)| *slips).map(|(_, meant)| meant)
}

fn begin_alike(written: &str, right: &str) -> bool {
    written.as_bytes().first() == right.as_bytes().first()
}

/// How many slips there are in a name whose prefix and key are both near: `SENTINEL_API_TOKEN` has none of what makes
/// it `SENTINELONE`, however long the whole is. At most three, and only one where not even the beginning is right.
fn slips_in_parts(written: &str, prefix: &str, key: &str) -> Option<usize> {
    let (prefix, key) = (shape(prefix), shape(key));
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

/// `PINGON__ACME__CLIENT_ID`, `PINGONE_ACME__CLIENT_ID`: source, instance and key stand apart.
fn by_parts(capitals: &str) -> Option<Meant> {
    let (front, written) = capitals.rsplit_once("__")?;
    SOURCES.into_iter().find_map(|source| {
        let instance = instance_in(source, front)?;
        let (_, key) = suggestion::misspelt(written, source.keys)?;
        Some(Meant::in_source(source, &instance, key))
    })
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

/// `PINGONE_ACME_CLIENT_ID`, where `ACME` is there already: other tools have names of this form.
fn by_words(capitals: &str, known: &Instances) -> Option<Meant> {
    SOURCES.into_iter().find_map(|source| {
        let rest = capitals
            .strip_prefix(source.prefix.trim_end_matches('_'))?
            .strip_prefix('_')?;
        let mut named = known.of(source).into_iter().filter(|instance| !instance.is_unnamed());
        named.find_map(|instance| {
            let key = rest
                .strip_prefix(instance.infix().trim_end_matches('_'))?
                .strip_prefix('_')?;
            let key = source.keys.iter().find(|known| **known == key)?;
            Some(Meant::in_source(source, &instance, key))
        })
    })
}

/// `PINGONE__ACME_CLIENT_ID`. A key of one word may as well be the end of a name of a newer version, unless the
/// instance is there.
fn joined_with_one_underscore(source: &SourceCatalog, rest: &str, known: &Instances) -> Option<Meant> {
    let capitals = rest.to_ascii_uppercase();
    let (before, key) = suggestion::with_something_before(&capitals, source.keys)?;
    let instance = InstanceName::from_setting(before).ok()?;
    let is_told = key.contains('_') || known.of(source).contains(&instance);
    is_told.then(|| Meant::in_source(source, &instance, key))
}

/// `ONELOGIN__PUSH_TOKEN` for `ONELOGIN__BEARER_TOKEN`: what another source calls its token.
fn token_of_another(written: &str, keys: &[&'static str]) -> Option<&'static str> {
    let mut others = SOURCES.iter().flat_map(|source| source.keys);
    others.find(|key| **key == written && key.ends_with("_TOKEN"))?;
    suggestion::only_one_of_its_kind(written, keys)
}

/// Every way to take what follows a source's prefix for an instance and a key, the unnamed instance first.
fn splits(rest: &str) -> Vec<(InstanceName, &str)> {
    let named = rest.match_indices("__").filter_map(|(at, _)| {
        let instance = InstanceName::from_setting(&rest[..at].to_ascii_uppercase()).ok()?;
        Some((instance, rest[at..].trim_start_matches('_')))
    });
    std::iter::once((InstanceName::unnamed(), rest)).chain(named).collect()
}

/// The product whose settings somebody may put under the prefix of `source`.
fn sibling_of(source: &SourceCatalog) -> Option<&'static SourceCatalog> {
    (source.prefix == PINGONE.prefix).then_some(&PINGONE_ENTERPRISE)
}
