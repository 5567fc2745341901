//! One call: tries, pauses and the one renewal of the token, until the service has said yes or no.

use std::io::{self, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{RequestBuilder, Url};

use super::answer::CallOutcome;
use super::call_failure::{asked_to_wait, failure_of, not_accepted, not_answered, not_asked};
use super::rule_client::RuleClient;
use crate::destination::{Batch, CallFailure, DeliveryError};
use crate::http::{Backoff, Reply, Retryability, TransportError, Tries, retry_after, retryability};
use crate::time::Deadline;

const TIMEOUT: Duration = Duration::from_secs(60);
const REPLY_CAP: usize = 256 * 1024;
const TRIES: u32 = 6;
/// The bill counts uncompressed bytes, so the level is a choice of speed: 2 is the fastest that still compresses well.
const GZIP_LEVEL: u32 = 2;

/// Some rows of a batch on their way.
pub struct Call<'a> {
    /// The rule.
    pub to: &'a RuleClient,
    /// The batch.
    pub batch: &'a Batch,
    /// The numbers of the rows.
    pub rows: &'a [usize],
}

/// What came of a call.
pub struct SentCall {
    /// What the service said, or why it said nothing.
    pub outcome: Result<CallOutcome, DeliveryError>,
    /// True if an answer was lost after the request had gone out: the rows may be stored all the same.
    pub is_unsure: bool,
}

/// A try that another one may follow.
struct FailedTry {
    failure: CallFailure,
    asked_pause: Option<Duration>,
    may_have_arrived: bool,
}

impl Call<'_> {
    /// Sends until there is an answer.
    pub async fn send(&self, deadline: Deadline) -> SentCall {
        let mut is_unsure = false;
        let outcome = self.send_until_answered(deadline, &mut is_unsure).await;
        SentCall { outcome, is_unsure }
    }

    async fn send_until_answered(
        &self,
        deadline: Deadline,
        is_unsure: &mut bool,
    ) -> Result<CallOutcome, DeliveryError> {
        let url = self.url()?;
        let body = self
            .body()
            .map_err(|error| self.unavailable(not_asked(format!("the rows cannot be compressed ({error})")), 0))?;
        let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30), TRIES);
        let mut tries = Tries::new(backoff, deadline);
        let mut may_renew_token = true;
        let mut failures = 0;
        let mut last = None;
        loop {
            let admitted = self.to.throttle.admit(deadline).await;
            admitted.map_err(|_| self.out_of_time(last.clone(), failures))?;
            let request = self.request(url.clone(), body.clone(), deadline).await?;
            if deadline.has_passed() {
                return Err(self.out_of_time(last, failures));
            }
            let sent = self.to.http.send(request, REPLY_CAP, TIMEOUT, deadline).await;
            if may_renew_token && sent.as_ref().is_ok_and(|reply| reply.status.as_u16() == 401) {
                may_renew_token = false;
                self.to.tokens.renew();
                continue;
            }
            let failed = match self.outcome_of(sent) {
                Ok(outcome) => return outcome,
                Err(failed) => failed,
            };
            *is_unsure |= failed.may_have_arrived;
            failures += 1;
            let waited = tries.wait(failed.asked_pause).await;
            waited.map_err(|_| self.unavailable(failed.failure.clone(), failures))?;
            last = Some(failed.failure);
        }
    }

    fn outcome_of(&self, sent: Result<Reply, TransportError>) -> Result<Result<CallOutcome, DeliveryError>, FailedTry> {
        let reply = sent.map_err(|error| FailedTry {
            failure: not_answered(&error, &self.to.rule),
            asked_pause: None,
            may_have_arrived: !error.was_never_sent(),
        })?;
        match retryability(reply.status) {
            Retryability::Success if is_acceptance(&reply) => Ok(Ok(CallOutcome::Accepted)),
            Retryability::Success => Err(FailedTry {
                failure: not_accepted(&reply),
                asked_pause: None,
                // Whatever answered so, it may have passed the rows on.
                may_have_arrived: true,
            }),
            Retryability::Final => Ok(CallOutcome::of_refusal(&reply).ok_or_else(|| {
                let refusal = self.to.refusal(&self.batch.table, self.rows.len(), &reply);
                DeliveryError::Refused(refusal)
            })),
            found @ (Retryability::Throttled | Retryability::Transient) => {
                let asked_pause = retry_after(&reply.headers, self.to.clock.now());
                if found == Retryability::Throttled {
                    // The others who send to the rule wait as well.
                    self.to.throttle.pause_for(asked_pause.unwrap_or_default());
                }
                Err(FailedTry {
                    failure: failure_of(&reply, asked_pause, &self.to.rule),
                    asked_pause,
                    may_have_arrived: false,
                })
            }
        }
    }

    fn url(&self) -> Result<Url, DeliveryError> {
        let rule = &self.to.rule;
        let text = format!(
            "{}/dataCollectionRules/{}/streams/Custom-{}?api-version=2023-01-01",
            rule.endpoint.as_str(),
            rule.rule_id,
            self.batch.table
        );
        Url::parse(&text).map_err(|_| {
            let advice = format!(
                "check {} and {}: they make no address",
                rule.endpoint_setting, rule.rule_setting
            );
            self.unavailable(not_asked(advice), 0)
        })
    }

    fn body(&self) -> io::Result<Vec<u8>> {
        if self.rows.len() == self.batch.rows && self.rows.is_sorted() {
            gzip(&self.batch.body)
        } else {
            gzip(&self.batch.body_of(self.rows))
        }
    }

    async fn request(&self, url: Url, body: Vec<u8>, deadline: Deadline) -> Result<RequestBuilder, DeliveryError> {
        let token = self.to.tokens.token(&self.to.scope, deadline).await;
        let token = token.map_err(|error| self.unsent(error.to_string()))?;
        let request = self.to.http.post(url).bearer_auth(token.expose());
        Ok(request
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_ENCODING, "gzip")
            .body(body))
    }

    fn unsent(&self, reason: String) -> DeliveryError {
        DeliveryError::Identity {
            table: self.table(),
            rows: self.rows.len(),
            reason,
        }
    }

    fn unavailable(&self, failure: CallFailure, tries: u32) -> DeliveryError {
        DeliveryError::Unavailable {
            table: self.table(),
            rows: self.rows.len(),
            failure,
            tries,
        }
    }

    fn out_of_time(&self, last: Option<CallFailure>, failures: u32) -> DeliveryError {
        let paused = || self.to.throttle.is_paused().then(|| asked_to_wait(&self.to.rule));
        match last.or_else(paused) {
            Some(failure) => self.unavailable(failure, failures),
            None => DeliveryError::OutOfTime {
                table: self.table(),
                rows: self.rows.len(),
                last: None,
            },
        }
    }

    fn table(&self) -> String {
        self.batch.table.to_string()
    }
}

/// 204 is the only good answer of the service; 200 without a body says the same. Source: "Logs Ingestion API in Azure
/// Monitor".
fn is_acceptance(reply: &Reply) -> bool {
    match reply.status.as_u16() {
        204 => true,
        200 => reply.body.trim_ascii().is_empty(),
        _ => false,
    }
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(GZIP_LEVEL));
    encoder.write_all(body)?;
    encoder.finish()
}
