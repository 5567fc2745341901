//! Pages that are asked for along the cursors that the vendor gives.

use async_trait::async_trait;

use super::distinct::Distinct;
use super::endpoint::AskOutcome;
use super::{Page, PolledStream, SourceError, Window};
use crate::http::Reply;
use crate::time::Deadline;

/// Gives the page behind a cursor.
#[async_trait]
pub trait CursorPages: PolledStream {
    /// The page size that is asked for first.
    fn page_size(&self) -> usize;
    /// A page size that no vendor refuses for being too large.
    fn fallback_page_size(&self) -> usize {
        100
    }
    /// The fallback page size was accepted where the usual one was refused.
    fn fallback_page_size_was_accepted(&self) {}
    /// True if a cursor holds the page size: smaller pages are had from the first page on.
    fn cursor_fixes_page_size(&self) -> bool {
        false
    }
    /// True if pages promise a number of events: only then it matters that an event which comes twice counts once.
    fn promises_totals(&self) -> bool {
        false
    }
    /// The page that is asked for.
    async fn page(&self, request: PageRequest<'_>, deadline: Deadline) -> Result<PageResult, SourceError>;
}

/// A page of a window that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest<'a> {
    /// The window.
    pub window: Window,
    /// Events on it, at the most.
    pub limit: usize,
    /// Behind this cursor; `None` for the first page.
    pub cursor: Option<&'a str>,
    /// So many events of the window came on the pages before.
    pub read: u64,
    /// Which ones, where it matters.
    pub seen: Option<&'a Distinct>,
}

impl PageRequest<'_> {
    /// The first page of a window.
    pub fn first(window: Window, limit: usize) -> Self {
        Self {
            window,
            limit,
            cursor: None,
            read: 0,
            seen: None,
        }
    }

    /// How many events of a page did not come on the pages before.
    pub fn new_events(&self, page: &Page) -> u64 {
        let nothing = Distinct::default();
        self.seen.unwrap_or(&nothing).new_on(page)
    }

    /// Why a page of so many events that says nothing of a next one cannot be taken for the last, if it cannot.
    pub fn unclear_end(&self, events: usize) -> Option<String> {
        let may_have_more = events >= self.limit.max(2) && !self.window.is_shortest();
        may_have_more.then(|| "it is full, and does not say whether there is a next page".to_owned())
    }
}

/// A whole page.
#[derive(Debug)]
pub struct CompletePage {
    /// Its events.
    pub page: Page,
    /// The cursor of the next page, unless it is the last.
    pub next: Option<String>,
    /// How many events the window has, as far as the vendor's total can be believed.
    pub promised: Option<u64>,
}

impl CompletePage {
    /// A page that promises nothing.
    pub fn new(page: Page, next: Option<String>) -> Self {
        Self {
            page,
            next,
            promised: None,
        }
    }
}

/// What asking for a page brought.
#[derive(Debug)]
pub enum PageResult {
    /// The page.
    Page(CompletePage),
    /// Something of the page is missing. Its events are delivered, and reading ends with the error.
    Incomplete(Page, SourceError),
    /// Nothing is wrong with the last page but that less came than was promised. The window may have changed on the
    /// way: its events are delivered, and it is begun anew once before that is an error.
    Short(Page, SourceError),
    /// 400, 410 or 422: perhaps an expired cursor, perhaps the page size.
    Refused(SourceError),
    /// Too large or too slow.
    TooLarge(SourceError),
}

impl PageResult {
    /// Of what came of asking. A refusal is about the request, or an error, by its status.
    pub fn of(
        outcome: AskOutcome<CompletePage>,
        refusal: impl FnOnce(&Reply) -> SourceError,
    ) -> Result<Self, SourceError> {
        match outcome {
            AskOutcome::Read(complete) => Ok(Self::Page(complete)),
            AskOutcome::Incomplete(part, error) => Ok(Self::Incomplete(part.page, error)),
            AskOutcome::TooLarge(error) => Ok(Self::TooLarge(error)),
            AskOutcome::Refused(reply) if matches!(reply.status.as_u16(), 400 | 410 | 422) => {
                Ok(Self::Refused(refusal(&reply)))
            }
            AskOutcome::Refused(reply) => Err(refusal(&reply)),
        }
    }
}
