//! Two instances must not read the same stream of the same account, nor share a token.

use crate::config::catalog::SourceCatalog;
use crate::config::instance::InstanceName;
use crate::config::reader::Reader;
use crate::config::secret::Secret;

/// What an instance claims for itself alone: an account that it has the credentials for, or tokens.
pub(super) struct Claim<T> {
    /// Whose it is.
    pub(super) instance: InstanceName,
    /// The setting that makes the claim.
    pub(super) setting: String,
    /// What is claimed.
    pub(super) of: T,
}

/// Switches off every instance whose account is that of another one, also where that one is off already.
pub(super) fn refuse_twins<T>(
    reader: &mut Reader<'_>,
    source: &SourceCatalog,
    what: &str,
    claims: &[Claim<T>],
    same: impl Fn(&T, &T) -> bool,
) {
    refuse_shared(reader, source, claims, same, |other| {
        format!("must not name the same {what} as {other}: every event would arrive twice")
    });
}

/// Switches off every instance that shares a token with another one: the token picks the instance.
pub(super) fn refuse_shared_tokens(reader: &mut Reader<'_>, source: &SourceCatalog, claims: &[Claim<Vec<Secret>>]) {
    refuse_shared(
        reader,
        source,
        claims,
        |one, other| share_a_token(one, other),
        |other| format!("must not share a token with {other}: the token tells which instance a push is for"),
    );
}

fn refuse_shared<T>(
    reader: &mut Reader<'_>,
    source: &SourceCatalog,
    claims: &[Claim<T>],
    same: impl Fn(&T, &T) -> bool,
    message: impl Fn(&str) -> String,
) {
    for claim in claims {
        let is_twin = |other: &&Claim<T>| other.instance != claim.instance && same(&other.of, &claim.of);
        if let Some(other) = claims.iter().find(is_twin) {
            reader.refuse_instance(source, &claim.instance, &claim.setting, message(&other.setting));
        }
    }
}

fn share_a_token(tokens: &[Secret], others: &[Secret]) -> bool {
    tokens
        .iter()
        .any(|token| others.iter().any(|other| other.matches(token.expose().as_bytes())))
}
