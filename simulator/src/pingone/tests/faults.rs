use super::*;

#[tokio::test]
async fn faults_come_one_per_request_in_order() {
    let server = PingOne::start(EnvironmentOptions::default());
    server.publish(activities(30));
    let token = token(&server).await;
    let filter = window("recordedAt");
    let url = url(&server, &[("filter", &filter), ("limit", "200")]);
    server.fail_next([
        Fault::Status {
            status: 429,
            retry_after: Some(2),
        },
        Fault::TruncatedJson,
        Fault::HtmlPage,
        Fault::Vendor(PingOneFault::NextPageSizeRefused),
        Fault::Delay(Duration::from_millis(1)),
        Fault::Vendor(PingOneFault::ForeignNext("http://198.51.100.1:81".to_owned())),
        Fault::Reset,
        Fault::RevokeToken,
    ]);

    let limited = get(&url, &token).await;
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["Retry-After"], "2");
    assert_eq!(json_of(limited).await["code"], "REQUEST_LIMITED");

    let truncated = get(&url, &token).await.text().await.expect("a body");
    assert!(truncated.starts_with("{\"_links\""));
    assert!(serde_json::from_str::<Value>(&truncated).is_err());

    let markup = get(&url, &token).await;
    assert_eq!(markup.status(), 200);
    assert!(markup.text().await.expect("a body").starts_with("<!doctype"));

    assert_eq!(get(&url, &token).await.status(), 400);
    assert_eq!(ids(&json_of(get(&url, &token).await).await).len(), 30);
    let lured = json_of(get(&url, &token).await).await;
    let link = lured["_links"]["next"]["href"].as_str().expect("a link");
    assert!(link.starts_with("http://198.51.100.1:81/v1/"));

    assert!(plain_client().get(&url).bearer_auth(&token).send().await.is_err());
    assert_eq!(get(&url, &token).await.status(), 401);
    assert_eq!(get(&url, &token).await.status(), 401);
    assert_eq!(server.waiting_faults(), 0);
    let statuses: Vec<u16> = server.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200, 429, 200, 200, 400, 200, 200, 0, 401, 401]);
}

#[tokio::test]
async fn the_last_event_of_a_page_can_lead_the_next() {
    let server = PingOne::start(EnvironmentOptions::default());
    server.publish(activities(4));
    let token = token(&server).await;
    let first = url(&server, &[("filter", &window("recordedAt")), ("limit", "2")]);

    let first = json_of(get(&first, &token).await).await;
    server.fail_next([Fault::RepeatLastOfPreviousPage]);
    let next = first["_links"]["next"]["href"].as_str().expect("a link");
    let second = json_of(get(next, &token).await).await;

    assert_eq!(ids(&second).len(), 3);
    assert_eq!(ids(&second)[0], ids(&first)[1]);
}

#[tokio::test]
async fn raw_elements_are_delivered_and_old_events_are_left_out() {
    let server = PingOne::start(EnvironmentOptions {
        oldest_readable: Some(start_time() + TimeDelta::milliseconds(5)),
        ..EnvironmentOptions::default()
    });
    server.publish(activities(20));
    server.publish_raw(start_time() + TimeDelta::seconds(1), "\"no object\"".to_owned());
    let token = token(&server).await;

    let page = json_of(get(&url(&server, &[("filter", &window("recordedAt"))]), &token).await).await;

    assert_eq!(page["_embedded"]["activities"][0], "no object");
    assert_eq!(ids(&page).len(), 11);
    assert_eq!(server.published().len(), 20);
}

#[tokio::test]
async fn a_page_can_hold_a_byte_that_is_no_utf_8() {
    let server = PingOne::start(EnvironmentOptions::default());
    server.publish(activities(2));
    let token = token(&server).await;
    server.fail_next([Fault::Vendor(PingOneFault::InvalidUtf8)]);

    let answer = get(&url(&server, &[("filter", &window("recordedAt"))]), &token).await;
    let bytes = answer.bytes().await.expect("a body");

    assert!(std::str::from_utf8(&bytes).is_err());
    let repaired = String::from_utf8_lossy(&bytes).into_owned();
    let page: Value = serde_json::from_str(&repaired).expect("the rest is JSON");
    assert_eq!(ids(&page).len(), 2);
}

#[tokio::test]
async fn token_requests_fail_on_demand() {
    let options = EnvironmentOptions::default();
    let server = PingOne::start(EnvironmentOptions::default());
    server.fail_next_tokens([503]);

    let environment = &options.auth_environment_id;
    let failed = ask_token(&server, environment, TokenStyle::Basic, &options.client_secret).await;

    assert_eq!(failed.status(), 503);
    token(&server).await;
}
