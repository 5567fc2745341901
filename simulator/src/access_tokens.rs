//! Access tokens that a service gives out.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;

use crate::random;

/// Tokens, how long they are valid and what each has served.
#[derive(Debug)]
pub(crate) struct AccessTokens {
    lifetime: TimeDelta,
    /// So many requests a token serves; `None`: no end.
    uses: Option<usize>,
    valid: HashMap<String, ValidToken>,
    /// Every token ever given out, to find one in a URL.
    issued: Vec<String>,
    rng: StdRng,
}

#[derive(Debug)]
struct ValidToken {
    expires: DateTime<Utc>,
    served: usize,
}

impl AccessTokens {
    /// Tokens of one server, none given out yet.
    pub(crate) fn new(lifetime: TimeDelta, uses: Option<usize>) -> Self {
        AccessTokens {
            lifetime,
            uses,
            valid: HashMap::new(),
            issued: Vec::new(),
            rng: random::for_one_server(),
        }
    }

    /// A new token.
    pub(crate) fn issue(&mut self, now: DateTime<Utc>) -> String {
        let token = random::token(&mut self.rng);
        let expires = now + self.lifetime;
        self.valid.insert(token.clone(), ValidToken { expires, served: 0 });
        self.issued.push(token.clone());
        token
    }

    /// Whether the token serves one more request. One that does not is invalid from now on.
    pub(crate) fn serve(&mut self, token: &str, now: DateTime<Utc>) -> bool {
        match self.valid.get_mut(token) {
            Some(valid) if self.uses != Some(valid.served) && now < valid.expires => {
                valid.served += 1;
                true
            }
            _ => {
                self.revoke(token);
                false
            }
        }
    }

    pub(crate) fn revoke(&mut self, token: &str) {
        self.valid.remove(token);
    }

    pub(crate) fn revoke_all(&mut self) {
        self.valid.clear();
    }

    /// How many have been given out.
    pub(crate) fn issued(&self) -> usize {
        self.issued.len()
    }

    /// Whether any token that was ever given out stands in the text.
    pub(crate) fn is_any_in(&self, text: &str) -> bool {
        self.issued.iter().any(|token| text.contains(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_serves_until_its_time_or_its_uses_are_over_or_it_is_revoked() {
        let begin = DateTime::UNIX_EPOCH;
        let mut tokens = AccessTokens::new(TimeDelta::seconds(60), Some(2));
        let [old, used, revoked] = [(); 3].map(|()| tokens.issue(begin));
        let late = begin + TimeDelta::seconds(59);

        assert!(!tokens.serve("unknown", begin));
        assert!(tokens.serve(&used, begin) && tokens.serve(&used, late) && !tokens.serve(&used, late));
        assert!(tokens.serve(&old, late) && !tokens.serve(&old, begin + TimeDelta::seconds(60)));
        assert!(!tokens.serve(&old, late), "it is invalid from then on");
        tokens.revoke(&revoked);
        assert!(!tokens.serve(&revoked, begin));
        assert!(tokens.is_any_in(&format!("?token={old}")));
        assert_eq!(tokens.issued(), 3);
    }
}
