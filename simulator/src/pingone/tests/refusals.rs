use super::*;

#[tokio::test]
async fn only_the_set_way_of_authentication_is_accepted() {
    let options = EnvironmentOptions::default();
    for (set, other) in [
        (TokenStyle::Basic, TokenStyle::Body),
        (TokenStyle::Body, TokenStyle::Basic),
    ] {
        let server = PingOne::start(EnvironmentOptions {
            token_style: set,
            ..EnvironmentOptions::default()
        });
        let environment = &options.auth_environment_id;
        let good = ask_token(&server, environment, set, &options.client_secret).await;
        let bad = ask_token(&server, environment, other, &options.client_secret).await;

        assert_eq!(good.status(), 200);
        assert_eq!(bad.status(), 401);
        assert_eq!(json_of(bad).await["error"], "invalid_client");
        assert_eq!(server.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn wrong_environment_and_wrong_secret_are_invalid_clients() {
    let options = EnvironmentOptions::default();
    let server = PingOne::start(EnvironmentOptions::default());
    let auth = &options.auth_environment_id;

    let wrong_environment = ask_token(
        &server,
        &options.environment_id,
        TokenStyle::Basic,
        &options.client_secret,
    );
    let wrong_secret = ask_token(&server, auth, TokenStyle::Basic, "other");
    for answer in [wrong_environment.await, wrong_secret.await] {
        assert_eq!(answer.status(), 401);
        assert_eq!(json_of(answer).await["error"], "invalid_client");
    }
    server.rotate_secret("other");
    let rotated = ask_token(&server, auth, TokenStyle::Basic, "other").await;
    assert_eq!(rotated.status(), 200);
}

#[tokio::test]
async fn credentials_in_header_and_body_or_in_the_url_are_violations() {
    let options = EnvironmentOptions::default();
    let server = PingOne::start(EnvironmentOptions::default());
    let url = format!("{}/{}/as/token", server.origin(), options.auth_environment_id);
    let form = "application/x-www-form-urlencoded";
    let post = |url: &str, body: String| plain_client().post(url).header("Content-Type", form).body(body);
    let credentials = format!("client_id=a&client_secret={}", options.client_secret);

    let twice = post(&url, format!("grant_type=client_credentials&{credentials}"))
        .basic_auth(&options.client_id, Some(&options.client_secret));
    let in_url = post(
        &format!("{url}?{credentials}"),
        "grant_type=client_credentials".to_owned(),
    );
    let no_form = plain_client().post(&url).body("grant_type=client_credentials");
    let other_grant = post(&url, "grant_type=password".to_owned());

    let mut statuses = Vec::new();
    for request in [twice, in_url, no_form, other_grant, plain_client().get(&url)] {
        let answer = request.send().await.expect("the server answers");
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses, [401, 400, 400, 400, 405]);
    assert_eq!(server.violations().len(), 5, "{:?}", server.violations());
}

#[tokio::test]
async fn a_bad_token_is_401_and_a_used_up_one_too() {
    let server = PingOne::start(EnvironmentOptions {
        token_uses: Some(2),
        ..EnvironmentOptions::default()
    });
    let token = token(&server).await;
    let url = url(&server, &[("filter", &window("recordedAt"))]);

    let mut statuses = Vec::new();
    for shown in ["forged", &token, &token, &token] {
        statuses.push(get(&url, shown).await.status().as_u16());
    }
    assert_eq!(statuses, [401, 200, 200, 401]);

    let without = plain_client().get(&url).send().await.expect("the server answers");
    assert_eq!(without.status(), 401);
    assert_eq!(json_of(without).await["code"], "INVALID_TOKEN");
    assert_eq!(server.violations().len(), 1);
}

#[tokio::test]
async fn another_environment_is_403_and_an_unknown_path_404() {
    let server = PingOne::start(EnvironmentOptions::default());
    let token = token(&server).await;
    let filter = window("recordedAt").replace(' ', "%20").replace('"', "%22");

    let other = format!("{}/v1/environments/x/activities?filter={filter}", server.origin());
    let other = get(&other, &token).await;
    let unknown = get(&format!("{}/v1/organizations", server.origin()), &token).await;

    assert_eq!(other.status(), 403);
    assert_eq!(unknown.status(), 404);
    let error = json_of(other).await;
    assert_eq!(error["code"], "ACCESS_FAILED");
    assert!(error["id"].is_string() && error["message"].is_string());
}

#[tokio::test]
async fn a_bad_query_is_400() {
    let server = PingOne::start(EnvironmentOptions::default());
    let token = token(&server).await;
    let good = window("recordedAt");
    for parameters in [
        vec![("limit", "10")],
        vec![("filter", "recordedAt ge \"2026-11-20T10:00:00Z\"")],
        vec![("filter", good.as_str()), ("limit", "0")],
        vec![("filter", good.as_str()), ("limit", "1001")],
        vec![("filter", good.as_str()), ("limit", "ten")],
        vec![("filter", good.as_str()), ("order", "asc")],
        vec![("filter", good.as_str()), ("filter", good.as_str())],
        vec![("cursor", "forged")],
        vec![("cursor", "forged"), ("limit", "10")],
    ] {
        let answer = get(&url(&server, &parameters), &token).await;

        assert_eq!(answer.status(), 400, "{parameters:?}");
        assert_eq!(json_of(answer).await["code"], "INVALID_REQUEST");
    }
    let post = plain_client()
        .post(url(&server, &[("filter", &good)]))
        .bearer_auth(&token);
    assert_eq!(post.send().await.expect("an answer").status(), 405);
}

#[tokio::test]
async fn a_token_in_the_url_is_a_violation() {
    let server = PingOne::start(EnvironmentOptions::default());
    let token = token(&server).await;

    get(&url(&server, &[("access_token", &token)]), &token).await;

    assert!(server.violations()[0].contains("a secret stands in a URL"));
}
