//! Reads the activities of one environment, page by page.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use reqwest::header::ACCEPT;

use super::token::Tokens;
use super::{event, page, request};
use crate::event::StreamName;
use crate::http::{
    Backoff, HttpClient, Reply, Throttle, TransportError, Verdict, error_code, excerpt, pause, retry_after, verdict,
};
use crate::settings::{PingOnePoll, Secret};
use crate::sources::{EventKey, Page, Pages, PullStream, SourceError, Window};
use crate::time::{Clock, Deadline};

const ASKED: &str = "the activities endpoint";
const TIMEOUT: Duration = Duration::from_secs(60);
const PAGE_CAP: usize = 32 * 1024 * 1024;
const TRIES: u32 = 5;
const BURST: NonZeroU32 = match NonZeroU32::new(10) {
    Some(burst) => burst,
    None => NonZeroU32::MIN,
};
/// The largest page that is known to be accepted, and the documented default.
const LIMITS: (usize, usize) = (500, 100);
/// PingOne answers for the last 14 days only, and says nothing when it is asked for more.
const READABLE_FOR: Duration = Duration::from_secs(14 * 24 * 3600);
/// How often a window is begun anew because a link to a further page was refused.
const NEW_STARTS: u32 = 2;

/// The stream `pingone/<instance>/activities`.
pub struct Activities {
    stream: StreamName,
    account: String,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    tokens: Tokens,
    throttle: Throttle,
    settings: PingOnePoll,
}

impl Activities {
    /// Of the environment in `settings`.
    pub fn new(instance: &str, settings: PingOnePoll, http: HttpClient, clock: Arc<dyn Clock>) -> Self {
        let stream = StreamName {
            source: "pingone",
            instance: instance.to_owned(),
            stream: "activities",
        };
        Self {
            account: format!("{}/v1/environments/{}", settings.api.as_str(), settings.environment_id),
            tokens: Tokens::new(stream.clone(), http.clone(), clock.clone(), settings.clone()),
            throttle: Throttle::per_second(settings.requests_per_second, BURST),
            stream,
            http,
            clock,
            settings,
        }
    }
}

#[async_trait]
impl PullStream for Activities {
    fn name(&self) -> &StreamName {
        &self.stream
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn readable_for(&self) -> Option<Duration> {
        Some(READABLE_FOR)
    }

    fn pages_per_minute(&self) -> Option<f64> {
        Some(self.settings.requests_per_second * 60.0)
    }

    fn open(&self, window: Window) -> Box<dyn Pages + '_> {
        Box::new(ActivityPages {
            source: self,
            window,
            limit: LIMITS.0,
            next: Next::First,
            new_starts_left: NEW_STARTS,
        })
    }

    fn key_of(&self, event: &str) -> EventKey {
        event::key_of(event)
    }
}

struct ActivityPages<'a> {
    source: &'a Activities,
    window: Window,
    limit: usize,
    next: Next,
    new_starts_left: u32,
}

#[derive(Debug)]
enum Next {
    First,
    Link(Url),
    Nothing,
}

/// What a request brought.
enum Fetched {
    Page(Page, Option<String>),
    /// 400 and its kin: perhaps the page size, perhaps an outlived link.
    Refused(SourceError),
    /// Too large or too slow.
    Unwieldy(SourceError),
}

#[async_trait]
impl Pages for ActivityPages<'_> {
    async fn next(&mut self, deadline: Deadline) -> Result<Option<Page>, SourceError> {
        loop {
            let url = match &self.next {
                Next::Nothing => return Ok(None),
                Next::Link(url) => url.clone(),
                Next::First => self.first_page()?,
            };
            match self.source.fetch(&url, deadline).await? {
                Fetched::Page(page, link) => {
                    self.next = self.source.follow(&url, link)?;
                    return Ok(Some(page));
                }
                Fetched::Refused(error) => self.begin_anew(error)?,
                Fetched::Unwieldy(error) => {
                    if self.limit <= 1 {
                        return Err(error);
                    }
                    self.limit /= 2;
                    self.next = Next::First;
                }
            }
        }
    }
}

impl ActivityPages<'_> {
    fn first_page(&self) -> Result<Url, SourceError> {
        let settings = &self.source.settings;
        request::first_page(&settings.api, &settings.environment_id, self.window, self.limit).ok_or_else(|| {
            let prefix = &settings.setting_prefix;
            self.source.refused(
                0,
                None,
                format!("check {prefix}API_URL and {prefix}ENVIRONMENT_ID: they make no address"),
            )
        })
    }

    fn begin_anew(&mut self, error: SourceError) -> Result<(), SourceError> {
        let on_first_page = matches!(self.next, Next::First);
        if on_first_page && self.limit > LIMITS.1 {
            self.limit = LIMITS.1;
            return Ok(());
        }
        if on_first_page || self.new_starts_left == 0 {
            return Err(error);
        }
        self.new_starts_left -= 1;
        self.next = Next::First;
        Ok(())
    }
}

impl Activities {
    /// One page, with retries. A token that ends between two pages is renewed and the same page asked for again.
    async fn fetch(&self, url: &Url, deadline: Deadline) -> Result<Fetched, SourceError> {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(20), TRIES);
        let mut renewed = false;
        loop {
            let token = self.tokens.get(deadline).await?;
            self.throttle
                .admit(deadline)
                .await
                .map_err(|_| self.out_of_time("waiting for a place in the rate limit"))?;
            let request = self
                .http
                .get(url.clone())
                .bearer_auth(token.expose())
                .header(ACCEPT, "application/json");
            let (error, asked_pause) = match self.http.send(request, PAGE_CAP, TIMEOUT, deadline).await {
                Err(_) if deadline.has_passed() => {
                    return Err(self.out_of_time("waiting for a page"));
                }
                Err(error @ (TransportError::TooLarge(_) | TransportError::Timeout(_))) => {
                    return Ok(Fetched::Unwieldy(self.unavailable(error.to_string(), 1)));
                }
                Err(error) => (self.unavailable(error.to_string(), TRIES), None),
                Ok(reply) => match (verdict(reply.status), reply.status.as_u16()) {
                    (Verdict::Done, status) => match page::parse(reply.body) {
                        Ok((page, link)) => return Ok(Fetched::Page(page, link)),
                        Err((reason, body)) => (self.bad_page(status, reason, &body, &token), None),
                    },
                    (Verdict::Throttled, status) => {
                        let asked = retry_after(&reply.headers, self.clock.now());
                        let wait = asked
                            .or_else(|| backoff.next_pause())
                            .unwrap_or(Duration::from_secs(20));
                        self.throttle.pause_for(wait);
                        pause(wait, deadline).await.map_err(|_| {
                            self.out_of_time(&format!("waiting {wait:.0?}, as it was told to ({status})"))
                        })?;
                        continue;
                    }
                    (Verdict::Transient, status) => {
                        let asked = retry_after(&reply.headers, self.clock.now());
                        (self.unavailable(format!("answered {status}"), TRIES), asked)
                    }
                    (Verdict::Final, 401) if !renewed => {
                        renewed = true;
                        self.tokens.refused(&token).await;
                        continue;
                    }
                    (Verdict::Final, _) => return self.final_answer(&reply),
                },
            };
            let Some(own_pause) = backoff.next_pause() else {
                return Err(error);
            };
            pause(asked_pause.unwrap_or(own_pause), deadline)
                .await
                .map_err(|_| self.out_of_time(&format!("trying again after: {error}")))?;
        }
    }

    fn final_answer(&self, reply: &Reply) -> Result<Fetched, SourceError> {
        let prefix = &self.settings.setting_prefix;
        let remedy = match reply.status.as_u16() {
            401 => format!(
                "a token that was just issued is refused; check {prefix}AUTH_ENVIRONMENT_ID, and that {prefix}REGION is the environment's"
            ),
            403 => format!(
                "give the worker application a role on environment {prefix}ENVIRONMENT_ID that may read audit activities (Environment Admin, for example)"
            ),
            404 => format!("no such environment there; check {prefix}ENVIRONMENT_ID and {prefix}REGION"),
            300..=399 => {
                format!("redirects are not followed; check {prefix}REGION or {prefix}API_URL")
            }
            _ => "the request was refused; if this lasts, report it with this line".to_owned(),
        };
        let error = self.refused(reply.status.as_u16(), error_code(&reply.body), remedy);
        if matches!(reply.status.as_u16(), 400 | 410 | 422) {
            return Ok(Fetched::Refused(error));
        }
        Err(error)
    }

    /// The link is followed only to the same scheme, host and port: the token goes with it.
    fn follow(&self, from: &Url, link: Option<String>) -> Result<Next, SourceError> {
        let Some(link) = link.filter(|link| !link.is_empty()) else {
            return Ok(Next::Nothing);
        };
        let target = from
            .join(&link)
            .ok()
            .filter(|target| self.settings.api.is_origin_of(target));
        match target {
            Some(target) if target == *from => {
                let reason = "its link to the next page leads to itself".to_owned();
                let stream = self.stream.clone();
                Err(SourceError::BadPage {
                    stream,
                    asked: ASKED,
                    status: 200,
                    reason,
                    excerpt: "[not shown]".to_owned(),
                })
            }
            Some(target) => Ok(Next::Link(target)),
            None => Err(SourceError::ForeignLink {
                stream: self.stream.clone(),
                target: from
                    .join(&link)
                    .map_or("no address".to_owned(), |url| url.origin().ascii_serialization()),
                expected: self.settings.api.as_str().to_owned(),
            }),
        }
    }

    fn bad_page(&self, status: u16, reason: String, body: &[u8], token: &Secret) -> SourceError {
        let excerpt = excerpt(body, &[token, &self.settings.client_secret]);
        SourceError::BadPage {
            stream: self.stream.clone(),
            asked: ASKED,
            status,
            reason,
            excerpt,
        }
    }

    fn refused(&self, status: u16, code: Option<String>, remedy: String) -> SourceError {
        SourceError::Refused {
            stream: self.stream.clone(),
            asked: ASKED,
            status,
            code,
            remedy,
        }
    }

    fn unavailable(&self, what: String, tries: u32) -> SourceError {
        SourceError::Unavailable {
            stream: self.stream.clone(),
            asked: ASKED,
            what,
            tries,
        }
    }

    fn out_of_time(&self, doing: &str) -> SourceError {
        SourceError::OutOfTime {
            stream: self.stream.clone(),
            doing: doing.to_owned(),
        }
    }
}
