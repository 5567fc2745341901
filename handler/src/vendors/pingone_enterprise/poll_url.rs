//! The URLs of PingOne for Enterprise.

use url::Url;

use crate::config::InvalidValue;
use crate::config::{values, web_address};

/// The URL of a poll subscription and the ids in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PollUrl {
    pub(super) url: Url,
    pub(super) account_id: String,
    pub(super) subscription_id: String,
}

impl PollUrl {
    /// Accepts what the page of the subscription shows.
    pub(super) fn accept(text: &str) -> Result<Self, InvalidValue> {
        web_address::parse(text).and_then(Self::of).ok_or_else(|| {
            InvalidValue::new(
                "must be the poll URL of the subscription, \
                     https://<host>/<version>/reports/<account id>/poll-subscriptions/\
                     <subscription id>/events (http for loopback addresses only)",
            )
        })
    }

    fn of(url: Url) -> Option<Self> {
        let segments: Vec<&str> = url.path_segments()?.collect();
        let (account_id, subscription_id) = segments.windows(5).find_map(|segments| match segments {
            ["reports", account, "poll-subscriptions", subscription, "events"] => Some((*account, *subscription)),
            _ => None,
        })?;
        if !values::is_path_id(account_id) || !values::is_path_id(subscription_id) {
            return None;
        }
        Some(Self {
            account_id: account_id.to_owned(),
            subscription_id: subscription_id.to_owned(),
            url,
        })
    }
}

/// Accepts the URL that gives tokens.
pub(super) fn accept_token_url(text: &str) -> Result<Url, InvalidValue> {
    web_address::parse(text).ok_or_else(|| {
        InvalidValue::new(
            "must be a full URL such as https://host/path (http for loopback addresses only), \
             without user name or fragment",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_are_taken_from_the_path() {
        for written in [
            "https://admin-api.pingone.com/v3/reports/acc-1/poll-subscriptions/sub.2/events",
            "https://admin-api.pingone.com/v3/reports/acc-1/poll-subscriptions/sub.2/events/",
            "http://127.0.0.1:9000/reports/acc-1/poll-subscriptions/sub.2/events?x=y",
        ] {
            let accepted = PollUrl::accept(written).unwrap();
            assert_eq!(accepted.account_id, "acc-1");
            assert_eq!(accepted.subscription_id, "sub.2");
            assert_eq!(accepted.url.as_str(), written);
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for refused in [
            "https://admin-api.pingone.com/v3/reports/acc/poll-subscriptions/sub",
            "https://admin-api.pingone.com/v3/reports/acc/poll-subscriptions//events",
            "https://admin-api.pingone.com/v3/reports//poll-subscriptions/sub/events",
            "https://admin-api.pingone.com/v3/reports/a%2fb/poll-subscriptions/sub/events",
            "https://admin-api.pingone.com/v3/reports/../poll-subscriptions/sub/events",
            "https://admin-api.pingone.com/",
            "http://admin-api.pingone.com/v3/reports/acc/poll-subscriptions/sub/events",
            "https://me:pw@admin-api.pingone.com/v3/reports/acc/poll-subscriptions/sub/events",
            "reports/acc/poll-subscriptions/sub/events",
        ] {
            assert!(PollUrl::accept(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn token_urls_are_https_or_on_this_machine() {
        assert!(accept_token_url("https://example.com/as/token").is_ok());
        assert!(accept_token_url("http://127.0.0.1:9000/as/token").is_ok());
        assert!(accept_token_url("http://example.com/as/token").is_err());
        assert!(accept_token_url("https://example.com/as/../token").is_err());
    }
}
