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

    let queries = GUIDE
        .split("```kusto")
        .skip(1)
        .filter_map(|text| text.split("```").next());
    let queries: Vec<&str> = queries.filter(|query| query.contains("AppTraces")).collect();
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
