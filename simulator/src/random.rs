//! Seeded values that look like the vendors' own.

use std::sync::atomic::{AtomicU64, Ordering};

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use uuid::Builder;

/// The generator of a server's tokens and ids: another one for each server of the process, so that what one
/// gave out is unknown to the next.
pub(crate) fn for_one_server() -> StdRng {
    static STARTED: AtomicU64 = AtomicU64::new(1);
    StdRng::seed_from_u64(STARTED.fetch_add(1, Ordering::Relaxed))
}

/// A version 4 uuid in lower-case text.
pub(crate) fn uuid(rng: &mut StdRng) -> String {
    let mut bytes = [0_u8; 16];
    rng.fill_bytes(&mut bytes);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// An opaque token of 64 hexadecimal digits.
pub(crate) fn token(rng: &mut StdRng) -> String {
    let mut bytes = [0_u8; 32];
    rng.fill_bytes(&mut bytes);
    hexadecimal(&bytes)
}

/// One of `choices`, which must not be empty.
pub(crate) fn pick(rng: &mut StdRng, choices: &[&'static str]) -> &'static str {
    choices[rng.random_range(0..choices.len())]
}

/// True once in `times` on average.
pub(crate) fn one_in(rng: &mut StdRng, times: u32) -> bool {
    rng.random_range(0..times) == 0
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_servers_give_out_different_tokens() {
        assert_ne!(token(&mut for_one_server()), token(&mut for_one_server()));
    }

    #[test]
    fn a_uuid_has_the_form_of_version_4_and_repeats_with_the_seed() {
        let first = uuid(&mut StdRng::seed_from_u64(7));
        let again = uuid(&mut StdRng::seed_from_u64(7));

        assert_eq!(first, again);
        assert_eq!(first.len(), 36);
        assert_eq!(&first[14..15], "4");
        assert!(["8", "9", "a", "b"].contains(&&first[19..20]));
    }
}
