//! A stream over one of the REST endpoints.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::console::Console;
use super::endpoint_spec::EndpointSpec;
use super::page::RestPage;
use super::totals::{Count, Totals};
use crate::event::StreamName;
use crate::sources::cursor_pager::{CompletePage, CursorPages, PagePosition, PageResult};
use crate::sources::endpoint::{AskOutcome, Endpoint};
use crate::sources::incomplete::Incomplete;
use crate::sources::notes::Notes;
use crate::sources::{CredentialNote, EventKey, Page, PolledStream, SourceError, VendorClock, Window};
use crate::time::Deadline;
use crate::vendors::sentinelone::{api_token, page, query};

/// See the module.
pub struct RestStream {
    name: StreamName,
    spec: &'static EndpointSpec,
    console: Arc<Console>,
    totals: Totals,
    notes: Notes,
}

impl RestStream {
    /// The stream `name`, read as `form` says.
    pub fn new(name: StreamName, spec: &'static EndpointSpec, console: Arc<Console>) -> Self {
        Self {
            name,
            spec,
            console,
            totals: Totals::default(),
            notes: Notes::default(),
        }
    }
}

#[async_trait]
impl PolledStream for RestStream {
    fn name(&self) -> &StreamName {
        &self.name
    }

    fn account(&self) -> &str {
        &self.console.api.account
    }

    fn vendor_clock(&self) -> Option<&VendorClock> {
        Some(&self.console.api.vendor_clock)
    }

    async fn about_credential(&self, deadline: Deadline) -> Result<Vec<CredentialNote>, SourceError> {
        let note = api_token::end_of_token(&self.console, &self.name, deadline).await?;
        Ok(vec![note])
    }

    fn key_of(&self, event: &str) -> EventKey {
        self.spec.identity_fields.key_of(event)
    }

    fn notices(&self) -> Vec<String> {
        let mut notices = self.notes.take();
        notices.extend(self.totals.notice(&self.name, self.console.api.now()));
        notices
    }
}

impl RestStream {
    /// A page that is whole, or why it is not.
    fn judge(
        &self,
        mut found: RestPage,
        window: Window,
        limit: usize,
        place: PagePosition<'_>,
    ) -> Result<CompletePage, NotWhole> {
        let events = found.page.events().count();
        let mut count = Count {
            events: place.new_events(&found.page),
            total: found.total,
            is_last: found.next.is_none(),
            is_absent: found.is_absent,
        };
        let now = self.console.api.now();
        if events == 0 && self.is_end_that_leads_on(&found, place, count, now) {
            (found.next, found.lacks, count.is_last) = (None, None, true);
        }
        let says_nothing_of_more = !found.has_pagination && events >= limit.max(2) && !window.is_shortest();
        let lacks = found.lacks.or_else(|| {
            says_nothing_of_more.then(|| "it is full, and does not say whether there is a next page".to_owned())
        });
        let shortfall = self.totals.shortfall(place, count, now);
        let is_only_short = lacks.is_none();
        match lacks.or(shortfall) {
            Some(reason) => Err(NotWhole {
                page: found.page,
                reason,
                is_only_short,
            }),
            None => Ok(CompletePage {
                promised: self.totals.promised(place, count, now),
                page: found.page,
                next: found.next,
            }),
        }
    }
}

impl RestStream {
    /// A page without events that has a cursor is an end where everything came that was promised.
    fn is_end_that_leads_on(
        &self,
        found: &RestPage,
        place: PagePosition<'_>,
        count: Count,
        now: DateTime<Utc>,
    ) -> bool {
        let leads_on = found.next.is_some() && (found.lacks.is_none() || found.lacks_events_only);
        // An empty list at the beginning may be a page that was filtered; its cursor costs a single call.
        let may_be_end = place.cursor.is_some() || found.is_absent;
        let promised = self.totals.promised(place, count, now);
        leads_on && may_be_end && promised.is_some_and(|promised| promised <= place.read)
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
impl CursorPages for RestStream {
    fn asked(&self) -> &'static str {
        self.spec.asked
    }

    fn page_size(&self) -> usize {
        self.spec.page_size
    }

    fn notes(&self) -> &Notes {
        &self.notes
    }

    fn promises_totals(&self) -> bool {
        true
    }

    async fn page(
        &self,
        window: Window,
        limit: usize,
        place: PagePosition<'_>,
        deadline: Deadline,
    ) -> Result<PageResult, SourceError> {
        let console = &*self.console;
        let endpoint = Endpoint::new(&console.api, &self.name, self.spec.asked);
        let url = query::page(&console.api.origin, self.spec, window, limit, place.cursor)
            .ok_or_else(|| console.no_address(&endpoint))?;
        let request = || console.get(url.clone());
        let (incomplete, is_only_short) = (Incomplete::default(), AtomicBool::new(false));
        let read = |body| {
            is_only_short.store(false, Ordering::Relaxed);
            let found = page::parse(body).map_err(|no_page| console.unreadable(no_page))?;
            self.judge(found, window, limit, place).map_err(|not_whole| {
                is_only_short.store(not_whole.is_only_short, Ordering::Relaxed);
                incomplete.keep(not_whole.page, not_whole.reason)
            })
        };
        let answer = match endpoint.ask(request, read, deadline).await {
            Ok(answer) => answer,
            Err(error @ SourceError::BadPage { .. }) if is_only_short.load(Ordering::Relaxed) => {
                return match self.totals.give_up(window, place, console.api.now()) {
                    true => incomplete.taken_for_whole(error),
                    false => incomplete.ended_short(error),
                };
            }
            Err(error) => return incomplete.ended(error),
        };
        match answer {
            AskOutcome::Read(complete) => Ok(PageResult::Page(complete)),
            AskOutcome::TooLarge(error) => Ok(PageResult::TooLarge(error)),
            AskOutcome::Refused(reply) => {
                let error = console.refusal(&endpoint, self.spec.holds, &reply);
                PageResult::of_refusal(reply.status.as_u16(), error)
            }
        }
    }
}
