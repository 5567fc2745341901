//! Senders that never end their bodies.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use simulator::functions_host::{FunctionsHost, Mode};

use crate::harness::*;

const ROUTE: &str = "/api/push/onelogin";
const SENT: usize = 15 * 1024 * 1024;

/// Sends most of a body and then nothing more. The connection stays open.
fn send_half(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    // Only so that a test that fails comes to its end.
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let head = format!(
        "POST {ROUTE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        SENT + 1000
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![b' '; SENT]).unwrap();
    stream
}

fn answer(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let mut bytes = [0; 4096];
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut bytes).unwrap();
        assert!(read > 0, "no answer");
        answer.extend_from_slice(&bytes[..read]);
    }
    String::from_utf8(answer).unwrap().to_ascii_lowercase()
}

async fn push(host: &FunctionsHost, body: String) -> u16 {
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    host.http("POST", ROUTE, &headers, body.into_bytes())
        .await
        .unwrap()
        .status
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_never_ended_are_answered_and_keep_neither_pushes_nor_ticks_waiting() {
    let handler = Handler::with_onelogin();
    let host = handler.host(Mode::Proxy).await;
    let port = host.port();
    let senders: Vec<_> = (0..8)
        .map(|_| tokio::task::spawn_blocking(move || send_half(port)))
        .collect();
    let mut held = Vec::new();
    for sender in senders {
        held.push(sender.await.unwrap());
    }
    assert_eq!(push(&host, "[{\"user_id\":1}]".to_owned()).await, 200);
    assert_eq!(
        push(&host, format!("[{{\"notes\":\"{}\"}}]", "x".repeat(200_000))).await,
        200
    );
    host.timer().await.unwrap();

    // All of them together are more than what may be received at once.
    let answers = tokio::task::spawn_blocking(|| held.into_iter().map(answer).collect::<Vec<_>>());
    let answers = answers.await.unwrap();
    let has = |answer: &String, status: &str| answer.starts_with(&format!("http/1.1 {status} "));
    assert!(
        answers.iter().all(|answer| has(answer, "408") || has(answer, "503")),
        "{answers:?}"
    );
    let refused: Vec<_> = answers.iter().filter(|answer| has(answer, "503")).collect();
    assert!(
        !refused.is_empty() && refused.iter().all(|answer| answer.contains("retry-after:")),
        "{answers:?}"
    );
    // What they held is given back.
    assert_eq!(push(&host, format!("[{{}}{}]", " ".repeat(SENT))).await, 200);
}
