//! Reads the pages of a window along the cursors that the vendor gives.

use std::collections::HashSet;

use async_trait::async_trait;

use super::cursor_pages::{CompletePage, CursorPages, PageRequest, PageResult};
use super::distinct::Distinct;
use crate::sources::{Page, Pages, SourceError, StreamBase, TOKEN_ENDPOINT, Window, WindowedStream};
use crate::time::Deadline;

/// How often a window is restarted because a cursor was refused.
const NEW_STARTS: u32 = 2;
/// Pages without events in a row behind which nothing more is expected.
const MOST_EMPTY_PAGES: u32 = 10;

/// The first page of a window, of one event at the most: how many came.
pub async fn least_page(source: &dyn CursorPages, window: Window, deadline: Deadline) -> Result<usize, SourceError> {
    match source.page(PageRequest::first(window, 1), deadline).await? {
        PageResult::Page(complete) => Ok(complete.page.events().count()),
        PageResult::Refused(error)
        | PageResult::TooLarge(error)
        | PageResult::Incomplete(_, error)
        | PageResult::Short(_, error) => Err(error),
    }
}

/// See the module.
pub struct CursorPager<'a> {
    source: &'a dyn CursorPages,
    window: Window,
    limit: usize,
    at: PagerState,
    /// Events since the first page.
    read: u64,
    seen: Distinct,
    seen_cursors: HashSet<String>,
    new_starts_left: u32,
    /// It was begun anew because less came than was promised.
    was_short: bool,
    empty_pages: u32,
    /// The first page after a resumption is still to come.
    is_resuming: bool,
    /// The usual page size was refused, and whether the fallback is accepted is still to be seen.
    tries_fallback: bool,
}

enum PagerState {
    First,
    Behind(String),
    End,
    /// Given out is what came of the page behind the cursor.
    Failed(SourceError, Option<String>),
}

impl<'a> CursorPager<'a> {
    /// At the beginning of a window.
    pub fn new(source: &'a dyn CursorPages, window: Window, limit: usize) -> Self {
        Self {
            source,
            window,
            limit,
            at: PagerState::First,
            read: 0,
            seen: Distinct::default(),
            seen_cursors: HashSet::new(),
            new_starts_left: NEW_STARTS,
            was_short: false,
            empty_pages: 0,
            is_resuming: false,
            tries_fallback: false,
        }
    }

    /// From where an earlier pager of the same window ended.
    pub fn resuming_at(mut self, cursor: String) -> Self {
        self.seen_cursors.insert(cursor.clone());
        self.at = PagerState::Behind(cursor);
        self.is_resuming = true;
        self
    }

    /// True if no further page is asked for.
    pub fn is_at_end(&self) -> bool {
        matches!(self.at, PagerState::End | PagerState::Failed(..))
    }

    /// The page is given out in any case, whatever is wrong with the way on from it.
    fn pass(&mut self, complete: CompletePage) -> Page {
        if std::mem::take(&mut self.tries_fallback) {
            self.source.fallback_page_size_was_accepted();
        }
        let events = complete.page.events().count();
        self.count(&complete.page, events);
        let is_resuming = std::mem::take(&mut self.is_resuming);
        self.at = match complete.next {
            None if is_resuming && events == 0 => {
                self.tell_of_dead_cursor();
                self.go_back();
                PagerState::First
            }
            None => PagerState::End,
            Some(cursor) if !self.seen_cursors.insert(cursor.clone()) => {
                self.end_of_circle(events, &cursor, complete.promised)
            }
            Some(cursor) if self.empty_pages >= MOST_EMPTY_PAGES => {
                let reason = format!("it is the last of {MOST_EMPTY_PAGES} in a row without events that lead on");
                PagerState::Failed(self.bad_page(reason), Some(cursor))
            }
            Some(cursor) => PagerState::Behind(cursor),
        };
        complete.page
    }

    fn count(&mut self, page: &Page, events: usize) {
        self.empty_pages = if events == 0 { self.empty_pages + 1 } else { 0 };
        self.read += match self.source.promises_totals() {
            true => self.seen.add(page),
            false => events as u64,
        };
    }

    fn bad_page(&self, reason: String) -> SourceError {
        SourceError::BadPage {
            asked: self.source.base().asked,
            status: 200,
            reason,
            excerpt: "[not shown]".to_owned(),
        }
    }

    /// A last page that leads back to itself, or to the beginning, is an end. Where there may be more behind it, the
    /// window counts as interrupted: cut into shorter ones, it needs no link.
    fn end_of_circle(&self, events: usize, cursor: &str, promised: Option<u64>) -> PagerState {
        let may_have_more = match promised {
            Some(promised) => promised > self.read,
            None => events >= self.least_full_page(cursor) && !self.window.is_shortest(),
        };
        if may_have_more {
            let reason = "it leads back to a page that was read, although there may be more behind it";
            return PagerState::Failed(self.bad_page(reason.to_owned()), None);
        }
        let StreamBase { asked, notes, .. } = self.source.base();
        notes.add(format!(
            "the last page of {asked} leads back to a page that was read; it is taken for the end"
        ));
        PagerState::End
    }

    /// With so many events a page may be full, although more were asked for: vendors cap their pages.
    fn least_full_page(&self, link: &str) -> usize {
        let least = self.limit.min(self.source.fallback_page_size());
        limit_in(link).map_or(least, |limit| least.min(limit))
    }

    fn tell_of_dead_cursor(&self) {
        let StreamBase { asked, notes, .. } = self.source.base();
        notes.add(format!(
            "{asked} does not know the place any more at which the run before ended; everything is read from \
             the beginning, and what came before is not delivered again"
        ));
    }

    /// The page at which an earlier pager ended is refused for good: its cursor is dead.
    fn leave_dead_cursor(&mut self, error: SourceError) -> Result<(), SourceError> {
        let is_about_cursor =
            matches!(error, SourceError::Refused { status, asked, .. } if status != 401 && asked != TOKEN_ENDPOINT);
        if !std::mem::take(&mut self.is_resuming) || !is_about_cursor {
            return Err(error);
        }
        self.tell_of_dead_cursor();
        self.go_back();
        Ok(())
    }

    /// After a failure the pager stands before the page that was at fault.
    fn fail(&mut self) -> Result<Option<Page>, SourceError> {
        match std::mem::replace(&mut self.at, PagerState::End) {
            PagerState::Failed(error, cursor) => {
                self.at = cursor.map_or(PagerState::End, PagerState::Behind);
                Err(error)
            }
            _ => Ok(None),
        }
    }

    fn go_back(&mut self) {
        self.at = PagerState::First;
        self.read = 0;
        self.seen = Distinct::default();
        self.seen_cursors.clear();
        self.empty_pages = 0;
    }

    /// What was read is dropped by identity when it comes again.
    fn begin_anew(&mut self, error: SourceError) -> Result<(), SourceError> {
        let on_first_page = matches!(self.at, PagerState::First);
        if on_first_page && self.limit > self.source.fallback_page_size() {
            self.limit = self.source.fallback_page_size();
            self.tries_fallback = true;
            return Ok(());
        }
        if on_first_page || self.new_starts_left == 0 {
            return Err(error);
        }
        self.new_starts_left -= 1;
        self.go_back();
        Ok(())
    }

    /// Where the cursor is a mere place in the order, a smaller page may follow a larger one.
    fn ask_for_less(&mut self, error: SourceError) -> Result<(), SourceError> {
        if self.limit <= 1 {
            return Err(error);
        }
        self.limit /= 2;
        if self.source.cursor_fixes_page_size() {
            self.go_back();
        }
        Ok(())
    }
}

#[async_trait]
impl<T: CursorPages> WindowedStream for T {
    fn open(&self, window: Window) -> Box<dyn Pages + '_> {
        Box::new(CursorPager::new(self, window, self.page_size()))
    }

    async fn probe(&self, window: Window, deadline: Deadline) -> Result<usize, SourceError> {
        least_page(self, window, deadline).await
    }
}

/// The page size in a link that holds one.
fn limit_in(link: &str) -> Option<usize> {
    let (before, rest) = link.split_once("limit=")?;
    let digits = rest.split(|character: char| !character.is_ascii_digit()).next()?;
    before.ends_with(['?', '&']).then(|| digits.parse().ok())?
}

#[async_trait]
impl Pages for CursorPager<'_> {
    async fn next(&mut self, deadline: Deadline) -> Result<Option<Page>, SourceError> {
        loop {
            let cursor = match &self.at {
                PagerState::First => None,
                PagerState::Behind(cursor) => Some(cursor.as_str()),
                PagerState::End => return Ok(None),
                PagerState::Failed(..) => return self.fail(),
            };
            let request = PageRequest {
                window: self.window,
                limit: self.limit,
                cursor,
                read: self.read,
                seen: Some(&self.seen),
            };
            let result = match self.source.page(request, deadline).await {
                Ok(result) => result,
                Err(error) => {
                    self.leave_dead_cursor(error)?;
                    continue;
                }
            };
            match result {
                PageResult::Page(complete) => return Ok(Some(self.pass(complete))),
                PageResult::Short(page, _) if cursor.is_some() && !self.was_short => {
                    self.was_short = true;
                    self.go_back();
                    return Ok(Some(page));
                }
                PageResult::Incomplete(page, error) | PageResult::Short(page, error) => {
                    self.at = PagerState::Failed(error, cursor.map(str::to_owned));
                    return Ok(Some(page));
                }
                PageResult::Refused(error) => self.begin_anew(error)?,
                PageResult::TooLarge(error) => self.ask_for_less(error)?,
            }
        }
    }

    fn place(&self) -> Option<String> {
        match &self.at {
            PagerState::Behind(cursor) | PagerState::Failed(_, Some(cursor)) => Some(cursor.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
