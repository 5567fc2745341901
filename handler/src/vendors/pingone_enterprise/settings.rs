//! Settings of PingOne for Enterprise: `PINGONE_ENTERPRISE__*`.

use url::Url;

use super::poll_url::{PollUrl, accept_token_url};
use crate::config::{DisabledPart, InstanceReader, Origin, PartReader, Secret, values};

pub(super) const NAME: &str = "pingone-enterprise";

const NEEDS: &str = "POLL_URL and either CLIENT_ID with CLIENT_SECRET or USERNAME with PASSWORD";

/// One instance of PingOne for Enterprise: a poll subscription.
#[derive(Debug)]
pub struct PingOneEnterprise {
    /// The instance's name.
    pub instance: String,
    /// `PINGONE_ENTERPRISE__POLL_URL`. Reading it consumes the events.
    pub poll_url: Url,
    /// The account in the poll URL; safe as a part of a path.
    pub account_id: String,
    /// The subscription in the poll URL; safe as a part of a path.
    pub subscription_id: String,
    /// How a poll is authenticated.
    pub sign_in: EnterpriseSignIn,
    /// What the settings of this instance start with, for messages, e.g. `PINGONE_ENTERPRISE__`.
    pub setting_prefix: String,
}

/// How a poll is authenticated.
#[derive(Debug, Clone)]
pub enum EnterpriseSignIn {
    /// With a token for an API client.
    Client {
        /// `PINGONE_ENTERPRISE__CLIENT_ID`.
        client_id: String,
        /// `PINGONE_ENTERPRISE__CLIENT_SECRET`.
        client_secret: Secret,
        /// `PINGONE_ENTERPRISE__TOKEN_URL`.
        token_url: Url,
    },
    /// With a user name and a password.
    Basic {
        /// `PINGONE_ENTERPRISE__USERNAME`.
        username: String,
        /// `PINGONE_ENTERPRISE__PASSWORD`.
        password: Secret,
    },
}

/// Reads an instance; none where it is not configured or cannot run.
pub fn load(reader: &mut InstanceReader<'_>) -> Option<PingOneEnterprise> {
    let has_client = reader.is_any_set(&["CLIENT_ID", "CLIENT_SECRET"]);
    let has_user = reader.is_any_set(&["USERNAME", "PASSWORD"]);
    let is_wanted = has_client || has_user || reader.is_any_set(&["POLL_URL"]);
    let poll_url = reader
        .part(DisabledPart::Poll, is_wanted, NEEDS)
        .required("POLL_URL", PollUrl::accept);
    let client = EnterpriseSignIn::client(reader.part(DisabledPart::Poll, is_wanted && !has_user, NEEDS));
    let user = EnterpriseSignIn::basic(reader.part(DisabledPart::Poll, has_user && !has_client, NEEDS));
    if has_client && has_user {
        reject_user(reader);
    }
    let (poll_url, sign_in) = (poll_url?, if has_user { user? } else { client? });
    let subscription = (
        Origin::of(&poll_url.url),
        &poll_url.account_id,
        &poll_url.subscription_id,
    );
    reader.claim_account("POLL_URL", "poll subscription", format!("{subscription:?}"));
    Some(PingOneEnterprise {
        instance: reader.instance().as_str().to_owned(),
        poll_url: poll_url.url,
        account_id: poll_url.account_id,
        subscription_id: poll_url.subscription_id,
        sign_in,
        setting_prefix: reader.setting_prefix(),
    })
}

/// Two ways to sign in leave open which one is meant.
fn reject_user(reader: &mut InstanceReader<'_>) {
    let (id, secret) = (reader.setting("CLIENT_ID"), reader.setting("CLIENT_SECRET"));
    for key in ["USERNAME", "PASSWORD"] {
        if reader.is_any_set(&[key]) {
            let title = reader.title();
            reader.reject(
                key,
                format!("must not be set beside {id} or {secret}; {title} needs {NEEDS}"),
            );
        }
    }
}

impl EnterpriseSignIn {
    fn client(mut part: PartReader<'_, '_>) -> Option<Self> {
        let client_id = part.required("CLIENT_ID", values::text);
        let client_secret = part.secret("CLIENT_SECRET", Secret::accept);
        let token_url = part.optional("TOKEN_URL", accept_token_url);
        Some(Self::Client {
            client_id: client_id?,
            client_secret: client_secret?,
            token_url: token_url?,
        })
    }

    fn basic(mut part: PartReader<'_, '_>) -> Option<Self> {
        let username = part.required("USERNAME", values::text);
        let password = part.secret("PASSWORD", Secret::accept);
        Some(Self::Basic {
            username: username?,
            password: password?,
        })
    }
}
