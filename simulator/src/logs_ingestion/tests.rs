use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Response;
use serde_json::json;

use super::*;
use crate::client::plain_client;

const TABLE: &str = "PingOne_AuditActivities_CL";

struct Service {
    identity: Arc<ManagedIdentity>,
    ingestion: LogsIngestion,
    token: String,
}

/// A call in the making; what is not changed is right.
struct Sent {
    path: String,
    query: &'static str,
    content_type: &'static str,
    encoding: Option<&'static str>,
    token: Option<String>,
    body: Vec<u8>,
}

async fn token(identity: &ManagedIdentity, audience: &str) -> String {
    let query = format!("api-version=2019-08-01&resource={audience}");
    let answer = plain_client()
        .get(format!("{}?{query}", identity.endpoint()))
        .header("X-IDENTITY-HEADER", identity.header())
        .send()
        .await
        .expect("the identity endpoint answers");
    let body = json_of(answer).await;
    body["access_token"].as_str().expect("a token").to_owned()
}

async fn json_of(answer: Response) -> Value {
    let text = answer.text().await.expect("the body can be read");
    serde_json::from_str(&text).expect("the body is JSON")
}

async fn service() -> Service {
    let identity = Arc::new(ManagedIdentity::start());
    let rules = vec![Rule::numbered(1, &[TABLE]), Rule::numbered(2, &["OneLogin_CL"])];
    let ingestion = LogsIngestion::start(Arc::clone(&identity), rules);
    let token = token(&identity, AUDIENCE).await;
    Service {
        identity,
        ingestion,
        token,
    }
}

fn row(id: &str) -> Value {
    json!({"TimeGenerated": "2026-11-20T10:15:30.123Z", "Id": id})
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

impl Service {
    fn call(&self, body: &str) -> Sent {
        Sent {
            path: format!(
                "/dataCollectionRules/{}/streams/Custom-{TABLE}",
                Rule::numbered(1, &[]).rule_id
            ),
            query: "api-version=2023-01-01",
            content_type: "application/json",
            encoding: Some("gzip"),
            token: Some(self.token.clone()),
            body: gzip(body.as_bytes()),
        }
    }

    async fn try_send(&self, sent: Sent) -> reqwest::Result<Response> {
        let url = format!("{}{}?{}", self.ingestion.origin(), sent.path, sent.query);
        let mut request = plain_client()
            .post(url)
            .header("Content-Type", sent.content_type)
            .body(sent.body);
        if let Some(encoding) = sent.encoding {
            request = request.header("Content-Encoding", encoding);
        }
        if let Some(token) = sent.token {
            request = request.bearer_auth(token);
        }
        request.send().await
    }

    /// The status and `error.code` of the answer.
    async fn send(&self, sent: Sent) -> (u16, String) {
        let answer = self.try_send(sent).await.expect("the service answers");
        assert!(answer.headers().contains_key("x-ms-request-id"));
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("the body can be read");
        if text.is_empty() {
            return (status, String::new());
        }
        let body: Value = serde_json::from_str(&text).expect("an error is JSON");
        let code = body["error"]["code"].as_str().expect("an error has a code");
        (status, code.to_owned())
    }
}

#[tokio::test]
async fn good_rows_are_taken_with_an_empty_204() {
    let service = service().await;
    let body = json!([row("a"), row("b")]).to_string();

    let answer = service.send(service.call(&body)).await;

    assert_eq!(answer, (204, String::new()));
    assert_eq!(service.ingestion.rows(TABLE), [row("a"), row("b")]);
    let call = &service.ingestion.calls()[0];
    assert_eq!((call.status, call.rows), (204, 2));
    assert_eq!(call.uncompressed_bytes, body.len());
    assert_eq!(service.ingestion.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn what_an_older_rule_does_not_declare_is_dropped_without_a_word() {
    let service = service().await;
    let rule = Rule::numbered(1, &[]).rule_id;
    service.ingestion.declare_no_added_columns(&rule);
    let mut sent = row("a");
    sent["AdditionalFields"] = json!({"new": 1});
    sent["ConnectorInstance"] = "default".into();

    let answer = service.send(service.call(&json!([sent]).to_string())).await;

    assert_eq!(answer, (204, String::new()));
    assert_eq!(service.ingestion.rows(TABLE), [row("a")]);
    assert_eq!(service.ingestion.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn path_and_query_are_exact() {
    let service = service().await;
    let rule = Rule::numbered(1, &[]).rule_id;
    for path in [
        "/".to_owned(),
        format!("/dataCollectionRules/{rule}/streams/{TABLE}"),
        format!("/datacollectionrules/{rule}/streams/Custom-{TABLE}"),
        format!("/dataCollectionRules/{rule}/streams/Custom-{TABLE}/"),
    ] {
        let sent = Sent {
            path,
            ..service.call("[]")
        };
        assert_eq!(service.send(sent).await.0, 404);
    }
    for query in ["", "api-version=2021-11-01", "api-version=2023-01-01&x=1"] {
        let sent = Sent {
            query,
            ..service.call("[]")
        };
        assert_eq!(service.send(sent).await.0, 400);
    }
    assert_eq!(service.ingestion.violations().len(), 7);
}

#[tokio::test]
async fn the_token_must_be_valid_for_the_audience() {
    let service = service().await;
    let other_audience = token(&service.identity, "https://vault.azure.net").await;
    for token in [None, Some("forged".to_owned()), Some(other_audience)] {
        let sent = Sent {
            token,
            ..service.call(&json!([row("a")]).to_string())
        };
        assert_eq!(service.send(sent).await, (401, "InvalidToken".to_owned()));
    }
    assert!(service.ingestion.rows(TABLE).is_empty());
}

#[tokio::test]
async fn an_unknown_rule_is_404_a_denied_one_403_a_wrong_stream_400() {
    let service = service().await;
    let path = |number: u32| {
        let rule = Rule::numbered(number, &[]).rule_id;
        format!("/dataCollectionRules/{rule}/streams/Custom-{TABLE}")
    };
    let call = |number: u32| Sent {
        path: path(number),
        ..service.call(&json!([row("a")]).to_string())
    };

    assert_eq!(service.send(call(9)).await, (404, "NotFound".to_owned()));
    assert_eq!(service.send(call(2)).await, (400, "InvalidStream".to_owned()));
    service.ingestion.set_access(&Rule::numbered(1, &[]).rule_id, false);
    assert_eq!(service.send(call(1)).await, (403, "OperationFailed".to_owned()));
    service.ingestion.set_access(&Rule::numbered(1, &[]).rule_id, true);
    assert_eq!(service.send(call(1)).await.0, 204);
}

#[tokio::test]
async fn a_plain_body_is_taken_and_kept_as_a_violation() {
    let service = service().await;
    let sent = Sent {
        encoding: None,
        body: json!([row("a")]).to_string().into_bytes(),
        ..service.call("")
    };

    assert_eq!(service.send(sent).await.0, 204);
    assert_eq!(service.ingestion.violations(), ["a body was sent without gzip"]);
}

#[tokio::test]
async fn a_body_of_the_wrong_form_is_refused() {
    let service = service().await;
    let good = json!([row("a")]).to_string();
    let wrong_type = Sent {
        content_type: "text/plain",
        ..service.call(&good)
    };
    let wrong_encoding = Sent {
        encoding: Some("br"),
        ..service.call(&good)
    };
    let no_gzip = Sent {
        body: good.clone().into_bytes(),
        ..service.call("")
    };
    let mut statuses = Vec::new();
    for sent in [
        wrong_type,
        wrong_encoding,
        no_gzip,
        service.call(&row("a").to_string()),
        service.call("[{\"TimeGenerated\""),
        service.call("[1]"),
    ] {
        statuses.push(service.send(sent).await.0);
    }
    assert_eq!(statuses, [415, 400, 400, 400, 400, 400]);
    assert_eq!(service.ingestion.violations().len(), 6);
    assert!(service.ingestion.rows(TABLE).is_empty());
}

#[tokio::test]
async fn a_row_that_fits_no_column_is_a_violation() {
    let service = service().await;
    let rows = json!([{"TimeGenerated": "2026-11-20T10:15:30Z", "Other": 1}, {"Id": "x"}]);

    assert_eq!(service.send(service.call(&rows.to_string())).await.0, 204);
    assert_eq!(service.ingestion.violations().len(), 2);
}

#[tokio::test]
async fn bodies_over_the_limits_are_413_or_a_violation() {
    let service = service().await;
    let filled = |bytes: usize| {
        let empty = json!([row("")]).to_string().len();
        json!([row(&"x".repeat(bytes - empty))]).to_string()
    };

    assert_eq!(service.send(service.call(&filled(LARGEST_BODY_BYTES + 1))).await.0, 413);
    assert_eq!(
        service.send(service.call(&filled(LARGEST_EXPECTED_BYTES + 1))).await.0,
        204
    );
    let violations = service.ingestion.violations().join("\n");
    assert_eq!(violations.matches("more than 1000000").count(), 2);
    // Text of digits that repeat nowhere would be needed to pass the limit on the wire; a plain body does.
    let plain = Sent {
        encoding: None,
        body: filled(LARGEST_BODY_BYTES + 1).into_bytes(),
        ..service.call("")
    };
    let refusal = service.send(plain).await;
    assert_eq!(refusal, (413, "ContentLengthLimitExceeded".to_owned()));
    service.ingestion.set_largest_body(100);
    assert_eq!(service.send(service.call(&filled(101))).await.0, 413);
}

#[tokio::test]
async fn a_call_with_a_refused_row_is_refused_entire() {
    let service = service().await;
    service.ingestion.refuse_rows_with("poison");
    let rows = json!([row("a"), row("poison")]).to_string();

    assert_eq!(service.send(service.call(&rows)).await.0, 400);
    assert_eq!(service.send(service.call(&json!([row("a")]).to_string())).await.0, 204);
    assert_eq!(service.ingestion.rows(TABLE).len(), 1);
}

#[tokio::test]
async fn faults_come_one_per_call_in_order() {
    let service = service().await;
    let body = json!([row("a")]).to_string();
    service.ingestion.fail_next([
        IngestionFault::Status {
            status: 429,
            retry_after: Some(3),
            code: "TooManyRequests",
        },
        IngestionFault::ResetBeforeReading,
        IngestionFault::AcceptThenReset,
        IngestionFault::Delay(Duration::from_millis(1)),
        IngestionFault::RefuseToken,
    ]);

    let limited = service.try_send(service.call(&body)).await.expect("an answer");
    assert_eq!(limited.headers()["Retry-After"], "3");
    assert_eq!(json_of(limited).await["error"]["code"], "TooManyRequests");
    assert!(service.try_send(service.call(&body)).await.is_err());
    assert!(service.ingestion.rows(TABLE).is_empty());
    assert!(service.try_send(service.call(&body)).await.is_err());
    assert_eq!(service.ingestion.rows(TABLE).len(), 1);
    assert_eq!(service.send(service.call(&body)).await.0, 204);
    assert_eq!(service.send(service.call(&body)).await.0, 401);
    assert_eq!(service.send(service.call(&body)).await.0, 401);

    let calls = service.ingestion.calls();
    let seen: Vec<(u16, usize)> = calls.iter().map(|call| (call.status, call.rows)).collect();
    assert_eq!(seen, [(429, 0), (0, 0), (0, 1), (204, 1), (401, 0), (401, 0)]);
    assert_eq!(service.ingestion.waiting_faults(), 0);
}

#[test]
#[should_panic(expected = "is no rule id")]
fn a_rule_id_of_another_form_stops_the_test() {
    let rule = Rule {
        rule_id: "dcr-1".to_owned(),
        tables: Vec::new(),
    };
    LogsIngestion::start(Arc::new(ManagedIdentity::start()), vec![rule]);
}
