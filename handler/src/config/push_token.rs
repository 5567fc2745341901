//! The tokens that a push is authenticated with.

use crate::config::invalid_value::InvalidValue;
use crate::config::reference::Reference;
use crate::config::secret::Secret;

/// During rotation the old token and the new one are accepted side by side.
const MOST_TOKENS: usize = 2;
/// A shorter one could be guessed, or is a placeholder that somebody forgot.
const SHORTEST_TOKEN: usize = 20;

/// The tokens of an instance.
#[derive(Debug, Clone, Default)]
pub struct PushTokens {
    /// Up to two, any of which a push has to carry.
    pub tokens: Vec<Secret>,
    /// Whether they are a reference that was not resolved: pushes are to come again later.
    pub is_unresolved: bool,
}

impl PushTokens {
    /// Whether the instance takes pushes, now or when its token can be resolved.
    pub fn is_on(&self) -> bool {
        self.is_unresolved || !self.tokens.is_empty()
    }
}

/// Accepts a token, or two separated by a comma; the same token twice counts once.
pub(super) fn accept_push_tokens(text: &str) -> Result<Vec<Secret>, InvalidValue> {
    let mut tokens: Vec<Secret> = Vec::new();
    for token in text.split(',').map(str::trim_ascii) {
        let is_visible = token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.len() < SHORTEST_TOKEN || !is_visible {
            return Err(refusal());
        }
        if !tokens.iter().any(|known| known.matches(token.as_bytes())) {
            tokens.push(Secret::new(token));
        }
        if tokens.len() > MOST_TOKENS {
            return Err(refusal());
        }
    }
    Ok(tokens)
}

/// Whether one of several tokens is written as a reference.
pub(super) fn has_reference_inside(text: &str) -> bool {
    text.split(',').any(Reference::is_meant_by)
}

fn refusal() -> InvalidValue {
    InvalidValue::new(format!(
        "must be one token, or two separated by a comma, each of at least {SHORTEST_TOKEN} visible ASCII characters \
         without spaces"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn one_or_two_tokens_are_accepted() {
        for (written, tokens) in [
            (A.to_owned(), vec![A]),
            (format!("{A},{B}"), vec![A, B]),
            (format!(" {A} , {B} "), vec![A, B]),
            (format!("{A},{A}"), vec![A]),
            (format!("{A},{A},{B}"), vec![A, B]),
        ] {
            let accepted = accept_push_tokens(&written).unwrap();
            let accepted: Vec<&str> = accepted.iter().map(Secret::expose).collect();
            assert_eq!(accepted, tokens);
        }
    }

    #[test]
    fn other_token_lists_are_refused() {
        for refused in [
            "".to_owned(),
            ",".to_owned(),
            format!("{A},"),
            format!(",{A}"),
            format!("{A},{B},cccccccccccccccccccc"),
            format!("{A} {B}"),
            format!("{A}\t{B}"),
            format!("{A}\u{e9}"),
            format!("{A}\n{B}"),
        ] {
            assert!(accept_push_tokens(&refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn a_token_that_could_be_guessed_is_refused() {
        assert!(accept_push_tokens(&A[..19]).is_err());
        assert!(accept_push_tokens(&format!("{A},x")).is_err());
        assert!(accept_push_tokens(&A[..20]).is_ok());
    }
}
