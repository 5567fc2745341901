use std::collections::BTreeSet;

use super::*;

#[tokio::test]
async fn pages_hold_every_event_once_newest_first() {
    let server = PingOne::start(EnvironmentOptions::default());
    server.publish(activities(95));
    let token = token(&server).await;

    for field in ["recordedAt", "createdAt"] {
        let first = url(&server, &[("filter", &window(field)), ("limit", "10")]);
        let pages = walk(&server, &token, first).await;

        assert_eq!(pages.len(), 10);
        let mut expected: Vec<(DateTime<Utc>, String)> = server
            .published()
            .into_iter()
            .map(|activity| (activity.recorded_at, activity.id))
            .collect();
        expected.sort();
        expected.reverse();
        let expected: Vec<String> = expected.into_iter().map(|(_, id)| id).collect();
        assert_eq!(pages.concat(), expected);
    }
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn oldest_first_is_possible_and_the_default_page_has_100() {
    let server = PingOne::start(EnvironmentOptions {
        newest_first: false,
        ..EnvironmentOptions::default()
    });
    server.publish(activities(150));
    let token = token(&server).await;

    let pages = walk(&server, &token, url(&server, &[("filter", &window("recordedat"))])).await;

    let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [100, 50]);
    let expected: Vec<String> = server.published().into_iter().map(|event| event.id).collect();
    assert_eq!(pages.concat(), expected);
}

#[tokio::test]
async fn events_published_while_paging_shift_nothing() {
    let server = PingOne::start(EnvironmentOptions::default());
    let mut all = activities(40);
    let late = all.split_off(30);
    server.publish(all.clone());
    let token = token(&server).await;

    let first = url(&server, &[("filter", &window("recordedAt")), ("limit", "20")]);
    let first = json_of(get(&first, &token).await).await;
    server.publish(late);
    let next = first["_links"]["next"]["href"].as_str().expect("a link").to_owned();
    let rest = walk(&server, &token, next).await;

    let seen: BTreeSet<String> = ids(&first).into_iter().chain(rest.concat()).collect();
    assert_eq!(seen, all.into_iter().map(|event| event.id).collect());
}

#[tokio::test]
async fn a_page_holds_no_more_than_its_cap_whatever_the_limit() {
    let server = PingOne::start(EnvironmentOptions {
        page_cap: Some(7),
        ..EnvironmentOptions::default()
    });
    server.publish(activities(20));
    let token = token(&server).await;

    let first = url(&server, &[("filter", &window("recordedAt")), ("limit", "1000")]);
    let sizes: Vec<usize> = walk(&server, &token, first).await.iter().map(Vec::len).collect();

    assert_eq!(sizes, [7, 7, 6]);
}
