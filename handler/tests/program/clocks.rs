//! The vendor's clock and this machine's are not the same: windows end at the earlier of the two.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simulator::DateHeader;
use simulator::generate::onelogin_api::ApiEvents;
use simulator::generate::pingone::Activities;
use simulator::onelogin_api::OneLoginApi;
use simulator::pingone::PingOne;
use simulator::sentinelone::{SentinelOne, Stream};

use crate::harness::*;
use crate::sentinelone::{assert_each_current_version_once, name};

fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

/// Two a minute, from `oldest` to `newest` minutes before now.
fn times_ago(oldest: i64, newest: i64) -> impl Iterator<Item = DateTime<Utc>> {
    let now = now();
    (newest * 2..oldest * 2)
        .rev()
        .map(move |half| now - TimeDelta::seconds(half * 30))
}

fn publish(pingone: &PingOne, seed: u64, oldest: i64, newest: i64) {
    let mut generator = Activities::new(seed, ENVIRONMENT_ID);
    pingone.publish(times_ago(oldest, newest).map(|at| generator.at(at)));
}

fn checkpoint(handler: &Handler) -> Value {
    let file = handler.path("data/state/checkpoints/pingone/default/activities.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn put_back(handler: &Handler, checkpoint: &Value) {
    let file = handler.path("data/state/checkpoints/pingone/default/activities.json");
    std::fs::write(file, serde_json::to_vec_pretty(checkpoint).unwrap()).unwrap();
}

fn stream_of(status: &Value) -> &Value {
    &status["streams"][0]
}

async fn status(handler: &Handler) -> (Value, String) {
    let json = handler.run(&["status", "--json"]).await;
    let text = handler.run(&["status"]).await;
    assert_eq!(
        (json.code, text.code),
        (Some(0), Some(0)),
        "{} {}",
        json.output,
        text.output
    );
    (serde_json::from_str(&json.output).unwrap(), text.output)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_this_clock_is_far_ahead_and_status_and_check_say_so() {
    let pingone = PingOne::start(options());
    pingone.set_date(DateHeader::Offset(-minutes(40)));
    publish(&pingone, 1, 55, 41);
    let handler = Handler::with_pingone(&pingone);
    let said = handler.poll_well().await;
    assert!(said.contains("40 min behind this machine's"), "{said}");
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    let watermark: DateTime<Utc> = checkpoint(&handler)["tables"][ACTIVITIES]["watermark"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(watermark <= now() - minutes(40), "{watermark}");

    let (json, text) = status(&handler).await;
    let offset = stream_of(&json)["clock_offset_seconds"].as_f64().unwrap();
    assert!((-2410.0..-2390.0).contains(&offset), "{offset}");
    assert!(text.contains("40 min behind this machine's"), "{text}");
    let checked = handler.run(&["check"]).await;
    assert!(
        checked.output.contains("40 min behind this machine's"),
        "{}",
        checked.output
    );

    // What the vendor records afterwards lies far before this machine's present.
    publish(&pingone, 2, 41, 21);
    pingone.set_date(DateHeader::Offset(-minutes(20)));
    handler.poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));

    publish(&pingone, 3, 21, 1);
    pingone.set_date(DateHeader::Offset(minutes(0)));
    let said = handler.poll_well().await;
    assert!(!said.contains("this machine's"), "{said}");
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    let (json, text) = status(&handler).await;
    assert_eq!(stream_of(&json)["clock_offset_seconds"], Value::Null);
    assert!(!text.contains("this machine's"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_of_any_polled_vendor_while_this_clock_is_far_ahead() {
    let console = SentinelOne::start(console_options());
    let onelogin_options = simulator::onelogin_api::AccountOptions::default();
    let onelogin = OneLoginApi::start(onelogin_options.clone());
    let mut handler = Handler::with_sentinelone(&console, &Stream::ALL.map(name).join(","));
    handler
        .set("ONELOGIN__URL", &onelogin.origin())
        .set("ONELOGIN__CLIENT_ID", &onelogin_options.client_id)
        .set("ONELOGIN__CLIENT_SECRET", &onelogin_options.client_secret);
    let mut estate = Estate::new(4);
    let mut events = ApiEvents::new(4, 4711);
    for (oldest, newest, behind) in [(55, 41, 40), (41, 21, 20), (21, 1, 0)] {
        for stream in Stream::ALL {
            estate.publish(&console, stream, times_ago(oldest, newest));
        }
        onelogin.publish_events(times_ago(oldest, newest).map(|at| events.at(at)).collect::<Vec<_>>());
        console.set_date(DateHeader::Offset(-minutes(behind)));
        onelogin.set_date(DateHeader::Offset(-minutes(behind)));
        handler.poll_well().await;
    }
    assert_each_current_version_once(&console, &handler);
    assert_eq!(handler.rows("OneLoginEventsV2_CL").len(), 108);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_ahead_and_one_whose_date_is_no_date_change_nothing() {
    for (date, word) in [
        (
            DateHeader::Offset(minutes(90)),
            Some("1 h 30 min ahead of this machine's"),
        ),
        (DateHeader::Text("the day after tomorrow".to_owned()), None),
        (
            DateHeader::Text("Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
            Some("is not believed"),
        ),
    ] {
        let pingone = PingOne::start(options());
        publish(&pingone, 5, 50, 1);
        pingone.set_date(date);
        let handler = Handler::with_pingone(&pingone);
        handler.poll_well().await;
        assert_each_once(&pingone, &handler.ids(ACTIVITIES));
        let (_, text) = status(&handler).await;
        assert_eq!(text.contains("this machine's"), word.is_some(), "{text}");
        assert!(text.contains(word.unwrap_or_default()), "{text}");
    }
}

/// As an older version left it whose clock was two hours ahead for half an hour.
async fn with_a_position_in_the_future(pingone: &PingOne, newest_known: bool) -> Handler {
    publish(pingone, 6, 55, 35);
    let handler = Handler::with_pingone(pingone);
    handler.poll_well().await;
    publish(pingone, 7, 35, 1);
    let mut checkpoint = checkpoint(&handler);
    let position = &mut checkpoint["tables"][ACTIVITIES];
    let future = (now() + minutes(90)).to_rfc3339();
    position["watermark"] = future.clone().into();
    position["reread_from"] = (now() + minutes(80)).to_rfc3339().into();
    position["coverage"][0]["to"] = future.into();
    if !newest_known {
        position.as_object_mut().unwrap().remove("newest_event");
    }
    put_back(&handler, &checkpoint);
    handler
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_clock_in_the_future_took_as_read_is_read_again() {
    for newest_known in [true, false] {
        let pingone = PingOne::start(options());
        let handler = with_a_position_in_the_future(&pingone, newest_known).await;
        let said = handler.poll_well().await;
        assert!(
            said.contains("lies in the future") && said.contains("may arrive twice"),
            "{said}"
        );
        let delivered: std::collections::BTreeSet<_> = handler.ids(ACTIVITIES).into_iter().collect();
        assert_eq!(
            delivered.len(),
            pingone.published().len(),
            "newest known: {newest_known}"
        );
        let checkpoint = checkpoint(&handler);
        let spans = checkpoint["tables"][ACTIVITIES]["coverage"].as_array().unwrap();
        let end: DateTime<Utc> = spans.last().unwrap()["to"].as_str().unwrap().parse().unwrap();
        assert!(end <= now(), "{spans:?}");
        let said = handler.poll_well().await;
        assert!(!said.contains("lies in the future"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_beyond_the_vendors_clock_is_noticed_while_this_clock_is_still_wrong() {
    let pingone = PingOne::start(options());
    publish(&pingone, 8, 55, 40);
    let handler = Handler::with_pingone(&pingone);
    // As a version did that did not look at the vendor's clock: all is read up to our present.
    handler.poll_well().await;
    publish(&pingone, 9, 40, 20);
    pingone.set_date(DateHeader::Offset(-minutes(20)));
    let said = handler.poll_well().await;
    assert!(said.contains("lies in the future"), "{said}");
    publish(&pingone, 10, 20, 6);
    pingone.set_date(DateHeader::Offset(-minutes(5)));
    handler.poll_well().await;
    let delivered: std::collections::BTreeSet<_> = handler.ids(ACTIVITIES).into_iter().collect();
    assert_eq!(delivered.len(), pingone.published().len());
}
