//! Takes replies from one poll subscription.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use reqwest::header::ACCEPT;

use super::event::identity_of;
use super::settings::PingOneEnterprise;
use super::sign_in::PollSignIn;
use crate::event::{Identity, StreamName};
use crate::http::{Backoff, BrokenReply, HttpClient, Retryability, Tries, error_code, retry_after, retryability};
use crate::json::lossy_text;
use crate::sources::error::answered;
use crate::sources::{ConsumedReply, DestructiveStream, ParsedReply, ReadOutcome, SourceError};
use crate::time::{Clock, Deadline};
use crate::vendors::pingone_enterprise::reply;

/// For errors about the poll URL.
const ASKED: &str = "the poll subscription";
/// The reply is not capped in pages; this only keeps a broken server from filling the memory.
const REPLY_CAP: usize = 256 * 1024 * 1024;
const TRIES: u32 = 5;

/// The stream `pingone-enterprise/<instance>/events`.
pub struct Subscription {
    stream: StreamName,
    account: String,
    constant_fields: Vec<(&'static str, String)>,
    poll_url: Url,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    sign_in: PollSignIn,
    setting_prefix: String,
}

impl Subscription {
    /// Of the subscription in `settings`.
    pub fn new(settings: &PingOneEnterprise, http: HttpClient, clock: Arc<dyn Clock>) -> Self {
        Self {
            stream: StreamName::of("pingone-enterprise", &settings.instance, "events"),
            account: format!(
                "account {} subscription {}",
                settings.account_id, settings.subscription_id
            ),
            constant_fields: vec![
                ("$account_id", settings.account_id.clone()),
                ("$subscription_id", settings.subscription_id.clone()),
            ],
            poll_url: settings.poll_url.clone(),
            sign_in: PollSignIn::new(&settings.sign_in, &settings.setting_prefix, http.clone(), clock.clone()),
            setting_prefix: settings.setting_prefix.clone(),
            http,
            clock,
        }
    }

    fn consumed(&self, body: Vec<u8>) -> ConsumedReply {
        let (text, replaced_bytes) = lossy_text(body);
        ConsumedReply {
            text,
            replaced_bytes,
            at: self.clock.now(),
        }
    }

    /// What came of a reply that is not whole is ours to keep: nobody else has it.
    fn broken(&self, broken: BrokenReply) -> ReadOutcome {
        if broken.error.was_never_sent() {
            return ReadOutcome::Nothing(SourceError::Unavailable {
                asked: ASKED,
                what: broken.error.with_advice(&format!("{}POLL_URL", self.setting_prefix)),
                tries: 1,
            });
        }
        let begun = broken
            .begun
            .filter(|reply| retryability(reply.status) == Retryability::Success);
        let body = begun.map(|reply| reply.body).unwrap_or_default();
        let error = SourceError::NoWholeReply {
            asked: ASKED,
            what: broken.error.to_string(),
            came: body.len(),
        };
        let begun = (!body.is_empty()).then(|| self.consumed(body));
        ReadOutcome::PerhapsLost { error, begun }
    }

    fn refused(&self, status: u16, code: Option<String>) -> SourceError {
        let prefix = &self.setting_prefix;
        let remedy = match status {
            401 | 403 => self.sign_in.remedy(prefix),
            404 => format!("no such subscription; check {prefix}POLL_URL against the subscription's page").into(),
            _ => format!("check {prefix}POLL_URL; if this lasts, report it with this line").into(),
        };
        SourceError::Refused {
            asked: ASKED,
            status,
            code,
            remedy,
        }
    }
}

#[async_trait]
impl DestructiveStream for Subscription {
    fn name(&self) -> &StreamName {
        &self.stream
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn constant_fields(&self) -> &[(&'static str, String)] {
        &self.constant_fields
    }

    async fn probe(&self, deadline: Deadline) -> Result<&'static str, SourceError> {
        if !self.sign_in.has_token() {
            return Ok(
                "nothing could be tried: user name and password are shown to the poll URL only, and reading it would take \
                 events away. The next run tells",
            );
        }
        self.prepare(deadline).await?;
        Ok(
            "the token endpoint accepts the client. Whether it may read the subscription is not proved: reading the poll \
             URL would take events away",
        )
    }

    async fn prepare(&self, deadline: Deadline) -> Result<(), SourceError> {
        // Signing in is no reading: it must not stand between the intent and the reply.
        let request = self.http.get(self.poll_url.clone());
        self.sign_in.sign(request, deadline).await.map(|_| ())
    }

    async fn take(&self, timeout: Duration, deadline: Deadline) -> ReadOutcome {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(20), TRIES);
        // The full time for a reply must be left after a pause.
        let mut tries = Tries::new(backoff, deadline.less(timeout));
        let mut renewed = false;
        let mut sent = 0;
        loop {
            sent += 1;
            let request = self.http.get(self.poll_url.clone()).header(ACCEPT, "application/json");
            let request = match self.sign_in.sign(request, deadline).await {
                Ok(request) => request,
                Err(error) => return ReadOutcome::Nothing(error),
            };
            let reply = match self.http.send_once(request, REPLY_CAP, timeout, deadline).await {
                Ok(reply) => reply,
                Err(broken) => return self.broken(broken),
            };
            let status = reply.status.as_u16();
            match retryability(reply.status) {
                Retryability::Success => return ReadOutcome::Reply(self.consumed(reply.body)),
                Retryability::Final if matches!(status, 401 | 403) && !renewed && self.sign_in.forget().await => {
                    renewed = true;
                }
                Retryability::Final => return ReadOutcome::Nothing(self.refused(status, error_code(&reply.body))),
                Retryability::Throttled | Retryability::Transient => {
                    let asked_pause = retry_after(&reply.headers, self.clock.now());
                    if let Err(no_more) = tries.wait(asked_pause).await {
                        let failure = SourceError::Unavailable {
                            asked: ASKED,
                            what: answered(status, asked_pause),
                            tries: sent,
                        };
                        return ReadOutcome::Nothing(failure.given_up(no_more, true));
                    }
                }
            }
        }
    }

    fn parse(&self, text: String) -> ParsedReply {
        reply::parse(text)
    }

    fn identity_of(&self, event: &str) -> Identity {
        identity_of(event)
    }
}
