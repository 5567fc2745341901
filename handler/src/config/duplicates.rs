//! Two instances must not read the same stream of the same account, nor share a token.

use std::collections::HashMap;

use crate::config::instance::InstanceName;
use crate::config::secret::Secret;

/// What an instance claims for itself alone.
pub(super) struct ExclusiveClaim {
    /// Whose it is.
    pub(super) instance: InstanceName,
    /// The setting that makes the claim.
    pub(super) setting: String,
    /// The name in messages of an account that there are credentials for; none for a token of pushes.
    pub(super) account: Option<&'static str>,
    /// What is claimed; it may be a secret.
    pub(super) of: Secret,
}

/// Every claim of the instances of one source that another one makes too, tokens first, with what is wrong, to follow
/// the setting's name.
pub(super) fn duplicates(claims: &mut [ExclusiveClaim]) -> Vec<(&ExclusiveClaim, String)> {
    claims.sort_by_key(|claim| claim.account);
    let mut claimants: HashMap<(Option<&str>, &str), Vec<&ExclusiveClaim>> = HashMap::new();
    for claim in &*claims {
        let same = claimants.entry((claim.account, claim.of.expose()));
        same.or_default().push(claim);
    }
    let found = claims.iter().filter_map(|claim| {
        let same = claimants.get(&(claim.account, claim.of.expose()))?;
        let other = &same.iter().find(|other| other.instance != claim.instance)?.setting;
        let message = match claim.account {
            None => format!("must not share a token with {other}: the token tells which instance a push is for"),
            Some(what) => format!("must not name the same {what} as {other}: every event would arrive twice"),
        };
        Some((claim, message))
    });
    found.collect()
}
