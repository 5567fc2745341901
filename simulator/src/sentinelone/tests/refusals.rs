use super::*;

#[tokio::test]
async fn what_the_swagger_does_not_have_is_400_in_the_vendors_form() {
    let server = SentinelOne::start(ConsoleOptions::default());
    let time = "2026-11-20T10:00:00.000000Z";
    let refused = [
        (Stream::Activities, "updatedAt__gte", time),
        (Stream::Activities, "createdAt__gte", "2026-11-20T10:00:00+00:00"),
        (Stream::Activities, "createdAt__between", "1514978764288-1514978999999"),
        (Stream::Activities, "sortBy", "updatedAt"),
        (Stream::Activities, "limit", "1001"),
        (Stream::Activities, "skip", "9"),
        (Stream::Activities, "countOnly", "true"),
        (Stream::Activities, "activityTypes", "23,25"),
        (Stream::Activities, "isDecommissioned", "true"),
        (Stream::Agents, "includeHidden", "true"),
        (Stream::Agents, "isDecommissioned", "maybe"),
        (Stream::Groups, "createdAt__gte", time),
        (Stream::Groups, "limit", "301"),
        (Stream::Threats, "createdAt__between", "1-2"),
        (Stream::Threats, "sortOrder", "up"),
        (Stream::Alerts, "updatedAt__gte", time),
        (Stream::Alerts, "sortBy", "reportedAt"),
        (Stream::Alerts, "limit", "0"),
        (Stream::Alerts, "cursor", "forged"),
    ];
    for (stream, name, value) in refused {
        let answer = get(&server, stream, &query(&[(name, value)])).await;

        assert_eq!(answer.status(), 400, "{stream:?} {name}");
        let body = json_of(answer).await;
        assert_eq!(body["errors"][0]["code"], 4_000_010);
        assert!(body["errors"][0]["title"].is_string() && body["errors"][0]["detail"].is_string());
    }
    assert_eq!(server.violations().len(), refused.len());
}

#[tokio::test]
async fn the_scheme_of_the_token_has_any_case_and_everything_else_is_401() {
    let server = SentinelOne::start(ConsoleOptions::default());
    let token = ConsoleOptions::default().api_token;
    let mut statuses = Vec::new();
    for header in [
        format!("ApiToken {token}"),
        format!("APIToken {token}"),
        "ApiToken other".to_owned(),
        format!("Bearer {token}"),
    ] {
        let request = plain_client().get(format!("{}{}", server.origin(), Stream::Groups.path()));
        let answer = request.header("Authorization", header).send().await.expect("an answer");
        statuses.push(answer.status().as_u16());
    }

    assert_eq!(statuses, [200, 200, 401, 401]);
    assert_eq!(server.violations().len(), 1);
}

#[tokio::test]
async fn a_page_asked_without_its_filters_shows_other_data_and_is_a_violation() {
    let server = SentinelOne::start(ConsoleOptions::default());
    server.publish(activities(40));
    let mut parameters = query(&[("limit", "5"), ("sortBy", "createdAt")]);
    parameters.push(("createdAt__lt".to_owned(), "2026-11-20T10:00:00.000003Z".to_owned()));

    let first = json_of(get(&server, Stream::Activities, &parameters).await).await;
    let cursor = first["pagination"]["nextCursor"].as_str().expect("a cursor");
    let changed = query(&[("limit", "100"), ("sortBy", "createdAt"), ("cursor", cursor)]);
    let rest = json_of(get(&server, Stream::Activities, &changed).await).await;

    assert_eq!(first["pagination"]["totalItems"], 9);
    assert!(ids(Stream::Activities, &rest).len() > 4);
    assert_eq!(server.violations().len(), 1, "{:?}", server.violations());
}

#[tokio::test]
async fn a_wrong_method_a_wrong_path_a_missing_stream_and_a_token_in_the_url_are_noticed() {
    let server = SentinelOne::start(ConsoleOptions {
        unavailable: vec![Stream::Alerts],
        ..ConsoleOptions::default()
    });
    let token = ConsoleOptions::default().api_token;
    let url = |path: &str| format!("{}{path}", server.origin());

    let posted = plain_client()
        .post(url(&Stream::Agents.path()))
        .send()
        .await
        .expect("an answer");
    let unknown = plain_client()
        .get(url("/web/api/v2.0/agents"))
        .send()
        .await
        .expect("an answer");
    let leaked = get(&server, Stream::Agents, &query(&[("query", token.as_str())])).await;
    let missing = get(&server, Stream::Alerts, &[]).await;

    assert_eq!(posted.status(), 405);
    assert_eq!(unknown.status(), 404);
    assert_eq!(leaked.status(), 400);
    assert_eq!(missing.status(), 404);
    assert!(
        server
            .violations()
            .iter()
            .any(|violation| violation.contains("stands in a URL"))
    );
    assert_eq!(server.violations().len(), 4);
}
