//! Answers and objects as SentinelOne should not send them, and what must never leave a group.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use simulator::generate::sentinelone::REGISTRATION_TOKEN_MARK;
use simulator::sentinelone::{ConsoleFault, Fault, SentinelOne, Stream};

use crate::harness::*;
use crate::sentinelone::{TWO_PAGES, assert_each_version_once, assert_no_registration_token, name, table};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_null_in_place_of_its_data_loses_nothing() {
    for stream in Stream::ALL {
        let console = SentinelOne::start(console_options());
        Estate::new(203).publish(&console, stream, times(TWO_PAGES, 50));
        let metadata = usize::from(stream == Stream::UnifiedAlerts);
        console.fail_next(vec![Fault::Delay(Duration::ZERO); metadata]);
        console.fail_next([Fault::Vendor(ConsoleFault::NullData)]);
        let handler = Handler::with_sentinelone(&console, name(stream));
        handler.poll_well().await;
        assert_eq!(console.waiting_faults(), 0);
        assert_each_version_once(&console, &handler);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_registration_token_inside_an_array_gets_into_the_dead_letters() {
    let group = json!([{"id": "2", "registrationToken": format!("{REGISTRATION_TOKEN_MARK}-odd")}]);
    assert_nothing_of(group).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_registration_token_inside_a_member_gets_into_the_table() {
    let secret = format!("{REGISTRATION_TOKEN_MARK}-odd");
    let at = (now() - TimeDelta::minutes(5)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert_nothing_of(json!({"id": "3", "updatedAt": at, "creator": {"registrationToken": secret}})).await;
}

async fn assert_nothing_of(group: serde_json::Value) {
    let console = SentinelOne::start(console_options());
    console.publish_raw(Stream::Groups, group.to_string());
    let handler = Handler::with_sentinelone(&console, "groups");
    handler.poll_well().await;
    assert_eq!(
        handler.rows(table(Stream::Groups)).len() + handler.dead_letters().len(),
        1
    );
    assert_no_registration_token(&handler);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_come_in_pages_of_300_and_no_registration_token_gets_anywhere() {
    let console = SentinelOne::start(console_options());
    Estate::new(210).publish(&console, Stream::Groups, times(700, 30));
    let secret = format!("{REGISTRATION_TOKEN_MARK}-odd");
    let at = (now() - TimeDelta::minutes(5)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    for group in [
        json!({"registrationToken": secret}),
        json!({"id": "1", "updatedAt": at, "registrationToken": {"value": secret}, "creator": {"id": 7}}),
    ] {
        console.publish_raw(Stream::Groups, group.to_string());
    }
    // Pages that cannot be read are shown in errors.
    console.fail_next(vec![Fault::TruncatedJson; 5]);
    let handler = Handler::with_sentinelone(&console, "groups");
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    let output = handler.poll_well().await;
    for text in [ended.output, output] {
        assert!(!text.contains(REGISTRATION_TOKEN_MARK), "{text}");
    }
    // Without its token the first one says nothing: it is set aside, and the token is not there either.
    assert_eq!(
        (handler.rows(table(Stream::Groups)).len(), handler.dead_letters().len()),
        (701, 1)
    );
    assert_no_registration_token(&handler);
    for request in console.requests() {
        assert!(request.query.contains("limit=300&"), "{}", request.query);
    }
    assert_eq!(console.violations(), Vec::<String>::new());
}
