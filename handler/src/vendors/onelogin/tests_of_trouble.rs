//! The streams against the simulated API when it refuses, fails or asks for patience.

use std::time::Duration;

use simulator::onelogin_api::{AccountOptions, Fault, OneLoginApi as Api, OneLoginFault};
use tokio::time::Instant;

use super::tests::{
    TOKEN_PATH, assert_are, assert_well_behaved, events, hour, read, read_within, scan, statuses, streams,
    streams_with, users,
};

#[tokio::test]
async fn a_token_that_ends_between_two_pages_is_renewed() {
    let api = Api::start(AccountOptions {
        token_uses: Some(1),
        ..AccountOptions::default()
    });
    let published = events(2500);
    api.publish_events(published.clone());
    api.fail_next([Fault::Delay(Duration::ZERO), Fault::RevokeToken]);
    let (stream, _) = streams(&api);
    assert_are(&read(&*stream).await.unwrap(), &published);
    assert_eq!(statuses(&api, "/api/1/events"), [200, 401, 200, 401, 200]);
    assert_eq!(statuses(&api, TOKEN_PATH), [200; 3]);
    assert_well_behaved(&api);
}

#[tokio::test]
async fn a_used_up_rate_limit_is_waited_for_in_either_form() {
    let api = Api::start(AccountOptions::default());
    api.publish_users(users(2));
    let silent = Fault::Status {
        status: 429,
        retry_after: None,
    };
    api.fail_next([
        silent,
        Fault::Vendor(OneLoginFault::RateLimitExceeded),
        Fault::Vendor(OneLoginFault::RateLimitExceeded),
    ]);
    let (_, stream) = streams(&api);
    assert_eq!(scan(&*stream).await.unwrap().len(), 2);
    assert_eq!(statuses(&api, "/api/1/users"), [429, 400, 400, 200]);
    assert_eq!(statuses(&api, TOKEN_PATH), [200]);
    assert_well_behaved(&api);
}

#[tokio::test]
async fn a_pause_holds_both_streams_and_only_the_deadline_ends_it() {
    let api = Api::start(AccountOptions::default());
    let limited = |retry_after| Fault::Status {
        status: 429,
        retry_after: Some(retry_after),
    };
    api.fail_next([limited(1)]);
    let (events, users) = streams(&api);
    let begin = Instant::now();
    assert!(read(&*events).await.is_ok());
    assert!(begin.elapsed() >= Duration::from_millis(990));

    api.fail_next([limited(600)]);
    let begin = Instant::now();
    let error = read(&*events).await.unwrap_err();
    assert!(error.contains("429 and asks to wait 10 min"), "{error}");
    let error = scan(&*users).await.unwrap_err();
    assert!(
        error.contains("onelogin/acme/users") && error.contains("429"),
        "{error}"
    );
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn the_form_without_its_own_status_ends_with_the_deadline_too() {
    let api = Api::start(AccountOptions::default());
    api.fail_next(vec![Fault::Vendor(OneLoginFault::RateLimitExceeded); 50]);
    let (events, _) = streams(&api);
    let error = read_within(&*events, hour(), Duration::from_secs(2)).await.unwrap_err();
    assert!(
        error.contains("400 (too many requests) until the time of this run was over"),
        "{error}"
    );
}

#[tokio::test]
async fn what_passes_by_itself_is_tried_again() {
    let api = Api::start(AccountOptions::default());
    let published = events(3);
    api.publish_events(published.clone());
    let busy = Fault::Status {
        status: 503,
        retry_after: Some(0),
    };
    api.fail_next([Fault::HtmlPage, Fault::TruncatedJson, busy, Fault::Reset]);
    api.fail_next_tokens([500]);
    let (stream, _) = streams(&api);
    assert_are(&read(&*stream).await.unwrap(), &published);
    assert_well_behaved(&api);
}

#[tokio::test]
async fn a_refused_header_is_followed_by_the_other_form_which_is_remembered() {
    let api = Api::start(AccountOptions::default());
    api.fail_next_tokens([401]);
    let (stream, _) = streams(&api);
    assert!(read(&*stream).await.is_ok());
    api.revoke_tokens();
    assert!(read(&*stream).await.is_ok());
    assert_eq!(statuses(&api, TOKEN_PATH), [401, 200, 200]);
    assert_well_behaved(&api);
}

#[tokio::test]
async fn a_wrong_credential_names_the_settings_and_shows_no_secret() {
    let api = Api::start(AccountOptions::default());
    let (stream, _) = streams_with(&api.origin(), "an-id", "not-the-secret");
    let error = read(&*stream).await.unwrap_err();
    for part in [
        "onelogin/acme/events: the token endpoint answered 401 (Unauthorized)",
        "ONELOGIN__ACME__CLIENT_ID",
        "ONELOGIN__ACME__CLIENT_SECRET",
        "ONELOGIN__ACME__URL",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains("not-the-secret") && !error.contains("an-id"), "{error}");
    assert_eq!(statuses(&api, TOKEN_PATH), [401, 401]);
}

#[tokio::test]
async fn a_refusal_that_will_come_again_names_the_setting_to_change() {
    for (status, setting, requests) in [
        (401, "ONELOGIN__ACME__CLIENT_ID", 2),
        (403, "ONELOGIN__ACME__CLIENT_SECRET", 1),
        (404, "ONELOGIN__ACME__URL", 1),
        (302, "ONELOGIN__ACME__URL", 1),
    ] {
        let api = Api::start(AccountOptions::default());
        let refusal = Fault::Status {
            status,
            retry_after: None,
        };
        api.fail_next(vec![refusal; requests]);
        let (_, stream) = streams(&api);
        let error = scan(&*stream).await.unwrap_err();
        assert!(
            error.contains(setting) && error.contains(&status.to_string()),
            "{error}"
        );
        assert_eq!(statuses(&api, "/api/1/users").len(), requests, "{status}");
        assert_well_behaved(&api);
    }
}

#[tokio::test]
async fn an_address_where_nobody_answers_names_its_setting() {
    let (stream, _) = streams_with("http://127.0.0.1:1", "an-id", "a-secret");
    let error = read(&*stream).await.unwrap_err();
    assert!(
        error.contains("ONELOGIN__ACME__URL") && error.contains("cannot be reached"),
        "{error}"
    );
}
