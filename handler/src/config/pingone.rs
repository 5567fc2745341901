//! Settings of PingOne: `PINGONE__*`.

use crate::config::catalog::PINGONE;
use crate::config::destination::{DestinationChoice, Destinations, SourceDestinations};
use crate::config::given::Given;
use crate::config::instance::InstanceName;
use crate::config::instance_reader::InstanceReader;
use crate::config::names::Instances;
use crate::config::origin::Origin;
use crate::config::reader::Reader;
use crate::config::region;
use crate::config::secret::Secret;
use crate::config::switched_off::OffPart;
use crate::config::twins::{Claim, refuse_shared_tokens, refuse_twins};
use crate::config::values;

const TABLES: [&str; 2] = ["PingOne_AuditActivitiesV2_CL", "PingOne_AuditActivities_CL"];
const DEFAULT_REQUESTS_PER_SECOND: f64 = 3.5;
const NEEDS: &str = "ENVIRONMENT_ID, CLIENT_ID and CLIENT_SECRET";

/// One instance of PingOne: polled, pushing, or both.
#[derive(Debug, Clone)]
pub struct PingOne {
    /// The instance's name.
    pub instance: InstanceName,
    /// Where its rows go.
    pub destination: DestinationChoice,
    /// `PINGONE__TABLES`, default `PingOne_AuditActivitiesV2_CL`.
    pub tables: Vec<String>,
    /// Whether polling is configured, be it that it cannot run at present.
    pub poll_is_wanted: bool,
    /// The worker application; none where the instance is not polled, or cannot be because a reference of its settings
    /// was not resolved.
    pub poll: Option<PingOnePoll>,
    /// `PINGONE__PUSH_TOKEN`: up to two tokens, any of which a push has to carry.
    pub push_tokens: Vec<Secret>,
    /// Whether the push token is a reference that was not resolved: pushes are to come again later.
    pub push_unresolved: bool,
}

/// The worker application that reads an environment's activities.
#[derive(Debug, Clone)]
pub struct PingOnePoll {
    /// `PINGONE__ENVIRONMENT_ID`; safe as a part of a path.
    pub environment_id: String,
    /// `PINGONE__AUTH_ENVIRONMENT_ID`: where the application lives, default the environment
    /// itself; safe as a part of a path.
    pub auth_environment_id: String,
    /// `PINGONE__CLIENT_ID`.
    pub client_id: String,
    /// `PINGONE__CLIENT_SECRET`.
    pub client_secret: Secret,
    /// `PINGONE__API_URL`, default that of `PINGONE__REGION`: `https://api.pingone.com`.
    pub api: Origin,
    /// `PINGONE__AUTH_URL`, default that of `PINGONE__REGION`: `https://auth.pingone.com`.
    pub auth: Origin,
    /// `PINGONE__REQUESTS_PER_SECOND`, default 3.5, at most 1000.
    pub requests_per_second: f64,
    /// What the settings of this instance start with, for messages, e.g. `PINGONE__ACME__`.
    pub setting_prefix: String,
}

/// The settings of the worker application, as read.
struct PollFields {
    environment_id: Given<String>,
    client_id: Given<String>,
    client_secret: Given<Secret>,
    region: Given<&'static str>,
    auth_environment_id: Given<String>,
    api: Given<Origin>,
    auth: Given<Origin>,
    requests_per_second: Given<f64>,
}

/// What instances must not have in common.
#[derive(Default)]
struct Claims {
    tokens: Vec<Claim<Vec<Secret>>>,
    environments: Vec<Claim<(Origin, String)>>,
}

/// Reads every instance.
pub(super) fn load(reader: &mut Reader<'_>, instances: &Instances, destinations: &Destinations) -> Vec<PingOne> {
    let destinations = destinations.of_source(reader, &PINGONE);
    let mut loaded = Vec::new();
    let mut claims = Claims::default();
    for instance in instances.of(&PINGONE) {
        let mut entry = InstanceReader::new(reader, &PINGONE, instance);
        loaded.extend(load_instance(&mut entry, &destinations, &mut claims));
    }

    refuse_shared_tokens(reader, &PINGONE, &claims.tokens);
    refuse_twins(reader, &PINGONE, "environment", &claims.environments, PartialEq::eq);
    loaded
}

fn load_instance(
    entry: &mut InstanceReader<'_, '_>,
    destinations: &SourceDestinations<'_>,
    claims: &mut Claims,
) -> Option<PingOne> {
    let fields = PollFields::read(entry);
    let push_token = entry.read_push_tokens("PUSH_TOKEN");
    let tables = entry.read("TABLES", values::some_of(&TABLES));
    entry.read("ADDITIONAL_FIELDS", values::boolean);

    let poll_is_wanted = fields.refuse_gaps(entry);
    let is_wanted = poll_is_wanted || push_token.is_given();
    let mut unresolved = Vec::new();
    let destination = destinations.of_instance(entry, is_wanted, &mut unresolved);
    entry.note_push(push_token.presence());
    if !is_wanted {
        return None;
    }
    entry.refuse_empty_secrets(&[
        ("CLIENT_SECRET", fields.client_secret.presence()),
        ("PUSH_TOKEN", push_token.presence()),
    ]);
    if destination == Some(DestinationChoice::Directory) {
        entry.note_without_rule();
    }

    let tables = tables.or(vec![TABLES[0]], &mut unresolved);
    let push = entry.push_part(push_token);
    claims.tokens.push(entry.claim("PUSH_TOKEN", push.tokens.clone()));
    let poll = if poll_is_wanted {
        fields.into_poll(entry, push.is_on())
    } else {
        None
    };
    if let Some(poll) = &poll {
        let environment = (poll.api.clone(), poll.environment_id.to_ascii_lowercase());
        claims.environments.push(entry.claim("ENVIRONMENT_ID", environment));
    }
    entry.switch_off(OffPart::Whole, push.is_on(), &unresolved);

    let (destination, tables) = (destination?, tables?);
    if poll.is_none() && !push.is_on() {
        return None;
    }
    Some(PingOne {
        instance: entry.instance.clone(),
        destination,
        tables: tables.into_iter().map(str::to_owned).collect(),
        poll_is_wanted,
        poll,
        push_tokens: push.tokens,
        push_unresolved: push.unresolved,
    })
}

impl PollFields {
    fn read(entry: &mut InstanceReader<'_, '_>) -> Self {
        Self {
            environment_id: entry.read("ENVIRONMENT_ID", values::path_id),
            client_id: entry.read("CLIENT_ID", values::text),
            client_secret: entry.read_secret("CLIENT_SECRET", Secret::accept),
            region: entry.read("REGION", region::accept),
            auth_environment_id: entry.read("AUTH_ENVIRONMENT_ID", values::path_id),
            api: entry.read("API_URL", Origin::parse),
            auth: entry.read("AUTH_URL", Origin::parse),
            requests_per_second: entry.read("REQUESTS_PER_SECOND", values::rate),
        }
    }

    /// Whether polling is wanted; what is then missing is noted.
    fn refuse_gaps(&self, entry: &mut InstanceReader<'_, '_>) -> bool {
        let is_wanted = self.environment_id.is_given() || self.client_id.is_given() || self.client_secret.is_given();
        if is_wanted {
            let keys = [
                ("ENVIRONMENT_ID", self.environment_id.presence()),
                ("CLIENT_ID", self.client_id.presence()),
                ("CLIENT_SECRET", self.client_secret.presence()),
            ];
            entry.refuse_gaps(NEEDS, &keys);
        }
        is_wanted
    }

    fn into_poll(self, entry: &mut InstanceReader<'_, '_>, takes_push: bool) -> Option<PingOnePoll> {
        let mut unresolved = Vec::new();
        let off = &mut unresolved;

        let environment_id = self.environment_id.needed(off);
        let itself = environment_id.clone().unwrap_or_default();
        let auth_environment_id = self.auth_environment_id.or(itself, off);
        let client_id = self.client_id.needed(off);
        let client_secret = self.client_secret.needed(off);
        let needs_region = !self.api.is_given() || !self.auth.is_given();
        let region = if needs_region {
            self.region.or(region::DEFAULT, off)
        } else {
            Some(region::DEFAULT)
        };
        let of_region = |service: &str| {
            let region = region.unwrap_or(region::DEFAULT);
            Origin::of_host(&format!("{service}.pingone.{region}"))
        };
        let api = self.api.or(of_region("api"), off);
        let auth = self.auth.or(of_region("auth"), off);
        let requests_per_second = self.requests_per_second.or(DEFAULT_REQUESTS_PER_SECOND, off);
        entry.switch_off(OffPart::Poll, takes_push, &unresolved);

        // Where the region is refused or unresolved there is no poll, whatever stands in for it.
        region?;
        Some(PingOnePoll {
            environment_id: environment_id?,
            auth_environment_id: auth_environment_id?,
            client_id: client_id?,
            client_secret: client_secret?,
            api: api?,
            auth: auth?,
            requests_per_second: requests_per_second?,
            setting_prefix: entry.setting_prefix(),
        })
    }
}
