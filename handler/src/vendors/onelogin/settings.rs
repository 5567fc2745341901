//! Settings of OneLogin: `ONELOGIN__*`.

use std::time::Duration;

use crate::config::{DisabledPart, InstanceReader, Origin, PartReader, PushTokens, Secret, duration, values};

pub(super) const NAME: &str = "onelogin";

const TABLES: [&str; 2] = ["OneLogin_CL", "OneLoginEventsV2_CL"];
const NEEDS: &str = "URL, CLIENT_ID and CLIENT_SECRET for its API";

/// One instance of OneLogin: pushing, polled through the API, or both.
#[derive(Debug)]
pub struct OneLogin {
    /// `ONELOGIN__TABLES`.
    pub tables: Vec<&'static str>,
    /// `ONELOGIN__BEARER_TOKEN`.
    pub push: PushTokens,
    /// Whether the API is configured, be it that it cannot be polled at present.
    pub api_is_wanted: bool,
    /// The API credential; none where the instance is not polled, or cannot be because a reference of its settings was
    /// not resolved.
    pub api: Option<OneLoginApi>,
    /// What the settings of this instance start with, for messages, e.g. `ONELOGIN__`.
    pub setting_prefix: String,
}

/// The API credential of a OneLogin account.
#[derive(Debug, Clone)]
pub struct OneLoginApi {
    /// `ONELOGIN__URL`, e.g. `https://example.onelogin.com`.
    pub url: Origin,
    /// `ONELOGIN__CLIENT_ID`.
    pub client_id: String,
    /// `ONELOGIN__CLIENT_SECRET`.
    pub client_secret: Secret,
    /// `ONELOGIN__USERS_EVERY`.
    pub users_every: Duration,
}

/// Reads an instance; none where it is not configured or cannot run.
pub fn load(reader: &mut InstanceReader<'_>) -> Option<OneLogin> {
    let api_is_wanted = reader.is_any_set(&["URL", "CLIENT_ID", "CLIENT_SECRET"]);
    let api = OneLoginApi::load(reader.part(DisabledPart::Poll, api_is_wanted, NEEDS));
    if let Some(api) = &api {
        reader.claim_account("URL", "account", api.url.as_str());
    }
    let push = reader.push_tokens("BEARER_TOKEN");
    let tables = reader.whole().optional("TABLES", values::some_of(&TABLES))?;
    (api.is_some() || push.is_on()).then_some(OneLogin {
        tables,
        push,
        api_is_wanted,
        api,
        setting_prefix: reader.setting_prefix(),
    })
}

impl OneLoginApi {
    fn load(mut part: PartReader<'_, '_>) -> Option<Self> {
        let url = part.required("URL", Origin::parse);
        let client_id = part.required("CLIENT_ID", values::text);
        let client_secret = part.secret("CLIENT_SECRET", Secret::accept);
        let users_every = part.optional("USERS_EVERY", duration::above_zero);
        Some(OneLoginApi {
            url: url?,
            client_id: client_id?,
            client_secret: client_secret?,
            users_every: users_every?,
        })
    }
}
