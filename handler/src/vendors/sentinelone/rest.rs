//! A stream over one of the REST endpoints.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::console::Console;
use super::endpoint_spec::EndpointSpec;
use super::page::RestPageInfo;
use super::totals::{Count, Totals};
use crate::event::StreamName;
use crate::sources::cursor_pages::{CompletePage, CursorPages, PageRequest, PageResult};
use crate::sources::endpoint::{AskOutcome, Endpoint, Unreadable};
use crate::sources::page::ParsedPage;
use crate::sources::{CredentialNote, EventKey, Page, PolledStream, SourceError, StreamBase};
use crate::time::Deadline;
use crate::vendors::sentinelone::{api_token, page, query};

/// See the module.
pub struct RestStream {
    base: StreamBase,
    endpoint: Endpoint,
    spec: &'static EndpointSpec,
    console: Arc<Console>,
    totals: Totals,
}

impl RestStream {
    /// The stream `name`, read as `spec` says.
    pub fn new(name: StreamName, spec: &'static EndpointSpec, console: Arc<Console>) -> Self {
        let endpoint = console.endpoint(spec.asked);
        Self {
            base: StreamBase::new(name, &endpoint),
            endpoint,
            spec,
            console,
            totals: Totals::default(),
        }
    }

    /// A page that is whole, or why it is not.
    fn judge(&self, found: ParsedPage<RestPageInfo>, request: PageRequest<'_>) -> Result<CompletePage, NotWhole> {
        let ParsedPage { page, mut info } = found;
        let events = page.events().count();
        let mut count = Count {
            events: request.new_events(&page),
            total: info.total,
            is_last: info.next.is_none(),
            is_absent: info.is_absent,
        };
        let now = self.console.api.now();
        if events == 0 && self.is_end_that_leads_on(&info, request, count, now) {
            (info.next, info.lacks, count.is_last) = (None, None, true);
        }
        let unclear = || request.unclear_end(events).filter(|_| !info.has_pagination);
        let lacks = info.lacks.or_else(unclear);
        let shortfall = self.totals.shortfall(request, count, now);
        let is_only_short = lacks.is_none();
        match lacks.or(shortfall) {
            Some(reason) => Err(NotWhole {
                page,
                reason,
                is_only_short,
            }),
            None => Ok(CompletePage {
                promised: self.totals.promised(request, count, now),
                page,
                next: info.next,
            }),
        }
    }

    /// A page without events that has a cursor is an end where everything came that was promised.
    fn is_end_that_leads_on(
        &self,
        info: &RestPageInfo,
        request: PageRequest<'_>,
        count: Count,
        now: DateTime<Utc>,
    ) -> bool {
        let leads_on = info.next.is_some() && (info.lacks.is_none() || info.lacks_events_only);
        // An empty list at the beginning may be a page that was filtered; its cursor costs a single call.
        let may_be_end = request.cursor.is_some() || info.is_absent;
        let promised = self.totals.promised(request, count, now);
        leads_on && may_be_end && promised.is_some_and(|promised| promised <= request.read)
    }
}

/// A page that something is missing of.
struct NotWhole {
    page: Page,
    reason: String,
    /// True if nothing is wrong with it but that the window's total is not reached.
    is_only_short: bool,
}

#[async_trait]
impl PolledStream for RestStream {
    fn base(&self) -> &StreamBase {
        &self.base
    }

    async fn about_credential(&self, deadline: Deadline) -> Result<Vec<CredentialNote>, SourceError> {
        let note = api_token::end_of_token(&self.console, deadline).await?;
        Ok(vec![note])
    }

    fn key_of(&self, event: &str) -> EventKey {
        self.spec.identity_fields.key_of(event)
    }

    fn notices(&self) -> Vec<String> {
        let mut notices = self.base.notes.take();
        notices.extend(self.totals.notice(self.console.api.now()));
        notices
    }
}

#[async_trait]
impl CursorPages for RestStream {
    fn page_size(&self) -> usize {
        self.spec.page_size
    }

    fn promises_totals(&self) -> bool {
        true
    }

    async fn page(&self, request: PageRequest<'_>, deadline: Deadline) -> Result<PageResult, SourceError> {
        let console = &*self.console;
        let url = query::page(&console.api.origin, self.spec, request).ok_or_else(|| self.endpoint.no_address())?;
        let is_only_short = AtomicBool::new(false);
        let read = |body| {
            is_only_short.store(false, Ordering::Relaxed);
            let found = page::parse(body).map_err(|no_page| console.unreadable(no_page))?;
            self.judge(found, request).map_err(|not_whole| {
                is_only_short.store(not_whole.is_only_short, Ordering::Relaxed);
                Unreadable::incomplete(CompletePage::new(not_whole.page, None), not_whole.reason)
            })
        };
        match self.endpoint.ask(|| console.get(url.clone()), read, deadline).await? {
            AskOutcome::Incomplete(part, error @ SourceError::BadPage { .. })
                if is_only_short.load(Ordering::Relaxed) =>
            {
                match self.totals.give_up(request, console.api.now()) {
                    // What is missing cannot be had: the page is the last one.
                    true => Ok(PageResult::Page(part)),
                    false => Ok(PageResult::Short(part.page, error)),
                }
            }
            outcome => PageResult::of(outcome, |reply| console.refusal(&self.endpoint, reply)),
        }
    }
}
