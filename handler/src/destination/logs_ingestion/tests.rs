//! A batch against a service that is played: which rows travel in which call, and what becomes of each.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use flate2::read::GzDecoder;
use parking_lot::Mutex;
use reqwest::header::HeaderMap;
use reqwest::{Request, StatusCode};

use super::*;
use crate::azure::{IdentityError, TokenSource};
use crate::config::{Origin, Secret};
use crate::destination::{BODY_LIMIT, BatchBuilder, CallLimits, IngestionRule};
use crate::http::{ConnectFailure, HttpClient, Reply, Script, TransportError};
use crate::time::VirtualClock;

const LIMITS: CallLimits = CallLimits {
    body: BODY_LIMIT,
    span: None,
};

/// In place of a code: the answer has nothing in its body but whitespace.
const NO_BODY: &str = "no body";

type Judge = dyn Fn(usize, &[u64]) -> Result<(u16, &'static str), TransportError> + Send + Sync;

/// Answers by what a judge says of the rows' numbers, and remembers every call.
struct Service {
    judge: Box<Judge>,
    calls: Mutex<Vec<Vec<u64>>>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Service")
    }
}

#[async_trait]
impl Script for Service {
    async fn answer(&self, request: Request) -> Result<Reply, TransportError> {
        let body = request.body().and_then(|body| body.as_bytes()).unwrap();
        let rows: Vec<serde_json::Value> = serde_json::from_reader(GzDecoder::new(body)).unwrap();
        let numbers: Vec<u64> = rows.iter().map(|row| row["n"].as_u64().unwrap()).collect();
        let call = self.calls.lock().len();
        self.calls.lock().push(numbers.clone());
        let (status, code) = (self.judge)(call, &numbers)?;
        Ok(Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::from_iter([("x-ms-request-id".parse().unwrap(), format!("r{call}").parse().unwrap())]),
            body: match code {
                NO_BODY => b" \r\n".to_vec(),
                code => format!("{{\"error\":{{\"code\":\"{code}\"}}}}").into_bytes(),
            },
        })
    }
}

#[derive(Default, Debug)]
struct Tokens {
    renewed: std::sync::atomic::AtomicUsize,
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self, _scope: &str, _deadline: Deadline) -> Result<Secret, IdentityError> {
        Ok(Secret::new("token"))
    }

    fn renew(&self) {
        self.renewed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

fn rule() -> IngestionRule {
    IngestionRule {
        endpoint: Origin::parse("https://x.ingest.monitor.azure.com").unwrap(),
        rule_id: "dcr-1".to_owned(),
        rule_setting: "LOGS_INGESTION__RULE_ID".to_owned(),
        endpoint_setting: "LOGS_INGESTION__ENDPOINT".to_owned(),
        audience: "https://monitor.azure.com".to_owned(),
    }
}

fn batch(rows: u64) -> Batch {
    let mut builder = BatchBuilder::new("T_CL".into(), LIMITS);
    for number in 0..rows {
        let time = DateTime::UNIX_EPOCH + TimeDelta::minutes(number.try_into().unwrap());
        builder.push(format!("{{\"n\":{number}}}").as_bytes(), time);
    }
    builder.take().unwrap()
}

async fn deliver(
    rows: u64,
    judge: impl Fn(usize, &[u64]) -> Result<(u16, &'static str), TransportError> + Send + Sync + 'static,
) -> (Delivery, Vec<Vec<u64>>) {
    deliver_to(StreamFit::Unknown, rows, judge).await
}

fn destination_of(service: Arc<Service>) -> LogsIngestion {
    let http = HttpClient::scripted(service);
    let clock = Arc::new(VirtualClock::at("2026-11-25T12:00:00Z"));
    LogsIngestion {
        client: RuleClient::new(rule(), http, Arc::new(Tokens::default()), clock),
        body_limit: BODY_LIMIT,
    }
}

async fn deliver_to(
    fit: StreamFit,
    rows: u64,
    judge: impl Fn(usize, &[u64]) -> Result<(u16, &'static str), TransportError> + Send + Sync + 'static,
) -> (Delivery, Vec<Vec<u64>>) {
    let service = Arc::new(Service {
        judge: Box::new(judge),
        calls: Mutex::default(),
    });
    let destination = destination_of(service.clone());
    let delivery = destination
        .deliver(&batch(rows), fit, Deadline::after(Duration::from_secs(120)))
        .await;
    let calls = service.calls.lock().clone();
    (delivery, calls)
}

fn refused_rows(delivery: &Delivery) -> Vec<usize> {
    let mut rows: Vec<usize> = delivery.refused.iter().map(|refused| refused.row).collect();
    rows.sort_unstable();
    rows
}

#[tokio::test(start_paused = true)]
async fn a_poisoned_row_is_found_alone_and_everything_else_is_delivered_once() {
    for poisoned in [&[0_u64][..], &[41], &[99], &[3, 4, 77]] {
        let (delivery, calls) = deliver(100, |_, rows| {
            let is_bad = rows.iter().any(|row| poisoned.contains(row));
            Ok(if is_bad { (400, "InvalidPayload") } else { (204, "") })
        })
        .await;
        assert!(delivery.error.is_none(), "{delivery:?}");
        let expected: Vec<usize> = poisoned.iter().map(|row| usize::try_from(*row).unwrap()).collect();
        assert_eq!(refused_rows(&delivery), expected);
        assert_eq!(delivery.accepted.len(), 100 - poisoned.len());
        assert!(delivery.open(100).is_empty());
        assert!(calls.len() < 40, "{} calls", calls.len());
        let refused = &delivery.refused[0];
        assert!(
            refused.reason.contains("400") && refused.request_id.is_some(),
            "{refused:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_too_large_is_split_until_it_fits() {
    let (delivery, calls) = deliver(100, |_, rows| Ok(if rows.len() > 30 { (413, "") } else { (204, "") })).await;
    assert_eq!((delivery.accepted.len(), delivery.refused.len()), (100, 0));
    assert_eq!(calls.len(), 7);
    let (delivery, _) = deliver_to(StreamFit::Proven, 1, |_, _| Ok((413, ""))).await;
    assert_eq!(refused_rows(&delivery), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_takes_half_an_hour_in_a_call_gets_no_more() {
    let (delivery, calls) = deliver(100, |_, rows| {
        let span = rows.iter().max().unwrap() - rows.iter().min().unwrap();
        Ok(if span > 30 {
            (400, "RecordsTimeRangeIsMoreThan30Minutes")
        } else {
            (204, "")
        })
    })
    .await;
    assert_eq!((delivery.accepted.len(), delivery.refused.len()), (100, 0));
    assert_eq!(calls.len(), 1 + 4, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_takes_no_row_at_all_loses_none_however_few_they_are() {
    for rows in [1, 2, 8, 9, 100] {
        let (delivery, calls) = deliver(rows, |_, _| Ok((400, "InvalidPayload"))).await;
        let rows = usize::try_from(rows).unwrap();
        assert_eq!(delivery.open(rows).len(), rows);
        let error = delivery.error.unwrap();
        assert!(error.is_about_rows_or_stream());
        let error = error.to_string();
        for word in [
            "400",
            "InvalidPayload",
            "Custom-T_CL",
            "kept",
            &format!("none of {rows} rows"),
        ] {
            assert!(error.contains(word), "{word}: {error}");
        }
        assert!(calls.len() < 2 * rows, "{} calls", calls.len());
    }
    let (delivery, calls) = deliver(1000, |_, _| Ok((400, "InvalidPayload"))).await;
    assert!(
        delivery.open(1000).len() == 1000 && calls.len() < 60,
        "{} calls",
        calls.len()
    );
    let (delivery, calls) = deliver(100, |_, _| Ok((400, "InvalidStream"))).await;
    assert!(delivery.error.is_some() && delivery.open(100).len() == 100 && calls.len() == 1);
}

#[tokio::test(start_paused = true)]
async fn where_the_stream_is_known_to_fit_every_row_that_is_refused_alone_is_at_fault() {
    for rows in [1, 8, 30] {
        let (delivery, _) = deliver_to(StreamFit::Proven, rows, |_, _| Ok((400, "InvalidPayload"))).await;
        assert!(delivery.error.is_none(), "{delivery:?}");
        assert_eq!(
            refused_rows(&delivery),
            (0..usize::try_from(rows).unwrap()).collect::<Vec<_>>()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn bad_rows_at_both_ends_do_not_hide_the_good_ones_between() {
    let (delivery, _) = deliver(1000, |_, rows| {
        let is_bad = rows.iter().any(|row| *row < 12 || *row > 987);
        Ok(if is_bad { (400, "InvalidPayload") } else { (204, "") })
    })
    .await;
    assert!(delivery.error.is_none(), "{delivery:?}");
    assert_eq!((delivery.accepted.len(), delivery.refused.len()), (976, 24));
}

#[tokio::test(start_paused = true)]
async fn few_good_rows_among_many_bad_ones_are_found_wherever_they_stand() {
    for good in [&[72_u64, 27][..], &[40], &[5], &[98]] {
        let (delivery, _) = deliver(150, |_, rows| {
            let is_bad = rows.iter().any(|row| !good.contains(row));
            Ok(if is_bad { (400, "InvalidPayload") } else { (204, "") })
        })
        .await;
        assert!(delivery.error.is_none(), "{delivery:?}");
        assert_eq!(delivery.accepted.len(), good.len());
        assert_eq!(refused_rows(&delivery).len(), 150 - good.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_that_was_refused_before_the_service_failed_is_not_refused_for_good() {
    let (delivery, _) = deliver(2, |call, _| {
        Ok(if call < 2 { (400, "InvalidPayload") } else { (403, "") })
    })
    .await;
    assert_eq!(delivery.open(2), [0, 1]);
    assert!(!delivery.error.unwrap().is_about_rows_or_stream());
}

#[tokio::test(start_paused = true)]
async fn only_204_and_200_without_a_body_mean_that_rows_were_taken() {
    // The played service sends a body with every answer.
    for status in [200, 201, 202, 203, 206] {
        let (delivery, calls) = deliver(10, move |_, _| Ok((status, ""))).await;
        assert_eq!((delivery.accepted.len(), delivery.refused.len()), (0, 0), "{status}");
        assert!(calls.len() > 1, "it may pass");
        let error = delivery.error.unwrap().to_string();
        assert!(
            error.contains(&status.to_string()) && error.contains("proxy"),
            "{error}"
        );
    }
    let (delivery, calls) = deliver(10, |call, _| Ok((if call == 0 { 202 } else { 204 }, ""))).await;
    assert_eq!((delivery.accepted.len(), delivery.unsure, calls.len()), (10, 10, 2));
    let (delivery, _) = deliver(10, |_, _| Ok((200, NO_BODY))).await;
    assert_eq!(delivery.accepted.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn rows_that_were_accepted_before_a_failure_are_not_open() {
    let (delivery, _) = deliver(100, |_, rows| {
        Ok(match (rows.contains(&99), rows.len() > 50) {
            (_, true) => (413, ""),
            (true, _) => (403, "OperationFailed"),
            (false, _) => (204, ""),
        })
    })
    .await;
    assert_eq!(delivery.accepted.len(), 50);
    assert_eq!(delivery.open(100), (50..100).collect::<Vec<_>>());
    assert!(
        delivery
            .error
            .unwrap()
            .to_string()
            .contains("Monitoring Metrics Publisher")
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_counted_as_unsure_and_a_connection_that_never_stood_is_not() {
    for (error, unsure) in [
        (TransportError::Interrupted("reset".to_owned()), 10),
        (
            TransportError::Connect(ConnectFailure::NoAnswer("refused".to_owned())),
            0,
        ),
    ] {
        let error = Mutex::new(Some(error));
        let (delivery, calls) = deliver(10, move |_, _| match error.lock().take() {
            Some(error) => Err(error),
            None => Ok((204, "")),
        })
        .await;
        assert_eq!((delivery.accepted.len(), delivery.unsure, calls.len()), (10, unsure, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn the_pause_that_the_service_asks_for_holds_and_the_deadline_ends_it() {
    let (delivery, calls) = deliver(10, |_, _| Ok((503, ""))).await;
    let error = delivery.error.unwrap().to_string();
    assert!(error.contains("503") && calls.len() == 6, "{error}");
    assert_eq!(delivery.accepted.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_another_call_was_told_to_make_is_named() {
    let service = Arc::new(Service {
        judge: Box::new(|_, _| Ok((204, ""))),
        calls: Mutex::default(),
    });
    let destination = destination_of(service.clone());
    destination.client.throttle.pause_for(Duration::from_secs(600));
    let deadline = Deadline::after(Duration::from_secs(120));
    let delivery = destination.deliver(&batch(3), StreamFit::Unknown, deadline).await;
    assert_eq!(
        delivery.error.unwrap().to_string(),
        "the Logs Ingestion API asked to wait (429) for 3 rows of T_CL: the rule dcr-1 takes no more now. The rows are kept"
    );
    assert!(service.calls.lock().is_empty());
}
