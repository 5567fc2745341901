//! One of the API's lists, as a stream reads it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use reqwest::Url;

use super::client::OneLoginClient;
use super::list_spec::ListSpec;
use super::page::ListPageInfo;
use crate::event::StreamName;
use crate::http::Reply;
use crate::sources::cursor_pages::{CompletePage, CursorPages, PageRequest, PageResult};
use crate::sources::endpoint::{AskOutcome, Endpoint, Unreadable};
use crate::sources::page::ParsedPage;
use crate::sources::{EventKey, PolledStream, SourceError, StreamBase};
use crate::time::Deadline;
use crate::vendors::onelogin::{failure, query};

/// The largest page that is known to be accepted, and the documented one.
pub const LIMITS: (usize, usize) = (1000, 50);

/// See the module. One that has windows is a stream of events; see `users.rs` for the other one.
pub struct List {
    base: StreamBase,
    endpoint: Endpoint,
    client: Arc<OneLoginClient>,
    spec: &'static ListSpec,
    /// The page size that is asked for first: smaller once the larger one was refused.
    limit: AtomicUsize,
    /// Cursors were refused beside other arguments, and accepted alone.
    asks_by_cursor_alone: AtomicBool,
}

impl List {
    /// The list `spec` of an account, as the stream `onelogin/<instance>/<path>`.
    pub fn new(instance: &str, spec: &'static ListSpec, client: Arc<OneLoginClient>) -> Self {
        let endpoint = Endpoint::new(client.api.clone(), spec.asked);
        Self {
            base: StreamBase::new(StreamName::of("onelogin", instance, spec.path), &endpoint),
            endpoint,
            client,
            spec,
            limit: AtomicUsize::new(LIMITS.0),
            asks_by_cursor_alone: AtomicBool::new(false),
        }
    }
}

impl PolledStream for List {
    fn base(&self) -> &StreamBase {
        &self.base
    }

    fn key_of(&self, event: &str) -> EventKey {
        (self.spec.key_of)(event)
    }
}

#[async_trait]
impl CursorPages for List {
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

    fn cursor_fixes_page_size(&self) -> bool {
        self.asks_by_cursor_alone.load(Ordering::Relaxed)
    }

    async fn page(&self, request: PageRequest<'_>, deadline: Deadline) -> Result<PageResult, SourceError> {
        let api = &self.client.api.origin;
        if let Some(cursor) = request.cursor.filter(|_| self.cursor_fixes_page_size()) {
            let url = query::behind(api, self.spec, cursor);
            return Ok(self.ask(url, request, deadline).await?.result);
        }
        let asked = self
            .ask(query::page(api, self.spec, request), request, deadline)
            .await?;
        let Some(cursor) = request.cursor.filter(|_| asked.blames_arguments) else {
            return Ok(asked.result);
        };
        // Some accounts take a cursor or other arguments, and not both.
        let url = query::behind(api, self.spec, cursor);
        let by_cursor = self.ask(url, request, deadline).await?.result;
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

impl List {
    async fn ask(
        &self,
        url: Option<Url>,
        request: PageRequest<'_>,
        deadline: Deadline,
    ) -> Result<ListReply, SourceError> {
        let url = url.ok_or_else(|| self.endpoint.no_address())?;
        let whole = |ParsedPage { page, info }: ParsedPage<ListPageInfo>| {
            let events = page.events().count();
            let unclear = || request.unclear_end(events).filter(|_| !info.has_pagination);
            match info.lacks.or_else(unclear) {
                Some(reason) => Err(Unreadable::incomplete(CompletePage::new(page, None), reason)),
                None => Ok(CompletePage::new(page, info.next)),
            }
        };
        let outcome = self.client.page(&self.endpoint, &url, whole, deadline).await?;
        let blames = |reply: &Reply| failure::blames_arguments(&reply.body);
        Ok(ListReply {
            blames_arguments: matches!(&outcome, AskOutcome::Refused(reply) if blames(reply)),
            result: PageResult::of(outcome, |reply| self.client.refusal(&self.endpoint, reply))?,
        })
    }
}
