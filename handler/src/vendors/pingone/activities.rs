//! Reads the activities of one environment, page by page.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use reqwest::Url;
use reqwest::header::ACCEPT;

use super::settings::PingOnePoll;
use crate::config::Secret;
use crate::event::StreamName;
use crate::http::{Reply, Throttle, error_code};
use crate::sources::api_client::ApiClient;
use crate::sources::cursor_pages::{CompletePage, CursorPages, PageRequest, PageResult};
use crate::sources::endpoint::{AskOutcome, Endpoint, Unreadable};
use crate::sources::form_tokens::FormTokenEndpoint;
use crate::sources::oauth::AccessTokens;
use crate::sources::page::ParsedPage;
use crate::sources::{EventKey, PolledStream, SourceError, StreamBase};
use crate::time::Deadline;
use crate::vendors::BuildContext;
use crate::vendors::pingone::{event, page, request, token};

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
    base: StreamBase,
    endpoint: Endpoint,
    tokens: AccessTokens<FormTokenEndpoint>,
    settings: PingOnePoll,
}

impl Activities {
    /// Of the environment in `settings`.
    pub fn new(settings: PingOnePoll, context: &BuildContext<'_>) -> Self {
        let api = ApiClient {
            origin: settings.api.clone(),
            account: format!("environment {}", settings.environment_id.to_ascii_lowercase()),
            address_setting: format!("{0}REGION (or {0}API_URL)", settings.setting_prefix),
            setting_prefix: settings.setting_prefix.clone(),
            http: context.http.clone(),
            clock: context.clock.clone(),
            rate_setting: Some(format!("{}REQUESTS_PER_SECOND", settings.setting_prefix)),
            throttle: Throttle::per_second(settings.requests_per_second, BURST),
            last_throttling: Mutex::default(),
            vendor_clock: Arc::default(),
            is_rate_limit: |_| false,
        };
        let endpoint = Endpoint::new(Arc::new(api), ASKED);
        let name = StreamName::of("pingone", context.instance, "activities");
        Self {
            base: StreamBase {
                readable_for: Some(READABLE_FOR),
                pages_per_minute: Some(settings.requests_per_second * 60.0),
                ..StreamBase::new(name, &endpoint)
            },
            endpoint,
            tokens: token::tokens_of(&settings, context),
            settings,
        }
    }
}

impl PolledStream for Activities {
    fn base(&self) -> &StreamBase {
        &self.base
    }

    fn key_of(&self, event: &str) -> EventKey {
        event::key_of(event)
    }
}

#[async_trait]
impl CursorPages for Activities {
    fn page_size(&self) -> usize {
        LIMITS.0
    }

    fn fallback_page_size(&self) -> usize {
        LIMITS.1
    }

    /// What stands in for a cursor is a link, and the page size is part of it.
    fn cursor_fixes_page_size(&self) -> bool {
        true
    }

    async fn page(&self, request: PageRequest<'_>, deadline: Deadline) -> Result<PageResult, SourceError> {
        let link = request.cursor.and_then(|link| Url::parse(link).ok());
        let first_page = || request::first_page(&self.settings.api, &self.settings.environment_id, request);
        let url = link.or_else(first_page).ok_or_else(|| self.endpoint.no_address())?;
        // A size that is never reached must not stop the stream: the shortest windows are taken as they come.
        let limit = (!request.window.is_shortest()).then_some(request.limit);
        let get = |token: &Secret| {
            let request = self.endpoint.api.http.get(url.clone()).bearer_auth(token.expose());
            request.header(ACCEPT, "application/json")
        };
        let read = |body, token: &Secret| self.read(body, token, limit);
        match self.tokens.ask(&self.endpoint, get, read, deadline).await? {
            AskOutcome::Read(complete) => Ok(self.followed(complete, &url)),
            outcome => PageResult::of(outcome, |reply| self.refusal(reply)),
        }
    }
}

impl Activities {
    fn read(
        &self,
        body: Vec<u8>,
        token: &Secret,
        limit: Option<usize>,
    ) -> Result<CompletePage, Unreadable<CompletePage>> {
        let parsed = page::parse(body);
        let ParsedPage { page, mut info } =
            parsed.map_err(|no_page| Unreadable::of(no_page, &[token, &self.settings.client_secret]))?;
        // A page that is not full and says that there is a next one, but not where (`"next": true`), is an end.
        if info.leads_nowhere && page.events().count() < LIMITS.1 {
            info.lacks = None;
            self.base.notes.add(format!(
                "the last page of {ASKED} says that there is a next one, and not where; it is not full, and is taken for \
                 the end"
            ));
        }
        let lacks = match limit {
            Some(limit) => info.lacks_of(&page, limit),
            None => info.lacks,
        };
        match lacks {
            Some(reason) => Err(Unreadable::incomplete(CompletePage::new(page, None), reason)),
            None => Ok(CompletePage::new(page, info.next)),
        }
    }

    /// A page is given out also if its link is not followed.
    fn followed(&self, complete: CompletePage, from: &Url) -> PageResult {
        let next = complete.next.map(|link| self.follow(from, &link)).transpose();
        match next {
            Ok(next) => PageResult::Page(CompletePage::new(complete.page, next.map(String::from))),
            Err(error) => PageResult::Incomplete(complete.page, error),
        }
    }

    fn refusal(&self, reply: &Reply) -> SourceError {
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
        self.endpoint
            .refused(reply.status.as_u16(), error_code(&reply.body), remedy)
    }

    /// The link is followed only to the same scheme, host and port: the token goes with it.
    fn follow(&self, from: &Url, link: &str) -> Result<Url, SourceError> {
        let target = from.join(link).ok();
        match target {
            Some(target) if self.settings.api.is_origin_of(&target) => Ok(target),
            other => Err(SourceError::ForeignLink {
                target: other.map_or("no address".to_owned(), |url| url.origin().ascii_serialization()),
                expected: self.settings.api.as_str().to_owned(),
            }),
        }
    }
}
