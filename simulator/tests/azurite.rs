//! Azurite and the process that started it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where it stands")]

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Whether a process of this id runs; one that has ended and that nobody waits for has no command line any more.
fn runs(process: &str) -> bool {
    std::fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[tokio::test]
async fn a_process_that_is_killed_leaves_no_azurite_behind() {
    let mut holder = Command::new(env!("CARGO_BIN_EXE_azurite"))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let process = lines.next_line().await.unwrap().unwrap();
    let process = process.strip_prefix("process ").unwrap();
    let url = lines.next_line().await.unwrap().unwrap();
    let address = url.strip_prefix("STATE_URL=http://").unwrap();
    let address = address.split('/').next().unwrap();
    assert!(TcpListener::bind(address).is_err(), "nobody listens on {address}");

    holder.kill().await.unwrap();

    for _ in 0..2_000 {
        if !runs(process) && TcpListener::bind(address).is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("process {process} still runs, or listens on {address}");
}
