//! The settings of every process.

use super::fault_kinds::FaultKinds;
use super::vendors::Vendor;
use super::world::{INGESTION, rules};
use crate::app::settings::Settings;
use crate::config::Environment;

pub const PUSH_TOKEN: &str = "a-push-token-of-20-letters";

pub fn settings(kinds: FaultKinds) -> Settings {
    let mut pairs = general();
    pairs.extend(pingone());
    pairs.extend(enterprise());
    pairs.push(("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN.to_owned()));
    if kinds.onelogin_api {
        pairs.extend(onelogin_api());
    }
    if kinds.sentinelone {
        pairs.extend(sentinelone());
    }
    if kinds.health {
        pairs.push(("HEALTH__ENABLED", "true".to_owned()));
    }
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let environment = Environment::from(pairs);
    let settings = Settings::load(&environment)
        .unwrap_or_else(|problems| panic!("{:?}", problems.iter().map(ToString::to_string).collect::<Vec<_>>()));
    assert!(settings.disabled.is_empty(), "{:?}", settings.disabled);
    settings
}

type Pairs = Vec<(&'static str, String)>;

fn general() -> Pairs {
    let [general, _] = rules();
    vec![
        ("LOGS_INGESTION__ENDPOINT", INGESTION.to_owned()),
        ("LOGS_INGESTION__RULE_ID", general.rule_id),
        ("POLL_LOOKBACK", "1h".to_owned()),
        ("POLL_OVERLAP", "10m".to_owned()),
        ("POLL_SETTLE", "30s".to_owned()),
    ]
}

fn pingone() -> Pairs {
    let options = simulator::pingone::EnvironmentOptions::default();
    let origin = Vendor::PingOne.origin();
    vec![
        ("PINGONE__ENVIRONMENT_ID", options.environment_id),
        ("PINGONE__AUTH_ENVIRONMENT_ID", options.auth_environment_id),
        ("PINGONE__CLIENT_ID", options.client_id),
        ("PINGONE__CLIENT_SECRET", options.client_secret),
        ("PINGONE__API_URL", origin.to_owned()),
        ("PINGONE__AUTH_URL", origin.to_owned()),
        (
            "PINGONE__TABLES",
            "PingOne_AuditActivitiesV2_CL,PingOne_AuditActivities_CL".to_owned(),
        ),
        ("PINGONE__PUSH_TOKEN", PUSH_TOKEN.to_owned()),
    ]
}

fn enterprise() -> Pairs {
    let options = simulator::pingone_enterprise::SubscriptionOptions::default();
    let (account, subscription) = (&options.account_id, &options.subscription_id);
    let origin = Vendor::Enterprise.origin();
    vec![
        (
            "PINGONE_ENTERPRISE__POLL_URL",
            format!("{origin}/v3/reports/{account}/poll-subscriptions/{subscription}/events"),
        ),
        (
            "PINGONE_ENTERPRISE__TOKEN_URL",
            format!("{origin}/latest/as/token.oauth2"),
        ),
        ("PINGONE_ENTERPRISE__CLIENT_ID", options.client_id),
        ("PINGONE_ENTERPRISE__CLIENT_SECRET", options.client_secret),
    ]
}

fn onelogin_api() -> Pairs {
    let options = simulator::onelogin_api::AccountOptions::default();
    vec![
        ("ONELOGIN__URL", Vendor::OneLogin.origin().to_owned()),
        ("ONELOGIN__CLIENT_ID", options.client_id),
        ("ONELOGIN__CLIENT_SECRET", options.client_secret),
        ("ONELOGIN__TABLES", "OneLogin_CL,OneLoginEventsV2_CL".to_owned()),
        ("ONELOGIN__USERS_EVERY", "10m".to_owned()),
    ]
}

fn sentinelone() -> Pairs {
    let [_, of_sentinelone] = rules();
    let options = simulator::sentinelone::ConsoleOptions::default();
    vec![
        ("SENTINELONE__URL", Vendor::SentinelOne.origin().to_owned()),
        ("SENTINELONE__API_TOKEN", options.api_token),
        (
            "SENTINELONE__STREAMS",
            "activities,agents,alerts,groups,threats,unified-alerts".to_owned(),
        ),
        ("SENTINELONE__INGESTION_ENDPOINT", INGESTION.to_owned()),
        ("SENTINELONE__RULE_ID", of_sentinelone.rule_id),
    ]
}
