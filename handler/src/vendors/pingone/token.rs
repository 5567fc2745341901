//! Access tokens of a worker application.
//!
//! How the application signs in (Basic header or form body) is a setting of the application, and PingOne refuses the
//! other way. A token lasts an hour.

use super::settings::PingOnePoll;
use crate::sources::Remedy;
use crate::sources::endpoint::address;
use crate::sources::form_tokens::{FormTokenEndpoint, TokenReading};
use crate::sources::oauth::{AccessTokens, ClientAuthentication};
use crate::vendors::BuildContext;

/// The tokens of the worker application in `settings`.
pub fn tokens_of(settings: &PingOnePoll, context: &BuildContext<'_>) -> AccessTokens<FormTokenEndpoint> {
    AccessTokens::new(FormTokenEndpoint {
        http: context.http.clone(),
        clock: context.clock.clone(),
        url: address(
            &settings.auth,
            &format!("/{}/as/token", settings.auth_environment_id),
            &[],
        ),
        client_id: settings.client_id.clone(),
        client_secret: settings.client_secret.clone(),
        authentications: (ClientAuthentication::BasicHeader, Some(ClientAuthentication::FormBody)),
        setting_prefix: settings.setting_prefix.clone(),
        address_settings: format!("{0}REGION (or {0}AUTH_URL)", settings.setting_prefix),
        remedy,
        reading: TokenReading::UntilItsEnd,
    })
}

/// The address is made of region and environment, so that a wrong one of them is met here first, in various forms.
fn remedy(status: u16, prefix: &str) -> Remedy {
    let secret = format!("{prefix}CLIENT_SECRET");
    let credential = format!(
        "{prefix}CLIENT_ID and {secret} are those of a worker application that is enabled, and that \
         {prefix}AUTH_ENVIRONMENT_ID is set if the application lives in another environment than the activities"
    );
    match status {
        401 | 403 => Remedy::renew(secret, |_| {
            format!("check that {credential}; a wrong {prefix}ENVIRONMENT_ID or {prefix}REGION may be answered like this too")
        }),
        300..=399 => format!("redirects are not followed; check {prefix}AUTH_URL or {prefix}REGION").into(),
        _ => format!(
            "there is no such environment in that region: check {prefix}REGION (com, ca, eu, com.au, sg or asia) and \
             {prefix}ENVIRONMENT_ID (the id in the environment's properties, not its name); then check that {credential}"
        )
        .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_names_the_region_and_the_environment() {
        for status in [400, 401, 403, 404, 410] {
            let remedy = remedy(status, "PINGONE__ACME__").to_string();
            for setting in ["REGION", "ENVIRONMENT_ID", "CLIENT_SECRET", "AUTH_ENVIRONMENT_ID"] {
                assert!(
                    remedy.contains(&format!("PINGONE__ACME__{setting}")),
                    "{status} {setting}: {remedy}"
                );
            }
        }
    }
}
