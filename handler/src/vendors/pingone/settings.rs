//! Settings of PingOne: `PINGONE__*`.

use super::region;
use crate::config::{DisabledPart, InstanceReader, Origin, PartReader, PushTokens, Secret, values};

pub(super) const NAME: &str = "pingone";

const TABLES: [&str; 2] = ["PingOne_AuditActivitiesV2_CL", "PingOne_AuditActivities_CL"];
const POLL_KEYS: [&str; 3] = ["ENVIRONMENT_ID", "CLIENT_ID", "CLIENT_SECRET"];
const NEEDS: &str = "ENVIRONMENT_ID, CLIENT_ID and CLIENT_SECRET";

/// One instance of PingOne: polled, pushing, or both.
#[derive(Debug)]
pub struct PingOne {
    /// `PINGONE__TABLES`.
    pub tables: Vec<&'static str>,
    /// Whether polling is configured, be it that it cannot run at present.
    pub poll_is_wanted: bool,
    /// The worker application; none where the instance is not polled, or cannot be because a reference of its settings
    /// was not resolved.
    pub poll: Option<PingOnePoll>,
    /// `PINGONE__PUSH_TOKEN`.
    pub push: PushTokens,
}

/// The worker application that reads an environment's activities.
#[derive(Debug, Clone)]
pub struct PingOnePoll {
    /// `PINGONE__ENVIRONMENT_ID`; safe as a part of a path.
    pub environment_id: String,
    /// `PINGONE__AUTH_ENVIRONMENT_ID`; safe as a part of a path.
    pub auth_environment_id: String,
    /// `PINGONE__CLIENT_ID`.
    pub client_id: String,
    /// `PINGONE__CLIENT_SECRET`.
    pub client_secret: Secret,
    /// `PINGONE__API_URL`, or that of `PINGONE__REGION`: `https://api.pingone.com`.
    pub api: Origin,
    /// `PINGONE__AUTH_URL`, or that of `PINGONE__REGION`: `https://auth.pingone.com`.
    pub auth: Origin,
    /// `PINGONE__REQUESTS_PER_SECOND`.
    pub requests_per_second: f64,
    /// What the settings of this instance start with, for messages, e.g. `PINGONE__ACME__`.
    pub setting_prefix: String,
}

/// Reads an instance; none where it is not configured or cannot run.
pub fn load(reader: &mut InstanceReader<'_>) -> Option<PingOne> {
    let poll_is_wanted = reader.is_any_set(&POLL_KEYS);
    let needs_region = !reader.is_any_set(&["API_URL"]) || !reader.is_any_set(&["AUTH_URL"]);
    let region = reader
        .part(DisabledPart::Poll, poll_is_wanted && needs_region, NEEDS)
        .optional("REGION", region::accept);
    let region = if needs_region { region } else { Some(region::DEFAULT) };
    let prefix = reader.setting_prefix();
    let poll = PingOnePoll::load(reader.part(DisabledPart::Poll, poll_is_wanted, NEEDS), region, prefix);
    if let Some(poll) = &poll {
        let environment = format!("{} {}", poll.api, poll.environment_id.to_ascii_lowercase());
        reader.claim_account("ENVIRONMENT_ID", "environment", environment);
    }
    let push = reader.push_tokens("PUSH_TOKEN");
    let tables = reader.whole().optional("TABLES", values::some_of(&TABLES))?;
    (poll.is_some() || push.is_on()).then_some(PingOne {
        tables,
        poll_is_wanted,
        poll,
        push,
    })
}

impl PingOnePoll {
    fn load(mut part: PartReader<'_, '_>, region: Option<&'static str>, setting_prefix: String) -> Option<Self> {
        let of_region = |service: &str| {
            let region = region.unwrap_or(region::DEFAULT);
            Origin::of_host(&format!("{service}.pingone.{region}"))
        };
        let environment_id = part.required("ENVIRONMENT_ID", values::path_id);
        let itself = environment_id.clone().unwrap_or_default();
        let client_id = part.required("CLIENT_ID", values::text);
        let client_secret = part.secret("CLIENT_SECRET", Secret::accept);
        let auth_environment_id = part.optional_or("AUTH_ENVIRONMENT_ID", itself, values::path_id);
        let api = part.optional_or("API_URL", of_region("api"), Origin::parse);
        let auth = part.optional_or("AUTH_URL", of_region("auth"), Origin::parse);
        let requests_per_second = part.optional("REQUESTS_PER_SECOND", values::rate);
        // Where the region is refused or unresolved nothing is polled, whatever stands in for it.
        region?;
        Some(Self {
            environment_id: environment_id?,
            auth_environment_id: auth_environment_id?,
            client_id: client_id?,
            client_secret: client_secret?,
            api: api?,
            auth: auth?,
            requests_per_second: requests_per_second?,
            setting_prefix,
        })
    }
}
