//! The Logs Ingestion API of Azure Monitor.
//!
//! `POST {endpoint}/dataCollectionRules/{rule id}/streams/Custom-{Table}?api-version=2023-01-01`, a JSON array,
//! always gzip, 204 when it is taken. Source: "Logs Ingestion API in Azure Monitor".

mod answer;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{RequestBuilder, Url};

use self::answer::remedy;
use super::{Batch, DeliveryError, Destination};
use crate::azure::AzureIdentity;
use crate::http::{Backoff, HttpClient, Reply, Throttle, Verdict, error_code, pause, retry_after, verdict};
use crate::settings::IngestionRule;
use crate::time::{Clock, Deadline};

const TIMEOUT: Duration = Duration::from_secs(60);
const REPLY_CAP: usize = 256 * 1024;
const TRIES: u32 = 6;
/// The bill counts uncompressed bytes, so the level is a choice of speed: 2 is the fastest that still compresses well.
const GZIP_LEVEL: u32 = 2;

/// One data collection rule. Everybody who sends to it shares its pauses.
pub struct LogsIngestion {
    rule: IngestionRule,
    scope: String,
    http: HttpClient,
    identity: Arc<AzureIdentity>,
    clock: Arc<dyn Clock>,
    throttle: Throttle,
}

impl LogsIngestion {
    /// For the rule in the settings.
    pub fn new(rule: IngestionRule, http: HttpClient, identity: Arc<AzureIdentity>, clock: Arc<dyn Clock>) -> Self {
        let scope = format!("{}/.default", rule.audience);
        Self {
            rule,
            scope,
            http,
            identity,
            clock,
            throttle: Throttle::unlimited(),
        }
    }
}

#[async_trait]
impl Destination for LogsIngestion {
    async fn deliver(&self, batch: &Batch, deadline: Deadline) -> Result<(), DeliveryError> {
        let call = Call { to: self, batch };
        let url = call.url()?;
        let body = gzip(&batch.body).map_err(|error| call.unavailable(format!("could not be sent ({error})"), 1))?;
        call.send(url, &body, deadline).await
    }
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(GZIP_LEVEL));
    encoder.write_all(body)?;
    encoder.finish()
}

/// One batch on its way.
struct Call<'a> {
    to: &'a LogsIngestion,
    batch: &'a Batch,
}

impl Call<'_> {
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
                rows: self.batch.rows,
                reason,
            }
        })
    }

    async fn send(&self, url: Url, body: &[u8], deadline: Deadline) -> Result<(), DeliveryError> {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30), TRIES);
        let mut renewed = false;
        let mut last = None;
        loop {
            self.to
                .throttle
                .admit(deadline)
                .await
                .map_err(|_| self.out_of_time(last.clone()))?;
            let request = self.request(url.clone(), body.to_vec(), deadline).await?;
            let (what, asked_pause) = match self.to.http.send(request, REPLY_CAP, TIMEOUT, deadline).await {
                Err(error) => (error.to_string(), None),
                Ok(reply) => match verdict(reply.status) {
                    Verdict::Done => return Ok(()),
                    Verdict::Final if reply.status.as_u16() == 401 && !renewed => {
                        renewed = true;
                        self.to.identity.renew();
                        continue;
                    }
                    Verdict::Final => return Err(self.refused(&reply)),
                    found @ (Verdict::Throttled | Verdict::Transient) => {
                        let asked = retry_after(&reply.headers, self.to.clock.now());
                        if found == Verdict::Throttled {
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

    async fn request(&self, url: Url, body: Vec<u8>, deadline: Deadline) -> Result<RequestBuilder, DeliveryError> {
        let token = self
            .to
            .identity
            .token(&self.to.scope, deadline)
            .await
            .map_err(|error| DeliveryError::Identity {
                table: self.table(),
                rows: self.batch.rows,
                reason: error.to_string(),
            })?;
        let request = self.to.http.post(url).bearer_auth(token.expose());
        Ok(request
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_ENCODING, "gzip")
            .body(body))
    }

    fn refused(&self, reply: &Reply) -> DeliveryError {
        DeliveryError::Refused {
            table: self.table(),
            rows: self.batch.rows,
            status: reply.status.as_u16(),
            code: error_code(&reply.body),
            remedy: remedy(reply.status.as_u16(), &self.to.rule, &self.batch.table),
            request_id: reply
                .headers
                .get("x-ms-request-id")
                .and_then(|id| id.to_str().ok())
                .map(str::to_owned),
        }
    }

    fn unavailable(&self, what: String, tries: u32) -> DeliveryError {
        DeliveryError::Unavailable {
            table: self.table(),
            rows: self.batch.rows,
            what,
            tries,
        }
    }

    fn out_of_time(&self, last: Option<String>) -> DeliveryError {
        DeliveryError::OutOfTime {
            table: self.table(),
            rows: self.batch.rows,
            last,
        }
    }

    fn table(&self) -> String {
        self.batch.table.to_string()
    }
}
