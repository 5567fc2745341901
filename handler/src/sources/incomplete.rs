//! A page that says itself, or shows, that something of it is missing.
//!
//! It is asked for again, as a page is that cannot be read. What it held is kept meanwhile: if no whole page comes, its
//! events are delivered, and reading ends with the error.

use super::cursor_pager::{CompletePage, PageResult};
use super::endpoint::Unreadable;
use super::{Page, SourceError};
use parking_lot::Mutex;

/// The last incomplete page of a request that is being tried.
#[derive(Debug, Default)]
pub struct Incomplete(Mutex<Option<Page>>);

impl Incomplete {
    /// Keeps the page, and gives the reason to ask for it again. Nothing of the page is quoted.
    pub fn keep(&self, page: Page, reason: String) -> Unreadable {
        *self.0.lock() = Some(page);
        Unreadable {
            reason,
            excerpt: "[not shown]".to_owned(),
        }
    }

    /// What comes of it when trying ended with an error.
    pub fn ended(self, error: SourceError) -> Result<PageResult, SourceError> {
        match self.0.into_inner() {
            Some(page) => Ok(PageResult::Incomplete(page, error)),
            None => Err(error),
        }
    }

    /// The same for a last page that is only short of what was promised.
    pub fn ended_short(self, error: SourceError) -> Result<PageResult, SourceError> {
        self.ended(error).map(|result| match result {
            PageResult::Incomplete(page, error) => PageResult::Short(page, error),
            other => other,
        })
    }

    /// The same, where what is missing cannot be had: the page is the last one.
    pub fn taken_for_whole(self, error: SourceError) -> Result<PageResult, SourceError> {
        self.ended(error).map(|result| match result {
            PageResult::Incomplete(page, _) => PageResult::Page(CompletePage {
                page,
                next: None,
                promised: None,
            }),
            other => other,
        })
    }
}
