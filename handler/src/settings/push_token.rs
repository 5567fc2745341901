//! The tokens that a push is authenticated with.

use crate::settings::reader::Reader;
use crate::settings::reference::Reference;
use crate::settings::refusal::Refusal;
use crate::settings::secret::Secret;

/// During rotation the old token and the new one are accepted side by side.
const MOST_TOKENS: usize = 2;

/// The push part of an instance.
#[derive(Debug, Clone, Default)]
pub(super) struct PushTokens {
    pub(super) tokens: Vec<Secret>,
    pub(super) unresolved: bool,
}

impl PushTokens {
    /// Whether the instance takes pushes, now or when its token can be resolved.
    pub(super) fn is_on(&self) -> bool {
        self.unresolved || !self.tokens.is_empty()
    }
}

/// Accepts a token, or two separated by a comma; the same token twice counts once.
pub(super) fn accept_push_tokens(text: &str) -> Result<Vec<Secret>, Refusal> {
    let mut tokens: Vec<Secret> = Vec::new();
    for token in text.split(',').map(str::trim_ascii) {
        let is_visible = token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.is_empty() || !is_visible {
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

/// The tokens of one instance, by the name of their setting.
pub(super) type NamedTokens = (String, Vec<Secret>);

/// Notes a problem for every two instances that share a token: it picks the instance.
pub(super) fn refuse_shared_tokens(reader: &mut Reader<'_>, instances: &[NamedTokens]) {
    for (position, (setting, tokens)) in instances.iter().enumerate() {
        for (earlier_setting, earlier_tokens) in &instances[..position] {
            if share_a_token(tokens, earlier_tokens) {
                reader.refuse(
                    setting,
                    format!(
                        "must not share a token with {earlier_setting}: the token tells which \
                         instance a push is for"
                    ),
                );
            }
        }
    }
}

fn share_a_token(tokens: &[Secret], others: &[Secret]) -> bool {
    tokens
        .iter()
        .any(|token| others.iter().any(|other| other.matches(token.expose().as_bytes())))
}

fn refusal() -> Refusal {
    Refusal::new("must be one token, or two separated by a comma, of visible ASCII characters without spaces")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_two_tokens_are_accepted() {
        for (written, tokens) in [
            ("aaa", vec!["aaa"]),
            ("aaa,bbb", vec!["aaa", "bbb"]),
            (" aaa , bbb ", vec!["aaa", "bbb"]),
            ("aaa,aaa", vec!["aaa"]),
            ("aaa,aaa,bbb", vec!["aaa", "bbb"]),
        ] {
            let accepted = accept_push_tokens(written).unwrap();
            let accepted: Vec<&str> = accepted.iter().map(Secret::expose).collect();
            assert_eq!(accepted, tokens);
        }
    }

    #[test]
    fn other_token_lists_are_refused() {
        for refused in ["", ",", "aaa,", ",aaa", "a,b,c", "a b", "a\tb", "a\u{e9}", "a\nb"] {
            assert!(accept_push_tokens(refused).is_err(), "{refused:?}");
        }
    }
}
