use super::*;

#[tokio::test]
async fn faults_come_one_per_request_in_order_and_those_of_a_stream_first() {
    let server = SentinelOne::start(ConsoleOptions::default());
    server.publish(activities(4));
    server.fail_next([
        Fault::TruncatedJson,
        Fault::HtmlPage,
        Fault::Delay(Duration::from_millis(1)),
        Fault::Vendor(ConsoleFault::NullData),
        Fault::Vendor(ConsoleFault::ErrorsBesideData),
        Fault::RevokeToken,
    ]);
    let limited = Fault::Status {
        status: 429,
        retry_after: Some(3),
    };
    server.fail_next_on(Stream::Activities, [limited]);
    let ask = async || get(&server, Stream::Activities, &[]).await;

    let refused = ask().await;
    assert_eq!(refused.headers()["Retry-After"], "3");
    assert_eq!(json_of(refused).await["errors"][0]["code"], 4_290_010);
    let truncated = ask().await.text().await.expect("a body");
    assert!(serde_json::from_str::<Value>(&truncated).is_err());
    assert!(ask().await.text().await.expect("a body").starts_with("<!doctype"));
    assert_eq!(server.versions_shown().len(), 0);
    assert_eq!(ids(Stream::Activities, &json_of(ask().await).await).len(), 4);
    assert!(json_of(ask().await).await["data"].is_null());
    let both = json_of(ask().await).await;
    assert_eq!(both["errors"][0].as_object().map(|error| error.len()), Some(0));
    assert_eq!(both["data"].as_array().map(Vec::len), Some(4));
    assert_eq!(ask().await.status(), 401);
    assert_eq!(ask().await.status(), 401);
    server.set_api_token(&ConsoleOptions::default().api_token);
    assert_eq!(ask().await.status(), 200);
    assert_eq!(server.waiting_faults(), 0);
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_reset_is_no_answer() {
    let server = SentinelOne::start(ConsoleOptions::default());
    server.fail_next([Fault::Reset]);

    let url = format!("{}{}", server.origin(), Stream::Threats.path());

    assert!(plain_client().get(url).send().await.is_err());
    assert_eq!(server.requests()[0].status, 0);
}

#[tokio::test]
async fn cursors_in_other_forms_lead_to_the_same_pages() {
    let server = SentinelOne::start(ConsoleOptions::default());
    server.publish(activities(30));
    let parameters = query(&[("limit", "10"), ("sortBy", "createdAt")]);
    let expected = walk(&server, Stream::Activities, &parameters).await;

    for fault in [
        Fault::Vendor(ConsoleFault::UrlEncodedCursor),
        Fault::Vendor(ConsoleFault::OldCursorForm),
    ] {
        server.fail_next([fault.clone(), fault]);
        assert_eq!(walk(&server, Stream::Activities, &parameters).await, expected);
    }
    assert_eq!(server.violations(), Vec::<String>::new());

    server.fail_next([Fault::Vendor(ConsoleFault::UrlEncodedCursor)]);
    let page = json_of(get(&server, Stream::Activities, &parameters).await).await;
    let cursor = page["pagination"]["nextCursor"].as_str().expect("a cursor");
    assert!(cursor.contains("%3D"));
    let twice = get(&server, Stream::Activities, &query(&[("cursor", cursor)])).await;
    assert_eq!(twice.status(), 400, "a cursor that is encoded twice cannot be read");
}

#[tokio::test]
async fn the_last_object_of_a_page_can_lead_the_next() {
    let server = SentinelOne::start(ConsoleOptions::default());
    // One of them is hidden.
    server.publish(activities(21));
    server.fail_next([Fault::Delay(Duration::ZERO), Fault::RepeatLastOfPreviousPage]);

    let pages = walk(&server, Stream::Activities, &query(&[("limit", "10")])).await;

    assert_eq!(pages[1].len(), 11);
    assert_eq!(pages[1].first(), pages[0].last());
}

#[tokio::test]
async fn raw_elements_are_shown() {
    let server = SentinelOne::start(ConsoleOptions::default());
    server.publish_raw(Stream::Threats, "\"no object\"".to_owned());
    server.publish_raw(Stream::Threats, "{\"id\":7,\"threatInfo\":null}".to_owned());

    let page = json_of(get(&server, Stream::Threats, &window("updatedAt")).await).await;

    assert_eq!(page["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(server.versions_shown().len(), 2);
}

#[tokio::test]
async fn what_a_client_did_not_wait_for_was_not_shown() {
    let server = SentinelOne::start(ConsoleOptions::default());
    server.publish(activities(4));
    server.fail_next([Fault::Delay(Duration::from_secs(600))]);

    let gave_up = plain_client()
        .get(format!("{}{}", server.origin(), Stream::Activities.path()))
        .header(
            "Authorization",
            format!("ApiToken {}", ConsoleOptions::default().api_token),
        )
        .timeout(Duration::from_millis(200))
        .send()
        .await;

    assert!(gave_up.is_err());
    let noticed = async {
        while !server.versions_shown().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), noticed)
        .await
        .expect("the server notices");
}
