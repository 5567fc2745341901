//! The streams over a real connection, against a console that answers by a script.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::settings::SentinelOne;
use crate::app::settings::testing::loaded;
use crate::config::Environment;
use crate::http::HttpClient;
use crate::sources::{SourceError, Window, WindowedStream};
use crate::time::{Clock, Deadline, SystemClock};
use crate::vendors::{BuildContext, StreamEvents, VendorConfig};

const TOKEN: &str = "t0p-s3cret-token";
const LAST_PAGE: &str = r#"{"data":[{"id":"2"}],"pagination":{"nextCursor":null}}"#;

/// Answers connections one after the other; `requests` are the heads and bodies that came.
struct ScriptedConsole {
    origin: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl ScriptedConsole {
    /// Each answer is a status, header lines and a body. The last one stands for all that follow.
    async fn start(answers: Vec<(u16, &'static str, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = requests.clone();
        tokio::spawn(async move {
            let mut answers = VecDeque::from(answers);
            while let Ok((mut connection, _)) = listener.accept().await {
                let request = read_request(&mut connection).await;
                seen.lock().push(request);
                let (status, headers, body) = answers.front().cloned().unwrap_or_default();
                if answers.len() > 1 {
                    answers.pop_front();
                }
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n");
                let _ = connection.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        Self { origin, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().clone()
    }

    fn streams(&self, names: &str) -> Vec<(Arc<dyn WindowedStream>, &'static str)> {
        streams_of(&self.origin, names)
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

fn streams_of(origin: &str, names: &str) -> Vec<(Arc<dyn WindowedStream>, &'static str)> {
    let settings = loaded([
        ("SENTINELONE__ACME__URL", origin),
        ("SENTINELONE__ACME__API_TOKEN", TOKEN),
        ("SENTINELONE__ACME__STREAMS", names),
    ]);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let built = settings.of::<SentinelOne>()[0].build(&BuildContext {
        instance: "acme",
        http: &HttpClient::new(&Environment::default()).unwrap(),
        clock: &clock,
    });
    let streams = built.streams.into_iter().map(|stream| match stream.events {
        StreamEvents::Windowed(events) => (events, stream.tables[0]),
        _ => panic!("every stream is asked for by windows"),
    });
    streams.collect()
}

fn ok(body: &str) -> (u16, &'static str, String) {
    (200, "", body.to_owned())
}

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(30))
}

fn window() -> Window {
    Window {
        from: "2026-11-20T10:00:00Z".parse().unwrap(),
        to: "2026-11-20T11:00:00Z".parse().unwrap(),
    }
}

/// The events of a window, or the text of the error.
async fn read(stream: &dyn WindowedStream) -> Result<Vec<String>, String> {
    let mut pages = stream.open(window());
    let mut events = Vec::new();
    let text_of = |error: SourceError| error.of(stream.name()).to_string();
    while let Some(page) = pages.next(deadline()).await.map_err(text_of)? {
        events.extend(page.events().map(str::to_owned));
    }
    Ok(events)
}

#[test]
fn every_stream_has_its_name_its_table_and_the_account_without_the_token() {
    let all = "activities,agents,alerts,groups,threats,unified-alerts";
    let streams = streams_of("https://example.sentinelone.net", all);
    let names: Vec<_> = streams
        .iter()
        .map(|(stream, table)| (stream.name().to_string(), *table))
        .collect();
    let expected = [
        ("activities", "SentinelOneActivities_CL"),
        ("agents", "SentinelOneAgents_CL"),
        ("alerts", "SentinelOneAlerts_CL"),
        ("groups", "SentinelOneGroups_CL"),
        ("threats", "SentinelOneThreats_CL"),
        ("unified-alerts", "SentinelOneAlertsV2_CL"),
    ];
    let expected = expected.map(|(stream, table)| (format!("sentinelone/acme/{stream}"), table));
    assert_eq!(names, expected);
    for (stream, table) in &streams {
        assert_eq!(stream.account(), "console example.sentinelone.net");
        assert!(crate::tables::table(table).is_some(), "{table}");
        assert!(stream.notices().is_empty());
    }
}

#[tokio::test]
async fn pages_are_read_with_the_token_in_its_header_and_nowhere_else() {
    let first = r#"{"data":[{"id":"1","registrationToken":"x"}],"pagination":{"nextCursor":"YQ%3D%3D"}}"#;
    let console = ScriptedConsole::start(vec![ok(first), ok(LAST_PAGE)]).await;
    let (stream, _) = &console.streams("groups")[0];
    assert_eq!(read(&**stream).await.unwrap(), [r#"{"id":"1"}"#, r#"{"id":"2"}"#]);

    let requests = console.requests();
    for request in &requests {
        assert!(request.starts_with("GET /web/api/v2.1/groups?limit=300&"), "{request}");
        assert!(
            request.contains(&format!("authorization: ApiToken {TOKEN}\r\n")),
            "{request}"
        );
        assert_eq!(request.matches(TOKEN).count(), 1, "{request}");
    }
    assert!(
        requests[1].lines().next().unwrap().contains("&cursor=YQ%3D%3D "),
        "{}",
        requests[1]
    );
}

#[tokio::test]
async fn a_refused_token_names_the_setting_and_shows_no_secret() {
    let body = format!(r#"{{"errors":[{{"code":4010010,"title":"Authentication Failed","detail":"{TOKEN}"}}]}}"#);
    let console = ScriptedConsole::start(vec![(401, "", body)]).await;
    let (stream, _) = &console.streams("threats")[0];
    let error = read(&**stream).await.unwrap_err();
    for part in [
        "sentinelone/acme/threats",
        "401",
        "4010010 Authentication Failed",
        "SENTINELONE__ACME__API_TOKEN",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains(TOKEN), "{error}");
    assert_eq!(console.requests().len(), 1);
}

#[tokio::test]
async fn a_page_that_is_none_is_asked_for_again() {
    let html = || ok("<html>the console is being updated</html>");
    let torn = ok(r#"{"data":[{"id":"2","#);
    let console = ScriptedConsole::start(vec![html(), torn, (503, "", String::new()), ok(LAST_PAGE)]).await;
    let (stream, _) = &console.streams("activities")[0];
    assert_eq!(read(&**stream).await.unwrap(), [r#"{"id":"2"}"#]);
    assert_eq!(console.requests().len(), 4);
}

#[tokio::test]
async fn a_torn_page_of_groups_is_quoted_without_the_registration_token() {
    let console = ScriptedConsole::start(vec![ok(r#"{"data":[{"registrationToken":"s3cret""#)]).await;
    let (stream, _) = &console.streams("groups")[0];
    let error = read(&**stream).await.unwrap_err();
    assert!(error.contains("200") && !error.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_pause_that_one_stream_is_asked_for_holds_the_others_too() {
    let wait = (429, "retry-after: 1\r\n", String::new());
    let console = ScriptedConsole::start(vec![wait, ok(LAST_PAGE)]).await;
    let streams = console.streams("activities,threats");
    let start = Instant::now();
    let first = read(&*streams[0].0);
    let second = async {
        while console.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let events = read(&*streams[1].0).await;
        (events, start.elapsed())
    };
    let (first, (second, elapsed)) = tokio::join!(first, second);
    assert!(first.is_ok() && second.is_ok());
    assert!(elapsed >= Duration::from_millis(990), "{elapsed:?}");
}

#[tokio::test]
async fn unified_alerts_are_cut_by_created_at_with_a_notice_where_updated_at_is_not_offered() {
    let columns = r#"{"data":{"alertColumnMetadata":[{"fieldId":"createdAt"},{"fieldId":"status"}]}}"#;
    let event = r#"{"id":"1","createdAt":"2026-11-20T10:00:00Z","updatedAt":"2026-11-20T12:00:00Z"}"#;
    let page = format!(
        r#"{{"data":{{"alerts":{{"edges":[{{"node":{event}}}],"pageInfo":{{"hasNextPage":false,"endCursor":null}}}}}}}}"#
    );
    let console = ScriptedConsole::start(vec![ok(columns), ok(&page)]).await;
    let (stream, _) = &console.streams("unified-alerts")[0];
    assert_eq!(read(&**stream).await.unwrap(), [event]);
    assert_eq!(read(&**stream).await.unwrap(), [event]);

    let requests = console.requests();
    assert_eq!(requests.len(), 3, "the columns are asked for once");
    for request in &requests {
        assert!(
            request.starts_with("POST /web/api/v2.1/unifiedalerts/graphql "),
            "{request}"
        );
    }
    assert!(requests[1].contains(r#""by":"createdAt""#), "{}", requests[1]);
    assert_eq!(stream.key_of(event).time, "2026-11-20T10:00:00Z".parse().ok());
    assert!(stream.named_notices()[0].starts_with("sentinelone/acme/unified-alerts: "));
}

#[tokio::test]
async fn unified_alerts_are_cut_by_updated_at_and_a_refused_cursor_begins_anew() {
    let columns = r#"{"data":{"alertColumnMetadata":[{"fieldId":"createdAt"},{"fieldId":"updatedAt"}]}}"#;
    let first =
        r#"{"data":{"alerts":{"edges":[{"node":{"id":"1"}}],"pageInfo":{"hasNextPage":true,"endCursor":"c"}}}}"#;
    let refused = r#"{"errors":[{"message":"bad cursor","extensions":{"classification":"BAD_REQUEST"}}]}"#;
    let last = r#"{"data":{"alerts":{"edges":[{"node":{"id":"2"}}],"pageInfo":{"hasNextPage":false}}}}"#;
    let answers = [columns, first, refused, first, last].map(ok);
    let console = ScriptedConsole::start(answers.into()).await;
    let (stream, _) = &console.streams("unified-alerts")[0];
    let events = read(&**stream).await.unwrap();
    assert_eq!(events, [r#"{"id":"1"}"#, r#"{"id":"1"}"#, r#"{"id":"2"}"#]);
    let after: Vec<_> = console
        .requests()
        .iter()
        .map(|request| request.contains(r#""after":"c""#))
        .collect();
    assert_eq!(after, [false, false, true, false, true]);
    assert!(console.requests()[1].contains(r#""by":"updatedAt""#));
    assert!(stream.notices().is_empty());
}
