//! Reads the activities of one environment, page by page.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use reqwest::header::ACCEPT;

use super::page::ActivityPage;
use super::settings::PingOnePoll;
use super::token::EnvironmentTokens;
use crate::event::StreamName;
use crate::http::{HttpClient, Reply, Throttle, error_code};
use crate::sources::api_client::ApiClient;
use crate::sources::cursor_pager::{CompletePage, CursorPages, PagePosition, PageResult};
use crate::sources::endpoint::{AskOutcome, Endpoint, Unreadable};
use crate::sources::incomplete::Incomplete;
use crate::sources::notes::Notes;
use crate::sources::oauth::AccessTokens;
use crate::sources::{EventKey, Page, PolledStream, SourceError, VendorClock, Window};
use crate::time::{Clock, Deadline};
use crate::vendors::pingone::{event, page, request};

const ASKED: &str = "the activities endpoint";
const BURST: NonZeroU32 = match NonZeroU32::new(10) {
    Some(burst) => burst,
    None => NonZeroU32::MIN,
};
/// The largest page that is known to be accepted, and the documented default.
const LIMITS: (usize, usize) = (500, 100);
/// PingOne answers for the last 14 days only, and says nothing when it is asked for more.
const READABLE_FOR: Duration = Duration::from_secs(14 * 24 * 3600);

/// The stream `pingone/<instance>/activities`.
pub struct Activities {
    stream: StreamName,
    api: ApiClient,
    tokens: AccessTokens<EnvironmentTokens>,
    settings: PingOnePoll,
    notes: Notes,
}

impl Activities {
    /// Of the environment in `settings`.
    pub fn new(instance: &str, settings: PingOnePoll, http: HttpClient, clock: Arc<dyn Clock>) -> Self {
        let tokens = AccessTokens::new(EnvironmentTokens {
            http: http.clone(),
            clock: clock.clone(),
            settings: settings.clone(),
        });
        let api = ApiClient {
            origin: settings.api.clone(),
            account: format!("environment {}", settings.environment_id.to_ascii_lowercase()),
            address_setting: format!("{0}REGION (or {0}API_URL)", settings.setting_prefix),
            setting_prefix: settings.setting_prefix.clone(),
            http,
            clock,
            throttle: Throttle::per_second(settings.requests_per_second, BURST),
            vendor_clock: VendorClock::default(),
        };
        Self {
            stream: StreamName {
                source: "pingone",
                instance: instance.to_owned(),
                stream: "activities",
            },
            api,
            tokens,
            settings,
            notes: Notes::default(),
        }
    }
}

impl PolledStream for Activities {
    fn name(&self) -> &StreamName {
        &self.stream
    }

    fn account(&self) -> &str {
        &self.api.account
    }

    fn readable_for(&self) -> Option<Duration> {
        Some(READABLE_FOR)
    }

    fn pages_per_minute(&self) -> Option<f64> {
        Some(self.settings.requests_per_second * 60.0)
    }

    fn vendor_clock(&self) -> Option<&VendorClock> {
        Some(&self.api.vendor_clock)
    }

    fn key_of(&self, event: &str) -> EventKey {
        event::key_of(event)
    }

    fn notices(&self) -> Vec<String> {
        self.notes.take()
    }
}

#[async_trait]
impl CursorPages for Activities {
    fn asked(&self) -> &'static str {
        ASKED
    }

    fn page_size(&self) -> usize {
        LIMITS.0
    }

    fn notes(&self) -> &Notes {
        &self.notes
    }

    fn fallback_page_size(&self) -> usize {
        LIMITS.1
    }

    /// What stands in for a cursor is a link, and the page size is part of it.
    fn cursor_fixes_page_size(&self) -> bool {
        true
    }

    async fn page(
        &self,
        window: Window,
        limit: usize,
        place: PagePosition<'_>,
        deadline: Deadline,
    ) -> Result<PageResult, SourceError> {
        let url = match place.cursor.map(Url::parse) {
            Some(Ok(link)) => link,
            Some(Err(_)) | None => self.first_page(window, limit)?,
        };
        // A size that is never reached must not stop the stream: the shortest windows are taken as they come.
        let limit = (!window.is_shortest()).then_some(limit);
        self.fetch(&url, limit, deadline).await
    }
}

impl Activities {
    fn first_page(&self, window: Window, limit: usize) -> Result<Url, SourceError> {
        let settings = &self.settings;
        request::first_page(&settings.api, &settings.environment_id, window, limit).ok_or_else(|| {
            let prefix = &settings.setting_prefix;
            self.endpoint().refused(
                0,
                None,
                format!("check {prefix}API_URL and {prefix}ENVIRONMENT_ID: they make no address"),
            )
        })
    }

    fn endpoint(&self) -> Endpoint<'_> {
        Endpoint::new(&self.api, &self.stream, ASKED)
    }

    /// One page, with retries. A token that ends between two pages is renewed and the same page asked for again.
    async fn fetch(&self, url: &Url, limit: Option<usize>, deadline: Deadline) -> Result<PageResult, SourceError> {
        let mut renewed = false;
        loop {
            let token = self.tokens.get(&self.stream, deadline).await?;
            let request = || {
                let request = self.api.http.get(url.clone()).bearer_auth(token.expose());
                request.header(ACCEPT, "application/json")
            };
            let incomplete = Incomplete::default();
            let read = |body| {
                let mut found = page::parse(body)
                    .map_err(|no_page| Unreadable::of(no_page, &[&token, &self.settings.client_secret]))?;
                self.take_for_end(&mut found);
                let lacks = match limit {
                    Some(limit) => found.lacks_of(limit),
                    None => found.lacks.clone(),
                };
                match lacks {
                    Some(reason) => Err(incomplete.keep(found.page, reason)),
                    None => Ok((found.page, found.next)),
                }
            };
            let answer = match self.endpoint().ask(request, read, deadline).await {
                Ok(answer) => answer,
                Err(error) => return incomplete.ended(error),
            };
            return match answer {
                AskOutcome::Read((page, link)) => Ok(self.result(page, url, link)),
                AskOutcome::TooLarge(error) => Ok(PageResult::TooLarge(error)),
                AskOutcome::Refused(reply) if reply.status.as_u16() == 401 && !renewed => {
                    renewed = true;
                    self.tokens.discard(&token).await;
                    continue;
                }
                AskOutcome::Refused(reply) => self.final_answer(&reply),
            };
        }
    }

    /// A page that is not full and says that there is a next one, but not where (`"next": true`), is an end.
    fn take_for_end(&self, found: &mut ActivityPage) {
        if found.leads_nowhere && found.page.events().count() < LIMITS.1 {
            found.lacks = None;
            self.notes.add(format!(
                "{}: the last page of {ASKED} says that there is a next one, and not where; it is not full, and is \
                 taken for the end",
                self.stream
            ));
        }
    }

    /// A page is given out also if its link is not followed.
    fn result(&self, page: Page, from: &Url, link: Option<String>) -> PageResult {
        match link.map(|link| self.follow(from, &link)).transpose() {
            Ok(next) => PageResult::Page(CompletePage {
                page,
                next: next.map(String::from),
                promised: None,
            }),
            Err(error) => PageResult::Incomplete(page, error),
        }
    }

    fn final_answer(&self, reply: &Reply) -> Result<PageResult, SourceError> {
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
        PageResult::of_refusal(reply.status.as_u16(), error)
    }

    /// The link is followed only to the same scheme, host and port: the token goes with it.
    fn follow(&self, from: &Url, link: &str) -> Result<Url, SourceError> {
        let target = from.join(link).ok();
        let target_of =
            |target: Option<Url>| target.map_or("no address".to_owned(), |url| url.origin().ascii_serialization());
        match target {
            Some(target) if self.settings.api.is_origin_of(&target) => Ok(target),
            other => Err(SourceError::ForeignLink {
                stream: self.stream.clone(),
                target: target_of(other),
                expected: self.settings.api.as_str().to_owned(),
            }),
        }
    }
}
