//! The streams against answers that the simulated API never gives, and what stands in their headers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::tests::streams_with;
use crate::sources::{PolledStream, SourceError, Window, WindowedStream};
use crate::time::Deadline;

const SECRET: &str = "s3cret-of-the-credential";
const TOKEN: &str = "t0ken-of-the-account";

/// Answers connections one after the other with a status and a body, and keeps what was asked. The last answer
/// stands for all that follow.
struct Script {
    origin: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Script {
    async fn start(answers: Vec<(u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = requests.clone();
        tokio::spawn(async move {
            let mut answers = VecDeque::from(answers);
            while let Ok((mut connection, _)) = listener.accept().await {
                let request = read_request(&mut connection).await;
                seen.lock().push(request);
                let (status, body) = answers.front().cloned().unwrap_or_default();
                if answers.len() > 1 {
                    answers.pop_front();
                }
                let length = body.len();
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                let _ = connection.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        Self { origin, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().clone()
    }

    async fn read_events(&self) -> Result<Vec<String>, String> {
        let (stream, _) = streams_with(&self.origin, "an-id", SECRET);
        let mut pages = stream.open(Window {
            from: "2026-11-20T10:00:00Z".parse().unwrap(),
            to: "2026-11-20T11:00:00Z".parse().unwrap(),
        });
        let deadline = Deadline::after(Duration::from_secs(30));
        let mut events = Vec::new();
        let text_of = |error: SourceError| error.of(stream.name()).to_string();
        while let Some(page) = pages.next(deadline).await.map_err(text_of)? {
            events.extend(page.events().map(str::to_owned));
        }
        Ok(events)
    }
}

async fn read_request(connection: &mut TcpStream) -> String {
    let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase().lines().find_map(|line| {
                let length = line.strip_prefix("content-length: ")?;
                length.parse::<usize>().ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match connection.read(&mut chunk).await {
            Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
            _ => return text,
        }
    }
}

fn token(expires_in: &str) -> (u16, String) {
    let body = format!(r#"{{"access_token":"{TOKEN}","token_type":"bearer","expires_in":{expires_in}}}"#);
    (200, body)
}

fn page(events: &str, cursor: &str) -> (u16, String) {
    let body = format!(
        r#"{{"status":{{"error":false,"code":200}},"pagination":{{"after_cursor":{cursor}}},"data":{events}}}"#
    );
    (200, body)
}

#[tokio::test]
async fn the_credential_and_the_token_go_into_their_headers_and_nowhere_else() {
    let script = Script::start(vec![
        token("36000"),
        page(r#"[{"id":1}]"#, "\"a+b==\""),
        page("null", "null"),
    ])
    .await;
    assert_eq!(script.read_events().await.unwrap(), [r#"{"id":1}"#]);

    let requests = script.requests();
    let line = |number: usize| requests[number].lines().next().unwrap_or_default();
    assert_eq!(requests.len(), 3);
    assert_eq!(line(0), "POST /auth/oauth2/v2/token HTTP/1.1");
    let credential = format!("authorization: client_id:an-id, client_secret:{SECRET}\r\n");
    assert!(requests[0].contains(&credential), "{}", requests[0]);
    assert!(requests[0].contains("content-type: application/json\r\n"));
    assert!(requests[0].ends_with(r#"{"grant_type":"client_credentials"}"#));
    for request in &requests[1..] {
        assert!(
            request.starts_with("GET /api/1/events?limit=1000&sort=%2Bid&since="),
            "{request}"
        );
        assert!(
            request.contains(&format!("authorization: bearer:{TOKEN}\r\n")),
            "{request}"
        );
        assert_eq!(request.matches(TOKEN).count(), 1, "{request}");
        assert!(!request.contains(SECRET), "{request}");
    }
    assert!(line(2).contains("&after_cursor=a%2Bb%3D%3D "), "{}", line(2));
}

#[tokio::test]
async fn a_token_that_is_about_to_end_is_renewed_before_the_next_page() {
    let script = Script::start(vec![
        token("\"59\""),
        page("[]", "\"a\""),
        token("36000"),
        page("[]", "\"b\""),
        page("[]", "null"),
    ])
    .await;
    assert!(script.read_events().await.unwrap().is_empty());
    assert_eq!(script.requests().len(), 5);
}

#[tokio::test]
async fn the_other_form_of_the_header_is_tried_once() {
    let unauthorized = || {
        (
            401,
            r#"{"status":{"error":true,"code":401,"type":"Unauthorized"}}"#.to_owned(),
        )
    };
    let script = Script::start(vec![unauthorized()]).await;
    let error = script.read_events().await.unwrap_err();
    assert!(error.contains("401") && !error.contains(SECRET), "{error}");
    let requests = script.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[1].contains("authorization: Basic "), "{}", requests[1]);
}

#[tokio::test]
async fn a_page_that_leads_back_is_given_out_and_ends_the_walk() {
    for circle in [&["\"a\"", "\"a\""][..], &["\"a\"", "\"b\"", "\"a\""]] {
        let mut answers = vec![token("36000")];
        answers.extend(circle.iter().map(|cursor| page(r#"[{"id":1}]"#, cursor)));
        let script = Script::start(answers).await;
        assert_eq!(script.read_events().await.unwrap().len(), circle.len());
        assert_eq!(script.requests().len(), circle.len() + 1);
    }
}

#[tokio::test]
async fn where_a_cursor_is_refused_beside_other_arguments_it_is_asked_for_alone_from_then_on() {
    let refused = || {
        let body = r#"{"status":400,"error":"BadRequestError","description":"a cursor or arguments, not both"}"#;
        (400, body.to_owned())
    };
    let script = Script::start(vec![
        token("36000"),
        page(r#"[{"id":1}]"#, "\"a\""),
        refused(),
        page(r#"[{"id":2}]"#, "\"b+=\""),
        page(r#"[{"id":3}]"#, "null"),
    ])
    .await;
    let events = script.read_events().await.unwrap();
    assert_eq!(events, [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#]);
    let requests = script.requests();
    let line = |number: usize| requests[number].lines().next().unwrap_or_default();
    assert!(
        line(2).contains("limit=") && line(2).contains("after_cursor=a"),
        "{}",
        line(2)
    );
    assert_eq!(line(3), "GET /api/1/events?after_cursor=a HTTP/1.1");
    assert_eq!(line(4), "GET /api/1/events?after_cursor=b%2B%3D HTTP/1.1");
}

#[tokio::test]
async fn a_page_with_an_error_beside_its_events_gives_them_out_and_fails() {
    let partial = r#"{"status":{"error":true,"code":500,"type":"server-error"},"data":[{"id":1}],"pagination":{"after_cursor":null}}"#;
    let script = Script::start(vec![token("36000"), (200, partial.to_owned())]).await;
    let error = script.read_events().await.unwrap_err();
    assert!(error.contains("server-error"), "{error}");
    let whole = page(r#"[{"id":1},{"id":2}]"#, "null");
    let script = Script::start(vec![token("36000"), (200, partial.to_owned()), whole]).await;
    assert_eq!(script.read_events().await.unwrap().len(), 2);
}

#[tokio::test]
async fn secrets_that_come_back_in_an_answer_are_not_shown() {
    let echo = (200, format!("<html> bearer:{TOKEN} {SECRET}"));
    let script = Script::start(vec![token("36000"), echo]).await;
    let error = script.read_events().await.unwrap_err();
    assert!(error.contains("bearer:[secret] [secret]"), "{error}");

    let echo = (
        404,
        format!(r#"{{"status":{{"message":"{SECRET}","type":"{TOKEN}"}},"error":"{TOKEN}"}}"#),
    );
    let script = Script::start(vec![token("36000"), echo]).await;
    let error = script.read_events().await.unwrap_err();
    assert!(
        error.contains("404") && error.contains("ONELOGIN__ACME__URL"),
        "{error}"
    );
    assert!(!error.contains(SECRET) && !error.contains(TOKEN), "{error}");
}
