//! One of the API's lists, as a stream reads it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use reqwest::Url;

use super::client::OneLoginClient;
use super::page::ListPage;
use crate::event::StreamName;
use crate::sources::cursor_pager::{CompletePage, CursorPages, PagePosition, PageResult};
use crate::sources::endpoint::{AskOutcome, Endpoint};
use crate::sources::incomplete::Incomplete;
use crate::sources::notes::Notes;
use crate::sources::{EventKey, PolledStream, SourceError, VendorClock, Window};
use crate::time::Deadline;
use crate::vendors::onelogin::{failure, query};

/// The largest page that is known to be accepted, and the documented one.
pub const LIMITS: (usize, usize) = (1000, 50);

/// What is particular to a list.
#[derive(Debug)]
pub struct ListSpec {
    /// Behind `/api/1/`.
    pub path: &'static str,
    /// What it is, in words, for errors.
    pub asked: &'static str,
    /// What it holds, in words, for remedies.
    pub holds: &'static str,
    /// False for a list that is always read whole.
    pub has_windows: bool,
    /// Names an object.
    pub key_of: fn(&str) -> EventKey,
}

/// See the module. One that has windows is a stream of events; see `users.rs` for the other one.
pub struct List {
    /// The stream.
    pub stream: StreamName,
    /// Where it is.
    pub client: Arc<OneLoginClient>,
    spec: &'static ListSpec,
    /// The page size that is asked for first: smaller once the larger one was refused.
    limit: AtomicUsize,
    /// Cursors were refused beside other arguments, and accepted alone.
    asks_by_cursor_alone: AtomicBool,
    notes: Notes,
}

impl List {
    /// The list `form` of an account, as the stream `onelogin/<instance>/<path>`.
    pub fn new(instance: &str, spec: &'static ListSpec, client: Arc<OneLoginClient>) -> Self {
        Self {
            stream: StreamName {
                source: "onelogin",
                instance: instance.to_owned(),
                stream: spec.path,
            },
            client,
            spec,
            limit: AtomicUsize::new(LIMITS.0),
            asks_by_cursor_alone: AtomicBool::new(false),
            notes: Notes::default(),
        }
    }
}

impl PolledStream for List {
    fn name(&self) -> &StreamName {
        &self.stream
    }

    fn account(&self) -> &str {
        &self.client.api.account
    }

    fn vendor_clock(&self) -> Option<&VendorClock> {
        Some(&self.client.api.vendor_clock)
    }

    fn key_of(&self, event: &str) -> EventKey {
        (self.spec.key_of)(event)
    }

    fn notices(&self) -> Vec<String> {
        self.notes.take()
    }
}

#[async_trait]
impl CursorPages for List {
    fn asked(&self) -> &'static str {
        self.spec.asked
    }

    fn page_size(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    fn fallback_page_size(&self) -> usize {
        LIMITS.1
    }

    /// Asked for first from then on.
    fn fallback_page_size_was_accepted(&self) {
        self.limit.store(LIMITS.1, Ordering::Relaxed);
    }

    fn notes(&self) -> &Notes {
        &self.notes
    }

    fn cursor_fixes_page_size(&self) -> bool {
        self.asks_by_cursor_alone.load(Ordering::Relaxed)
    }

    async fn page(
        &self,
        window: Window,
        limit: usize,
        place: PagePosition<'_>,
        deadline: Deadline,
    ) -> Result<PageResult, SourceError> {
        let alone = place.cursor.filter(|_| self.cursor_fixes_page_size());
        if let Some(cursor) = alone {
            return self
                .page_behind(cursor, window, limit, deadline)
                .await
                .map(|asked| asked.result);
        }
        let client = &*self.client;
        let asked = self.spec.has_windows.then_some(window);
        let url = query::page(&client.api.origin, self.spec.path, asked, limit, place.cursor);
        let asked = self.ask(url, window, limit, deadline).await?;
        let Some(cursor) = place.cursor.filter(|_| asked.blames_arguments) else {
            return Ok(asked.result);
        };
        // Some accounts take a cursor or other arguments, and not both.
        let by_cursor = self.page_behind(cursor, window, limit, deadline).await?.result;
        if matches!(by_cursor, PageResult::Refused(_)) {
            return Ok(asked.result);
        }
        self.asks_by_cursor_alone.store(true, Ordering::Relaxed);
        Ok(by_cursor)
    }
}

/// What asking for a page brought.
struct ListReply {
    result: PageResult,
    /// It was refused with words about cursors or arguments.
    blames_arguments: bool,
}

impl ListReply {
    fn of(result: PageResult) -> Self {
        Self {
            result,
            blames_arguments: false,
        }
    }
}

impl List {
    async fn page_behind(
        &self,
        cursor: &str,
        window: Window,
        limit: usize,
        deadline: Deadline,
    ) -> Result<ListReply, SourceError> {
        let url = query::behind(&self.client.api.origin, self.spec.path, cursor);
        self.ask(url, window, limit, deadline).await
    }

    async fn ask(
        &self,
        url: Option<Url>,
        window: Window,
        limit: usize,
        deadline: Deadline,
    ) -> Result<ListReply, SourceError> {
        let client = &*self.client;
        let endpoint = Endpoint::new(&client.api, &self.stream, self.spec.asked);
        let url = url.ok_or_else(|| client.no_address(&endpoint))?;
        let incomplete = Incomplete::default();
        let whole = |found: ListPage| {
            let is_full = found.page.events().count() >= limit.max(2);
            let may_have_more = !found.has_pagination && is_full && !window.is_shortest();
            let unclear = may_have_more.then(|| "it is full, and does not say whether there is a next page".to_owned());
            match found.lacks.or(unclear) {
                Some(reason) => Err(incomplete.keep(found.page, reason)),
                None => Ok((found.page, found.next)),
            }
        };
        let answer = match client.page(&endpoint, &url, whole, deadline).await {
            Ok(answer) => answer,
            Err(error) => return incomplete.ended(error).map(ListReply::of),
        };
        match answer {
            AskOutcome::Read((page, next)) => Ok(ListReply::of(PageResult::Page(CompletePage {
                page,
                next,
                promised: None,
            }))),
            AskOutcome::TooLarge(error) => Ok(ListReply::of(PageResult::TooLarge(error))),
            AskOutcome::Refused(reply) => {
                let error = client.refusal(&endpoint, self.spec.holds, &reply);
                Ok(ListReply {
                    blames_arguments: failure::blames_arguments(&reply.body),
                    result: PageResult::of_refusal(reply.status.as_u16(), error)?,
                })
            }
        }
    }
}
