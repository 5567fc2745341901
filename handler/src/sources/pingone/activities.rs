//! Reads the activities of one environment, page by page.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use reqwest::header::ACCEPT;

use super::token::Tokens;
use super::{event, page, request};
use crate::event::StreamName;
use crate::http::{HttpClient, Reply, Throttle, error_code, excerpt};
use crate::settings::PingOnePoll;
use crate::sources::endpoint::{Answer, Endpoint, Unreadable};
use crate::sources::{CredentialNote, EventKey, Page, Pages, PullStream, SourceError, VendorClock, Window};
use crate::time::{Clock, Deadline};

const ASKED: &str = "the activities endpoint";
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
    /// Where the address comes from, for errors.
    address_setting: String,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    tokens: Tokens,
    throttle: Throttle,
    vendor_clock: VendorClock,
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
            address_setting: format!("{0}REGION (or {0}API_URL)", settings.setting_prefix),
            account: format!("environment {}", settings.environment_id.to_ascii_lowercase()),
            tokens: Tokens::new(stream.clone(), http.clone(), clock.clone(), settings.clone()),
            throttle: Throttle::per_second(settings.requests_per_second, BURST),
            vendor_clock: VendorClock::default(),
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

    fn vendor_clock(&self) -> Option<&VendorClock> {
        Some(&self.vendor_clock)
    }

    fn open(&self, window: Window) -> Box<dyn Pages + '_> {
        Box::new(self.pages(window))
    }

    async fn probe(&self, window: Window, deadline: Deadline) -> Result<usize, SourceError> {
        let mut pages = ActivityPages {
            limit: 1,
            ..self.pages(window)
        };
        let page = pages.next(deadline).await?;
        Ok(page.map_or(0, |page| page.events().count()))
    }

    async fn about_credential(&self, _: Deadline) -> Result<Vec<CredentialNote>, SourceError> {
        Ok(Vec::new())
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
    /// Links that were followed since the first page.
    followed: HashSet<Url>,
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
                Next::First => {
                    self.followed.clear();
                    self.first_page()?
                }
            };
            match self.source.fetch(&url, deadline).await? {
                Fetched::Page(page, link) => {
                    self.next = self.source.follow(&url, link)?;
                    if let Next::Link(link) = &self.next
                        && !self.followed.insert(link.clone())
                    {
                        return Err(self.source.endpoint().bad_page(
                            200,
                            Unreadable {
                                reason: "its link leads back to a page that was read already".to_owned(),
                                excerpt: "[not shown]".to_owned(),
                            },
                        ));
                    }
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
            self.source.endpoint().refused(
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
    fn pages(&self, window: Window) -> ActivityPages<'_> {
        ActivityPages {
            source: self,
            window,
            limit: LIMITS.0,
            next: Next::First,
            followed: HashSet::new(),
            new_starts_left: NEW_STARTS,
        }
    }

    fn endpoint(&self) -> Endpoint<'_> {
        Endpoint {
            stream: &self.stream,
            asked: ASKED,
            http: &self.http,
            clock: &*self.clock,
            address_setting: &self.address_setting,
            throttle: &self.throttle,
            vendor_clock: &self.vendor_clock,
        }
    }

    /// One page, with retries. A token that ends between two pages is renewed and the same page asked for again.
    async fn fetch(&self, url: &Url, deadline: Deadline) -> Result<Fetched, SourceError> {
        let mut renewed = false;
        loop {
            let token = self.tokens.get(deadline).await?;
            let request = || {
                let request = self.http.get(url.clone()).bearer_auth(token.expose());
                request.header(ACCEPT, "application/json")
            };
            let read = |body| {
                page::parse(body).map_err(|(reason, body)| Unreadable {
                    reason,
                    excerpt: excerpt(&body, &[&token, &self.settings.client_secret]),
                })
            };
            return match self.endpoint().ask(request, read, deadline).await? {
                Answer::Read((page, link)) => Ok(Fetched::Page(page, link)),
                Answer::Unwieldy(error) => Ok(Fetched::Unwieldy(error)),
                Answer::Refused(reply) if reply.status.as_u16() == 401 && !renewed => {
                    renewed = true;
                    self.tokens.refused(&token).await;
                    continue;
                }
                Answer::Refused(reply) => self.final_answer(&reply),
            };
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
        let error = self
            .endpoint()
            .refused(reply.status.as_u16(), error_code(&reply.body), remedy);
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
}
