//! Settings of PingOne for Enterprise: `PINGONE_ENTERPRISE__*`.

use url::Url;

use crate::config::catalog::PINGONE_ENTERPRISE;
use crate::config::destination::{DestinationChoice, Destinations, SourceDestinations};
use crate::config::given::{Given, Presence};
use crate::config::instance::InstanceName;
use crate::config::instance_reader::InstanceReader;
use crate::config::names::Instances;
use crate::config::origin::Origin;
use crate::config::poll_url::{PollUrl, accept_token_url};
use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::config::switched_off::{OffPart, UnresolvedReference};
use crate::config::twins::{Claim, refuse_twins};
use crate::config::values;

const DEFAULT_TOKEN_URL: &str = "https://admin-api.pingone.com/latest/as/token.oauth2";
const NEEDS: &str = "POLL_URL and either CLIENT_ID with CLIENT_SECRET or USERNAME with PASSWORD";

/// One instance of PingOne for Enterprise: a poll subscription.
#[derive(Debug, Clone)]
pub struct PingOneEnterprise {
    /// The instance's name.
    pub instance: InstanceName,
    /// Where its rows go.
    pub destination: DestinationChoice,
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
        /// `PINGONE_ENTERPRISE__TOKEN_URL`, default
        /// `https://admin-api.pingone.com/latest/as/token.oauth2`.
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

/// The settings of an instance, as read.
struct Fields {
    poll_url: Given<PollUrl>,
    client_id: Given<String>,
    client_secret: Given<Secret>,
    token_url: Given<Url>,
    username: Given<String>,
    password: Given<Secret>,
}

/// Host, account and subscription.
type SubscriptionKey = (Origin, String, String);

/// Reads every instance.
pub(super) fn load(
    reader: &mut Reader<'_>,
    instances: &Instances,
    destinations: &Destinations,
) -> Vec<PingOneEnterprise> {
    let destinations = destinations.of_source(reader, &PINGONE_ENTERPRISE);
    let mut loaded = Vec::new();
    let mut subscriptions = Vec::new();
    for instance in instances.of(&PINGONE_ENTERPRISE) {
        let mut entry = InstanceReader::new(reader, &PINGONE_ENTERPRISE, instance);
        loaded.extend(load_instance(&mut entry, &destinations, &mut subscriptions));
    }

    refuse_twins(
        reader,
        &PINGONE_ENTERPRISE,
        "poll subscription",
        &subscriptions,
        PartialEq::eq,
    );
    loaded
}

fn load_instance(
    entry: &mut InstanceReader<'_, '_>,
    destinations: &SourceDestinations<'_>,
    subscriptions: &mut Vec<Claim<SubscriptionKey>>,
) -> Option<PingOneEnterprise> {
    let fields = Fields::read(entry);
    let is_wanted = fields.refuse_gaps(entry);
    let mut unresolved = Vec::new();
    let destination = destinations.of_instance(entry, is_wanted, &mut unresolved);
    if !is_wanted {
        return None;
    }
    if destination == Some(DestinationChoice::Directory) {
        entry.note_without_rule();
    }

    let mut poll_unresolved = Vec::new();
    let sign_in_is_basic = fields.is_basic();
    let poll_url = fields.poll_url.clone().needed(&mut poll_unresolved);
    let sign_in = if sign_in_is_basic {
        fields.into_basic(&mut poll_unresolved)
    } else {
        fields.into_client(&mut poll_unresolved)
    };
    if let (Some(of), Some(_)) = (&poll_url, &sign_in) {
        let key = (Origin::of(&of.url), of.account_id.clone(), of.subscription_id.clone());
        subscriptions.push(entry.claim("POLL_URL", key));
    }
    entry.switch_off(OffPart::Poll, false, &poll_unresolved);
    entry.switch_off(OffPart::Whole, false, &unresolved);

    let poll_url = poll_url?;
    Some(PingOneEnterprise {
        instance: entry.instance.clone(),
        destination: destination?,
        poll_url: poll_url.url,
        account_id: poll_url.account_id,
        subscription_id: poll_url.subscription_id,
        sign_in: sign_in?,
        setting_prefix: entry.setting_prefix(),
    })
}

impl Fields {
    fn read(entry: &mut InstanceReader<'_, '_>) -> Self {
        entry.read("ADDITIONAL_FIELDS", values::boolean);
        Self {
            poll_url: entry.read("POLL_URL", PollUrl::accept),
            client_id: entry.read("CLIENT_ID", values::text),
            client_secret: entry.read_secret("CLIENT_SECRET", Secret::accept),
            token_url: entry.read("TOKEN_URL", accept_token_url),
            username: entry.read("USERNAME", values::text),
            password: entry.read_secret("PASSWORD", Secret::accept),
        }
    }

    fn is_client(&self) -> bool {
        self.client_id.is_given() || self.client_secret.is_given()
    }

    fn is_basic(&self) -> bool {
        self.username.is_given() || self.password.is_given()
    }

    /// Whether the source is wanted; what is then missing or too much is noted.
    fn refuse_gaps(&self, entry: &mut InstanceReader<'_, '_>) -> bool {
        if !self.poll_url.is_given() && !self.is_client() && !self.is_basic() {
            return false;
        }
        let client = [
            ("CLIENT_ID", self.client_id.presence()),
            ("CLIENT_SECRET", self.client_secret.presence()),
        ];
        let basic = [
            ("USERNAME", self.username.presence()),
            ("PASSWORD", self.password.presence()),
        ];

        entry.refuse_gaps(NEEDS, &[("POLL_URL", self.poll_url.presence())]);
        if self.is_client() && self.is_basic() {
            for (key, presence) in basic {
                if presence == Presence::Given {
                    let message = format!(
                        "must not be set beside {} or {}; {} needs {NEEDS}",
                        entry.setting("CLIENT_ID"),
                        entry.setting("CLIENT_SECRET"),
                        entry.source.title,
                    );
                    entry.refuse(key, message);
                }
            }
        } else if self.is_basic() {
            entry.refuse_gaps(NEEDS, &basic);
        } else {
            entry.refuse_gaps(NEEDS, &client);
        }
        entry.refuse_empty_secrets(&[client[1], basic[1]]);
        true
    }

    fn into_client(self, unresolved: &mut Vec<UnresolvedReference>) -> Option<EnterpriseSignIn> {
        let default = Url::parse(DEFAULT_TOKEN_URL).ok()?;
        let client_id = self.client_id.needed(unresolved);
        let client_secret = self.client_secret.needed(unresolved);
        let token_url = self.token_url.or(default, unresolved);
        Some(EnterpriseSignIn::Client {
            client_id: client_id?,
            client_secret: client_secret?,
            token_url: token_url?,
        })
    }

    fn into_basic(self, unresolved: &mut Vec<UnresolvedReference>) -> Option<EnterpriseSignIn> {
        let username = self.username.needed(unresolved);
        let password = self.password.needed(unresolved);
        Some(EnterpriseSignIn::Basic {
            username: username?,
            password: password?,
        })
    }
}
