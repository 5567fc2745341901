//! Told to stop, the handler ends what it does and exits with 0.

use std::time::Duration;

use simulator::logs_ingestion;
use simulator::pingone::{EnvironmentOptions, Fault, PingOne};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use crate::harness::*;
use crate::ingestion::Azure;

async fn terminate(child: &Child) {
    let pid = child.id().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .await
            .unwrap()
            .success()
    );
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_after_the_run_in_which_it_was_told_to() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(110, 30, 30));
    pingone.fail_next([Fault::Delay(Duration::from_secs(2))]);
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("POLL_SCHEDULE", "* * * * * *");
    let mut child = handler.command(&["poll", "--watch"]).spawn().unwrap();
    until("the run asks for a page", || pingone.waiting_faults() == 0).await;
    terminate(&child).await;
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_exits_with_0() {
    let handler = Handler::with_onelogin();
    let port = free_port();
    let mut child = handler
        .command(&["serve", "--port", &port.to_string()])
        .spawn()
        .unwrap();
    until("it listens", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await;
    terminate(&child).await;
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}

/// Ten seconds are what the system gives a process that is told to end.
async fn ends_in_time(mut child: Child) -> String {
    terminate(&child).await;
    let output = async {
        let code = child.wait().await.unwrap().code();
        let mut text = String::new();
        for stream in [
            child
                .stdout
                .take()
                .map(|stream| Box::new(stream) as Box<dyn AsyncRead + Unpin>),
            child
                .stderr
                .take()
                .map(|stream| Box::new(stream) as Box<dyn AsyncRead + Unpin>),
        ] {
            stream.unwrap().read_to_string(&mut text).await.unwrap();
        }
        assert_eq!(code, Some(0), "{text}");
        text
    };
    tokio::time::timeout(Duration::from_secs(10), output)
        .await
        .unwrap_or_else(|_| panic!("it did not end in time"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_is_told_to_end_saves_what_it_has_and_the_next_one_goes_on_from_there() {
    let pingone = PingOne::start(EnvironmentOptions {
        largest_limit: 100,
        ..options()
    });
    pingone.publish(activities(111, 1500, 40));
    let handler = Handler::with_pingone(&pingone);
    // The tenth page would take a minute: nobody waits for it.
    pingone.fail_next(std::iter::repeat_n(Fault::Delay(Duration::ZERO), 9));
    pingone.fail_next([Fault::Delay(Duration::from_secs(60))]);
    let child = handler.command(&["poll"]).spawn().unwrap();
    until("the slow page is asked for", || pingone.waiting_faults() == 0).await;
    let text = ends_in_time(child).await;
    assert!(text.contains("the process is ending"), "{text}");
    assert!(!handler.ids(ACTIVITIES).is_empty(), "{text}");
    handler.poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_in_flight_when_the_server_is_told_to_end_are_answered_and_arrive_once() {
    let azure = Azure::start();
    let mut handler = Handler::with_onelogin();
    azure.configure(&mut handler);
    handler.set("PUSH_DEADLINE", "6s");
    let port = free_port();
    let child = handler
        .command(&["serve", "--port", &port.to_string()])
        .spawn()
        .unwrap();
    until("it listens", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await;
    azure
        .ingestion
        .fail_next([logs_ingestion::IngestionFault::Delay(Duration::from_secs(30))]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let event = serde_json::json!([{"event_timestamp": "2026-11-20 10:15:30 UTC", "event_type_id": 5, "user_id": 1}]);
    let push = client
        .post(format!("http://127.0.0.1:{port}/api/push/onelogin"))
        .bearer_auth(PUSH_TOKEN)
        .body(event.to_string())
        .send();
    let pushing = tokio::spawn(push);
    until("the rows are on their way", || azure.ingestion.waiting_faults() == 0).await;
    ends_in_time(child).await;
    assert_eq!(pushing.await.unwrap().unwrap().status(), 200);
    // The service had taken the rows and its answer was never heard: they may come once more, and no more than once.
    handler.run(&["replay", "--spool"]).await;
    let rows = azure.ingestion.rows(ONELOGIN).len();
    assert!((1..=2).contains(&rows), "{rows}");
    assert_eq!(files_below(&handler.path("data/state/spool")).len(), 0);
}
