//! The queries of docs/deploy.md over the handler's lines, against lines that the executable wrote.

use serde_json::{Map, Value, json};
use simulator::functions_host::Mode;
use simulator::pingone::PingOne;

use crate::harness::*;

const GUIDE: &str = include_str!("../../../docs/deploy.md");

/// A row of AppTraces, as the host makes one of a line: it knows the stream that the line came on, and "warn" in it.
struct Trace {
    severity_level: u8,
    message: String,
}

impl Trace {
    fn of_stdout(message: String) -> Self {
        Self {
            severity_level: 1,
            message,
        }
    }

    fn of_stderr(message: String) -> Self {
        let is_warning = message.to_ascii_lowercase().contains("warn");
        Self {
            severity_level: if is_warning { 2 } else { 3 },
            message,
        }
    }

    fn line(&self) -> Map<String, Value> {
        serde_json::from_str(&self.message).unwrap()
    }
}

/// What a query takes out of the line: `Line.<member>`.
fn members_of(query: &str) -> Vec<&str> {
    let texts = query.split("Line.").skip(1);
    texts
        .map(|text| {
            let end = text.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
            &text[..end.unwrap_or(text.len())]
        })
        .collect()
}

fn queries_over(table: &str) -> Vec<&'static str> {
    let texts = GUIDE.split("```kusto").skip(1);
    let queries = texts.filter_map(|text| text.split("```").next());
    queries.filter(|query| query.contains(table)).collect()
}

/// What Kusto's `extract(pattern, 1, text)` gives for a pattern of literal text around one `(.*)`.
fn extracted(pattern: &str, text: &str) -> Option<String> {
    let (before, after) = pattern.split_once("(.*)")?;
    let [before, after] = [before, after].map(|literal| literal.replace('\\', ""));
    let (_, rest) = text.split_once(&before)?;
    rest.rsplit_once(&after).map(|(found, _)| found.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_query_over_exceptions_finds_the_first_reason_of_a_failed_run() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("PINGONE__CLIENT_SECRET", "a-secret-that-was-replaced");
    let host = handler.host(Mode::Proxy).await;
    // The host throws this for the answer, and wraps it for the invocation: it is the innermost exception of the row.
    let innermost_message = host.timer().await.unwrap_err().to_string();
    host.kill().await;

    let queries = queries_over("AppExceptions");
    let [query] = queries[..] else {
        panic!("{queries:?}");
    };
    assert!(query.contains(r#"OperationName == "function-timer""#), "{query}");
    let (_, arguments) = query.split_once("extract(@\"").unwrap();
    let (pattern, rest) = arguments.split_once("\", 1, ").unwrap();
    // One column: were the same text in two of them, `.*` would reach from the first into the second.
    assert!(rest.starts_with("InnermostMessage)"), "{query}");
    assert_eq!(
        extracted(pattern, &innermost_message).as_deref(),
        Some("pingone/default/activities: credentials_rejected (401): renew PINGONE__CLIENT_SECRET"),
        "{innermost_message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queries_of_the_guide_find_warnings_and_errors_with_their_members() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler
        .set("PINGONE__CLIENT_SECRET", "a-secret-that-was-replaced")
        // A name that this version does not know.
        .set("PINGONE__FUTURE_OPTION", "x");
    let host = handler.host(Mode::Proxy).await;
    host.timer().await.unwrap_err();
    let output = host.kill().await;
    let informed = output.stdout.into_iter().map(Trace::of_stdout);
    let traces: Vec<Trace> = informed
        .chain(output.stderr.into_iter().map(Trace::of_stderr))
        .collect();
    // What the queries select by is what the lines say of themselves.
    for trace in &traces {
        let expected = match trace.severity_level {
            1 => "info",
            2 => "warn",
            _ => "error",
        };
        assert_eq!(trace.line()["level"], json!(expected), "{}", trace.message);
    }
    let found: Vec<_> = traces.iter().filter(|trace| trace.severity_level >= 2).collect();
    assert!(found.iter().any(|trace| trace.severity_level == 2));
    let failed = found
        .iter()
        .find(|trace| trace.severity_level == 3)
        .expect("the failed stream is an error");

    let queries = queries_over("AppTraces");
    assert!(!queries.is_empty());
    for query in queries {
        assert!(
            query.contains("SeverityLevel >= 2") && query.contains("Line = parse_json(Message)"),
            "{query}"
        );
        let members = members_of(query);
        assert!(members.contains(&"level") && members.contains(&"message"), "{query}");
        for member in members {
            assert!(failed.line().contains_key(member), "{member} of: {}", failed.message);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_of_a_refused_push_carries_its_invocation_however_it_came() {
    let handler = Handler::with_onelogin();
    for mode in [Mode::Proxy, Mode::Forward, Mode::Envelope] {
        let host = handler.host(mode).await;
        let answer = host
            .http("POST", "/api/push/onelogin", &[], b"[]".to_vec())
            .await
            .unwrap();
        assert_eq!(answer.status, 401);
        let refused: Vec<Value> = host
            .kill()
            .await
            .stderr
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert!(refused[0]["invocation_id"].is_string(), "{mode:?}: {}", refused[0]);
    }
}
