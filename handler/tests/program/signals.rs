//! Told to stop, the handler ends what it does and exits with 0.

use std::time::Duration;

use simulator::pingone::{Fault, PingOne};
use tokio::process::{Child, Command};

use crate::harness::*;

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
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
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
