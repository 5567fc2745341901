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
    /// What kind of thing is claimed.
    pub(super) kind: ClaimKind,
    /// What is claimed; it may be a secret.
    pub(super) of: Secret,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum ClaimKind {
    /// A token of pushes: it picks the instance.
    Token,
    /// An account that there are credentials for, with its name in messages.
    Account(&'static str),
}

/// A claim that another instance makes too.
pub(super) struct Duplicate<'c> {
    /// The claim.
    pub(super) claim: &'c ExclusiveClaim,
    /// What is wrong, to follow the setting's name.
    pub(super) message: String,
}

impl ClaimKind {
    fn message(self, other: &str) -> String {
        match self {
            Self::Token => format!("must not share a token with {other}: the token tells which instance a push is for"),
            Self::Account(what) => {
                format!("must not name the same {what} as {other}: every event would arrive twice")
            }
        }
    }
}

/// Every claim of the instances of one source that another one makes too, tokens first.
pub(super) fn duplicates(claims: &mut [ExclusiveClaim]) -> Vec<Duplicate<'_>> {
    claims.sort_by_key(|claim| claim.kind);
    let mut claimants: HashMap<(ClaimKind, &str), Vec<&ExclusiveClaim>> = HashMap::new();
    for claim in &*claims {
        let same = claimants.entry((claim.kind, claim.of.expose()));
        same.or_default().push(claim);
    }
    let found = claims.iter().filter_map(|claim| {
        let same = claimants.get(&(claim.kind, claim.of.expose()))?;
        let other = same.iter().find(|other| other.instance != claim.instance)?;
        let message = claim.kind.message(&other.setting);
        Some(Duplicate { claim, message })
    });
    found.collect()
}
