//! One call: tries, pauses and the one renewal of the token, until the service has said yes or no.

use std::io::{self, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{RequestBuilder, Url};

use super::LogsIngestion;
use super::answer::{CallOutcome, remedy};
use crate::destination::{Batch, DeliveryError};
use crate::http::{Backoff, Reply, Retryability, TransportError, error_code, pause, retry_after, retryability};
use crate::time::Deadline;

const TIMEOUT: Duration = Duration::from_secs(60);
const REPLY_CAP: usize = 256 * 1024;
const TRIES: u32 = 6;
/// The bill counts uncompressed bytes, so the level is a choice of speed: 2 is the fastest that still compresses well.
const GZIP_LEVEL: u32 = 2;

/// Some rows of a batch on their way.
pub struct Call<'a> {
    /// The rule.
    pub to: &'a LogsIngestion,
    /// The batch.
    pub batch: &'a Batch,
    /// The numbers of the rows.
    pub rows: &'a [usize],
}

impl Call<'_> {
    /// Sends until there is an answer. `unsure` becomes true when an answer was lost after the request had gone out.
    pub async fn send(&self, deadline: Deadline, unsure: &mut bool) -> Result<CallOutcome, DeliveryError> {
        let url = self.url()?;
        let body = self
            .body()
            .map_err(|error| self.unavailable(format!("could not be sent ({error})"), 1))?;
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30), TRIES);
        let mut renewed = false;
        let mut last = None;
        loop {
            self.to
                .throttle
                .admit(deadline)
                .await
                .map_err(|_| self.out_of_time(last.clone()))?;
            let request = self.request(url.clone(), body.clone(), deadline).await?;
            if deadline.has_passed() {
                return Err(self.out_of_time(last));
            }
            let (what, asked_pause) = match self.to.http.send(request, REPLY_CAP, TIMEOUT, deadline).await {
                Err(error) => {
                    *unsure |= may_have_arrived(&error);
                    (error.to_string(), None)
                }
                Ok(reply) => match retryability(reply.status) {
                    Retryability::Success if is_acceptance(&reply) => return Ok(CallOutcome::Accepted),
                    Retryability::Success => {
                        // Whatever answered so, it may have passed the rows on.
                        *unsure = true;
                        (not_accepted(&reply), None)
                    }
                    Retryability::Final if reply.status.as_u16() == 401 && !renewed => {
                        renewed = true;
                        self.to.tokens.renew();
                        continue;
                    }
                    Retryability::Final => match CallOutcome::of_refusal(&reply) {
                        Some(answer) => return Ok(answer),
                        None => return Err(self.refused(&reply)),
                    },
                    found @ (Retryability::Throttled | Retryability::Transient) => {
                        let asked = retry_after(&reply.headers, self.to.clock.now());
                        if found == Retryability::Throttled {
                            self.to.throttle.pause_for(asked.unwrap_or_default());
                        }
                        (format!("answered {}", reply.status.as_u16()), asked)
                    }
                },
            };
            if deadline.has_passed() {
                return Err(self.out_of_time(Some(what)));
            }
            let Some(own_pause) = backoff.next_pause() else {
                return Err(self.unavailable(what, TRIES));
            };
            // A server that says when to come back may be met again at once; the others get room.
            pause(asked_pause.unwrap_or(own_pause), deadline)
                .await
                .map_err(|_| self.out_of_time(Some(what.clone())))?;
            last = Some(what);
        }
    }

    /// The error of a refusal that is not about single rows.
    pub fn refused(&self, reply: &Reply) -> DeliveryError {
        DeliveryError::Refused {
            table: self.table(),
            rows: self.rows.len(),
            status: reply.status.as_u16(),
            code: error_code(&reply.body),
            remedy: remedy(reply.status.as_u16(), &self.to.rule, &self.batch.table),
            request_id: super::answer::request_id(reply),
        }
    }

    /// The error of a batch whose rows were all refused alone.
    pub fn nothing_taken(&self, reply: &Reply) -> DeliveryError {
        DeliveryError::NothingTaken {
            table: self.table(),
            rows: self.rows.len(),
            status: reply.status.as_u16(),
            code: error_code(&reply.body),
            remedy: remedy(reply.status.as_u16(), &self.to.rule, &self.batch.table),
            request_id: super::answer::request_id(reply),
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
            let reason = format!(
                "check {} and {}: they make no address",
                rule.endpoint_setting, rule.rule_setting
            );
            DeliveryError::Identity {
                table: self.table(),
                rows: self.rows.len(),
                reason,
            }
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
        let token = self
            .to
            .tokens
            .token(&self.to.scope, deadline)
            .await
            .map_err(|error| DeliveryError::Identity {
                table: self.table(),
                rows: self.rows.len(),
                reason: error.to_string(),
            })?;
        let request = self.to.http.post(url).bearer_auth(token.expose());
        Ok(request
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_ENCODING, "gzip")
            .body(body))
    }

    fn unavailable(&self, what: String, tries: u32) -> DeliveryError {
        DeliveryError::Unavailable {
            table: self.table(),
            rows: self.rows.len(),
            what,
            tries,
        }
    }

    fn out_of_time(&self, last: Option<String>) -> DeliveryError {
        DeliveryError::OutOfTime {
            table: self.table(),
            rows: self.rows.len(),
            last,
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

/// Another good answer does not come from the service.
fn not_accepted(reply: &Reply) -> String {
    let with_body = match reply.body.trim_ascii().is_empty() {
        true => "",
        false => " with a body",
    };
    format!(
        "answered {}{with_body}, and only 204 means that rows were taken: something else answers in its place, a proxy or \
         a sign-in page; let the handler reach the endpoint without it",
        reply.status.as_u16()
    )
}

/// The request may have reached the service whole.
fn may_have_arrived(error: &TransportError) -> bool {
    !error.was_never_sent()
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(GZIP_LEVEL));
    encoder.write_all(body)?;
    encoder.finish()
}
