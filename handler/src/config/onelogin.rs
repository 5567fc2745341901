//! Settings of OneLogin: `ONELOGIN__*`.

use std::time::Duration;

use crate::config::catalog::ONELOGIN;
use crate::config::destination::{DestinationChoice, Destinations, SourceDestinations};
use crate::config::duration;
use crate::config::given::Given;
use crate::config::instance::InstanceName;
use crate::config::instance_reader::InstanceReader;
use crate::config::names::Instances;
use crate::config::origin::Origin;
use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::config::switched_off::OffPart;
use crate::config::twins::{Claim, refuse_shared_tokens, refuse_twins};
use crate::config::values;

const TABLES: [&str; 2] = ["OneLogin_CL", "OneLoginEventsV2_CL"];
const DEFAULT_USERS_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
const NEEDS: &str = "URL, CLIENT_ID and CLIENT_SECRET for its API";

/// One instance of OneLogin: pushing, polled through the API, or both.
#[derive(Debug, Clone)]
pub struct OneLogin {
    /// The instance's name.
    pub instance: InstanceName,
    /// Where its rows go.
    pub destination: DestinationChoice,
    /// `ONELOGIN__TABLES`, default `OneLogin_CL`.
    pub tables: Vec<String>,
    /// `ONELOGIN__BEARER_TOKEN`: up to two tokens, any of which a push has to carry.
    pub bearer_tokens: Vec<Secret>,
    /// Whether the bearer token is a reference that was not resolved: pushes are to come again
    /// later.
    pub push_unresolved: bool,
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
    /// How often all users are read: `ONELOGIN__USERS_EVERY`, default 24 hours.
    pub users_every: Duration,
}

/// The settings of the API, as read.
struct ApiFields {
    url: Given<Origin>,
    client_id: Given<String>,
    client_secret: Given<Secret>,
    users_every: Given<Duration>,
}

/// What instances must not have in common.
#[derive(Default)]
struct Claims {
    tokens: Vec<Claim<Vec<Secret>>>,
    accounts: Vec<Claim<Origin>>,
}

/// Reads every instance.
pub(super) fn load(reader: &mut Reader<'_>, instances: &Instances, destinations: &Destinations) -> Vec<OneLogin> {
    let destinations = destinations.of_source(reader, &ONELOGIN);
    let mut loaded = Vec::new();
    let mut claims = Claims::default();
    for instance in instances.of(&ONELOGIN) {
        let mut entry = InstanceReader::new(reader, &ONELOGIN, instance);
        loaded.extend(load_instance(&mut entry, &destinations, &mut claims));
    }

    refuse_shared_tokens(reader, &ONELOGIN, &claims.tokens);
    refuse_twins(reader, &ONELOGIN, "account", &claims.accounts, PartialEq::eq);
    loaded
}

fn load_instance(
    entry: &mut InstanceReader<'_, '_>,
    destinations: &SourceDestinations<'_>,
    claims: &mut Claims,
) -> Option<OneLogin> {
    let fields = ApiFields::read(entry);
    let bearer_token = entry.read_push_tokens("BEARER_TOKEN");
    let tables = entry.read("TABLES", values::some_of(&TABLES));
    entry.read("ADDITIONAL_FIELDS", values::boolean);

    let api_is_wanted = fields.refuse_gaps(entry);
    let is_wanted = api_is_wanted || bearer_token.is_given();
    let mut unresolved = Vec::new();
    let destination = destinations.of_instance(entry, is_wanted, &mut unresolved);
    entry.note_push(bearer_token.presence());
    if !is_wanted {
        return None;
    }
    entry.refuse_empty_secrets(&[
        ("CLIENT_SECRET", fields.client_secret.presence()),
        ("BEARER_TOKEN", bearer_token.presence()),
    ]);
    if destination == Some(DestinationChoice::Directory) {
        entry.note_without_rule();
    }

    let tables = tables.or(vec![TABLES[0]], &mut unresolved);
    let push = entry.push_part(bearer_token);
    claims.tokens.push(entry.claim("BEARER_TOKEN", push.tokens.clone()));
    let api = if api_is_wanted {
        fields.into_api(entry, push.is_on())
    } else {
        None
    };
    if let Some(api) = &api {
        claims.accounts.push(entry.claim("URL", api.url.clone()));
    }
    entry.switch_off(OffPart::Whole, push.is_on(), &unresolved);

    let (destination, tables) = (destination?, tables?);
    if api.is_none() && !push.is_on() {
        return None;
    }
    Some(OneLogin {
        instance: entry.instance.clone(),
        destination,
        tables: tables.into_iter().map(str::to_owned).collect(),
        bearer_tokens: push.tokens,
        push_unresolved: push.unresolved,
        api_is_wanted,
        api,
        setting_prefix: entry.setting_prefix(),
    })
}

impl ApiFields {
    fn read(entry: &mut InstanceReader<'_, '_>) -> Self {
        Self {
            url: entry.read("URL", Origin::parse),
            client_id: entry.read("CLIENT_ID", values::text),
            client_secret: entry.read_secret("CLIENT_SECRET", Secret::accept),
            users_every: entry.read("USERS_EVERY", duration::above_zero),
        }
    }

    /// Whether the API is wanted; what is then missing is noted.
    fn refuse_gaps(&self, entry: &mut InstanceReader<'_, '_>) -> bool {
        let is_wanted = self.url.is_given() || self.client_id.is_given() || self.client_secret.is_given();
        if is_wanted {
            let keys = [
                ("URL", self.url.presence()),
                ("CLIENT_ID", self.client_id.presence()),
                ("CLIENT_SECRET", self.client_secret.presence()),
            ];
            entry.refuse_gaps(NEEDS, &keys);
        }
        is_wanted
    }

    fn into_api(self, entry: &mut InstanceReader<'_, '_>, takes_push: bool) -> Option<OneLoginApi> {
        let mut unresolved = Vec::new();
        let url = self.url.needed(&mut unresolved);
        let client_id = self.client_id.needed(&mut unresolved);
        let client_secret = self.client_secret.needed(&mut unresolved);
        let users_every = self.users_every.or(DEFAULT_USERS_EVERY, &mut unresolved);
        entry.switch_off(OffPart::Poll, takes_push, &unresolved);
        Some(OneLoginApi {
            url: url?,
            client_id: client_id?,
            client_secret: client_secret?,
            users_every: users_every?,
        })
    }
}
