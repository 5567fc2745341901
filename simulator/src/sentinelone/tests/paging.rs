use super::*;

#[tokio::test]
async fn every_stream_is_read_in_pages_that_hold_each_object_once_in_order() {
    let server = SentinelOne::start(ConsoleOptions {
        hidden_activity_types: Vec::new(),
        ..ConsoleOptions::default()
    });
    let at = |step: i64| start_time() + TimeDelta::microseconds(step * 400);
    let mut agents = ConsoleObjects::new(3);
    let mut groups = ConsoleObjects::new(3);
    let mut threats = ConsoleObjects::new(3);
    let mut alerts = ConsoleObjects::new(3);
    server.publish(activities(45));
    server.publish((0..45).map(|step| agents.new_object(Stream::Agents, at(step))));
    server.publish((0..45).map(|step| groups.new_object(Stream::Groups, at(step))));
    server
        .publish((0..45).map(|step| threats.new_object(Stream::Threats, start_time() + TimeDelta::seconds(step + 1))));
    server.publish((0..45).map(|step| alerts.new_object(Stream::Alerts, at(step))));

    for (stream, field, sort) in [
        (Stream::Activities, "createdAt", "createdAt"),
        (Stream::Agents, "updatedAt", "updatedAt"),
        (Stream::Groups, "updatedAt", "updatedAt"),
        (Stream::Threats, "updatedAt", "updatedAt"),
        (Stream::Alerts, "reportedAt", "alertInfoReportedAt"),
    ] {
        let mut parameters = query(&[("limit", "10"), ("sortBy", sort), ("sortOrder", "asc")]);
        parameters.extend(window(field));
        let ascending = walk(&server, stream, &parameters).await;
        parameters[2].1 = "desc".to_owned();
        let mut descending = walk(&server, stream, &parameters).await.concat();
        descending.reverse();

        assert_eq!(ascending.len(), 5, "{stream:?}");
        let mut sorted = ascending.concat();
        assert_eq!(sorted, descending, "{stream:?}");
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), 45, "{stream:?}");
    }
    assert_eq!(server.violations(), Vec::<String>::new());
    assert_eq!(server.versions_shown(), server.versions_current());
}

#[tokio::test]
async fn equal_times_are_in_the_order_of_ids_and_bounds_are_exact_to_the_microsecond() {
    let server = SentinelOne::start(ConsoleOptions::default());
    server.publish(activities(9));
    let count = async |word: &str| {
        let parameters = query(&[(word, "2026-11-20T10:00:00.000001Z"), ("includeHidden", "true")]);
        json_of(get(&server, Stream::Activities, &parameters).await).await["pagination"]["totalItems"].clone()
    };

    assert_eq!(count("createdAt__gt").await, 3);
    assert_eq!(count("createdAt__gte").await, 6);
    assert_eq!(count("createdAt__lt").await, 3);
    assert_eq!(count("createdAt__lte").await, 6);
    let pages = walk(
        &server,
        Stream::Activities,
        &query(&[("limit", "2"), ("sortBy", "createdAt")]),
    )
    .await;
    let mut expected = server.published(Stream::Activities);
    expected.sort_by_key(|activity| (activity.created_at, activity.id.clone()));
    assert_eq!(
        pages.concat(),
        expected.into_iter().map(|activity| activity.id).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn hidden_activities_and_decommissioned_agents_come_when_asked_for() {
    let server = SentinelOne::start(ConsoleOptions {
        hidden_activity_types: vec![19],
        ..ConsoleOptions::default()
    });
    server.publish(activities(5));
    let mut agents = ConsoleObjects::new(1);
    let agent = agents.new_object(Stream::Agents, start_time());
    let other = agents.new_object(Stream::Agents, start_time());
    let third = agents.new_object(Stream::Agents, start_time());
    let mut shown = vec![agent.clone(), other, agents.decommission(&agent, start_time())];
    shown.push(agents.uninstall(&third, start_time()));
    server.publish(shown);
    let count = async |stream, parameters: &[(&str, &str)]| {
        ids(stream, &json_of(get(&server, stream, &query(parameters)).await).await).len()
    };

    assert_eq!(count(Stream::Activities, &[]).await, 4);
    assert_eq!(count(Stream::Activities, &[("includeHidden", "true")]).await, 5);
    assert_eq!(count(Stream::Agents, &[]).await, 1);
    assert_eq!(count(Stream::Agents, &[("isDecommissioned", "true,false")]).await, 2);
    assert_eq!(count(Stream::Agents, &[("isDecommissioned", "True")]).await, 1);
    let both = [("isDecommissioned", "True,False"), ("isUninstalled", "True,False")];
    assert_eq!(count(Stream::Agents, &both).await, 3);
}

#[tokio::test]
async fn an_object_that_changes_during_the_walk_moves_to_the_end() {
    let server = SentinelOne::start(ConsoleOptions::default());
    let mut agents = ConsoleObjects::new(2);
    let all: Vec<_> = (0..6)
        .map(|step| agents.new_object(Stream::Agents, start_time() + TimeDelta::seconds(step)))
        .collect();
    server.publish(all.clone());
    let mut parameters = query(&[("limit", "3"), ("sortBy", "updatedAt")]);

    let first = json_of(get(&server, Stream::Agents, &parameters).await).await;
    server.publish([agents.update(&all[0], start_time() + TimeDelta::minutes(1))]);
    let cursor = first["pagination"]["nextCursor"].as_str().expect("a cursor").to_owned();
    parameters.push(("cursor".to_owned(), cursor));
    parameters[0].1 = "10".to_owned();
    let rest = json_of(get(&server, Stream::Agents, &parameters).await).await;

    assert_eq!(ids(Stream::Agents, &rest).last(), Some(&all[0].id));
    assert_eq!(ids(Stream::Agents, &rest).len(), 4);
    assert_eq!(server.versions_shown().len(), 7);
    assert_eq!(server.versions_current().len(), 6);
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_version_that_was_overwritten_before_anybody_asked_was_never_shown() {
    let server = SentinelOne::start(ConsoleOptions::default());
    let mut groups = ConsoleObjects::new(2);
    let old = groups.new_object(Stream::Groups, start_time());
    let new = groups.update(&old, start_time() + TimeDelta::seconds(1));
    server.publish([old, new.clone()]);

    walk(&server, Stream::Groups, &[]).await;

    let shown = server.versions_shown();
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].json, new.json);
    assert_eq!(server.published(Stream::Groups).len(), 2);
}

#[tokio::test]
async fn the_default_page_has_ten_objects_and_says_how_many_there_are() {
    let server = SentinelOne::start(ConsoleOptions::default());
    server.publish(activities(12));

    let page = json_of(get(&server, Stream::Activities, &[]).await).await;

    assert_eq!(ids(Stream::Activities, &page).len(), 10);
    assert_eq!(page["pagination"]["totalItems"], 12);
}

#[tokio::test]
async fn a_page_holds_no_more_than_its_cap_and_two_windows_may_share_a_cursor() {
    let server = SentinelOne::start(ConsoleOptions {
        hidden_activity_types: Vec::new(),
        page_cap: Some(4),
        ..ConsoleOptions::default()
    });
    server.publish(activities(9));
    let parameters = |last: &str| {
        query(&[
            ("limit", "1000"),
            ("sortBy", "createdAt"),
            ("createdAt__gte", "2026-11-20T10:00:00.000000Z"),
            ("createdAt__lt", last),
        ])
    };
    let [long, short] = ["2026-11-20T11:00:00.000000Z", "2026-11-20T10:30:00.000000Z"].map(parameters);

    let first = json_of(get(&server, Stream::Activities, &long).await).await;
    let sizes: Vec<usize> = walk(&server, Stream::Activities, &short)
        .await
        .iter()
        .map(Vec::len)
        .collect();
    let mut further = long.clone();
    let cursor = first["pagination"]["nextCursor"].as_str().expect("a cursor").to_owned();
    further.push(("cursor".to_owned(), cursor));
    get(&server, Stream::Activities, &further).await;

    assert_eq!(sizes, [4, 4, 1]);
    assert_eq!(server.violations(), Vec::<String>::new());
}
