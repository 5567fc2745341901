//! The streams against the simulated API.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use simulator::generate::onelogin_api::{ApiEvent, ApiEvents, User, Users};
use simulator::onelogin_api::{AccountOptions, Fault, OneLoginApi as Api, OneLoginFault};

use super::list::List;
use super::settings::OneLogin;
use super::users::ApiUsers;
use crate::app::settings::testing::loaded;
use crate::config::Environment;
use crate::http::HttpClient;
use crate::sources::{Pages, PolledStream, SnapshotStream, SourceError, Window, WindowedStream};
use crate::time::{Clock, Deadline, SystemClock};
use crate::vendors::BuildContext;

pub(super) const TOKEN_PATH: &str = "/auth/oauth2/v2/token";

pub(super) fn streams_with(origin: &str, id: &str, secret: &str) -> (Arc<List>, Arc<ApiUsers>) {
    let settings = loaded([
        ("ONELOGIN__ACME__URL", origin),
        ("ONELOGIN__ACME__CLIENT_ID", id),
        ("ONELOGIN__ACME__CLIENT_SECRET", secret),
        ("ONELOGIN__ACME__USERS_EVERY", "6h"),
    ]);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let context = BuildContext {
        instance: "acme",
        http: &HttpClient::new(&Environment::default()).unwrap(),
        clock: &clock,
    };
    settings.of::<OneLogin>()[0].api_streams(&context).unwrap()
}

pub(super) fn streams(api: &Api) -> (Arc<List>, Arc<ApiUsers>) {
    let options = AccountOptions::default();
    streams_with(&api.origin(), &options.client_id, &options.client_secret)
}

fn start() -> DateTime<Utc> {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

pub(super) fn hour() -> Window {
    Window {
        from: start(),
        to: start() + TimeDelta::hours(1),
    }
}

pub(super) fn events(count: i64) -> Vec<ApiEvent> {
    let mut generator = ApiEvents::new(4, 70_412);
    (0..count)
        .map(|step| generator.at(start() + TimeDelta::milliseconds(step / 2)))
        .collect()
}

pub(super) fn users(count: i64) -> Vec<User> {
    let mut generator = Users::new(5);
    (0..count)
        .map(|step| generator.new_object(start() + TimeDelta::seconds(step)))
        .collect()
}

/// Byte for byte and in the order of publication.
#[track_caller]
pub(super) fn assert_are(objects: &[String], expected: &[ApiEvent]) {
    let ids = |texts: Vec<&str>| -> Vec<serde_json::Value> {
        let parsed = texts.into_iter().map(serde_json::from_str::<serde_json::Value>);
        parsed.map(|object| object.unwrap()["id"].clone()).collect()
    };
    let expected: Vec<_> = expected.iter().map(|event| event.json.as_str()).collect();
    if objects != expected {
        let objects = objects.iter().map(String::as_str).collect();
        assert_eq!(ids(objects), ids(expected));
        panic!("the ids are right and something else is not");
    }
}

/// The objects of all pages, or the text of the error.
async fn objects_of(
    stream: &dyn PolledStream,
    mut pages: Box<dyn Pages + '_>,
    time: Duration,
) -> Result<Vec<String>, String> {
    let deadline = Deadline::after(time);
    let mut objects = Vec::new();
    let text_of = |error: SourceError| error.of(stream.name()).to_string();
    while let Some(page) = pages.next(deadline).await.map_err(text_of)? {
        objects.extend(page.events().map(str::to_owned));
    }
    Ok(objects)
}

pub(super) async fn read_within(
    stream: &dyn WindowedStream,
    window: Window,
    time: Duration,
) -> Result<Vec<String>, String> {
    objects_of(stream, stream.open(window), time).await
}

pub(super) async fn read(stream: &dyn WindowedStream) -> Result<Vec<String>, String> {
    read_within(stream, hour(), Duration::from_secs(30)).await
}

pub(super) async fn scan(stream: &dyn SnapshotStream) -> Result<Vec<String>, String> {
    objects_of(stream, stream.scan(None), Duration::from_secs(30)).await
}

pub(super) fn statuses(api: &Api, path: &str) -> Vec<u16> {
    let requests = api.requests().into_iter().filter(|request| request.path == path);
    requests.map(|request| request.status).collect()
}

pub(super) fn assert_well_behaved(api: &Api) {
    assert_eq!(api.violations(), Vec::<String>::new());
    assert_eq!(api.waiting_faults(), 0);
}

#[test]
fn the_streams_have_their_names_and_the_account_without_the_credential() {
    let (events, users) = streams_with("https://example.onelogin.com:8443", "an-id", "a-secret");
    assert_eq!(events.name().to_string(), "onelogin/acme/events");
    assert_eq!(users.name().to_string(), "onelogin/acme/users");
    assert_eq!(events.account(), "account example.onelogin.com");
    assert_eq!(users.account(), events.account());
    assert_eq!(users.scan_interval(), Duration::from_secs(6 * 3600));
}

#[tokio::test]
async fn a_window_is_read_to_its_end_with_one_token() {
    let api = Api::start(AccountOptions::default());
    let published = events(2500);
    api.publish_events(published.clone());
    let (stream, _) = streams(&api);
    assert_are(&read(&*stream).await.unwrap(), &published);
    assert_eq!(statuses(&api, "/api/1/events"), [200; 3]);
    assert_eq!(statuses(&api, TOKEN_PATH), [200]);
    assert_well_behaved(&api);
}

#[tokio::test]
async fn the_lower_bound_belongs_to_a_window_and_the_upper_does_not() {
    let api = Api::start(AccountOptions::default());
    let published = events(20);
    api.publish_events(published.clone());
    let (stream, _) = streams(&api);
    let window = Window {
        from: start(),
        to: published[10].created_at,
    };
    let got = read_within(&*stream, window, Duration::from_secs(30)).await.unwrap();
    assert_are(&got, &published[..10]);
    assert_well_behaved(&api);
}

#[tokio::test]
async fn all_users_are_read_whenever_they_were_created() {
    let api = Api::start(AccountOptions::default());
    let published = users(1200);
    api.publish_users(published.clone());
    let (_, stream) = streams(&api);
    let got = scan(&*stream).await.unwrap();
    let expected: Vec<_> = published.into_iter().map(|user| user.json).collect();
    assert!(got == expected, "{} of {}", got.len(), expected.len());
    assert_eq!(statuses(&api, "/api/1/users"), [200; 2]);
    assert_well_behaved(&api);
}

#[tokio::test]
async fn a_refused_page_size_is_replaced_by_the_documented_one_and_not_tried_again() {
    let api = Api::start(AccountOptions {
        largest_limit: 50,
        ..AccountOptions::default()
    });
    let published = events(120);
    api.publish_events(published.clone());
    let (stream, _) = streams(&api);
    for _ in 0..2 {
        assert_are(&read(&*stream).await.unwrap(), &published);
    }
    assert_eq!(statuses(&api, "/api/1/events"), [400, 200, 200, 200, 200, 200, 200]);
    assert_eq!(api.violations().len(), 1, "{:?}", api.violations());
}

#[tokio::test]
async fn a_refused_cursor_begins_the_list_anew() {
    let api = Api::start(AccountOptions::default());
    let published = events(1001);
    api.publish_events(published.clone());
    let refusal = Fault::Status {
        status: 400,
        retry_after: None,
    };
    api.fail_next([Fault::Delay(Duration::ZERO), refusal]);
    let (stream, _) = streams(&api);
    let got = read(&*stream).await.unwrap();
    assert_are(&got[..1000], &published[..1000]);
    assert_are(&got[1000..], &published);
    assert_well_behaved(&api);
}

#[tokio::test]
async fn a_link_that_leads_away_is_not_followed_and_a_repeated_event_is_harmless() {
    let api = Api::start(AccountOptions::default());
    let published = events(1010);
    api.publish_events(published.clone());
    let foreign = Fault::Vendor(OneLoginFault::ForeignNext("http://127.0.0.1:1".to_owned()));
    api.fail_next([foreign.clone(), Fault::RepeatLastOfPreviousPage]);
    let (stream, _) = streams(&api);
    let mut got = read(&*stream).await.unwrap();
    assert_eq!(got.remove(1000), got[999]);
    assert_are(&got, &published);

    // On the last page the cursor beside the foreign link leads to that page once more.
    api.fail_next([Fault::Delay(Duration::ZERO), foreign]);
    let got = read(&*stream).await.unwrap();
    assert_are(&got[..1010], &published);
    assert_are(&got[1010..], &published[1000..]);
    assert_well_behaved(&api);
}
