//! One of the API's lists, as a stream reads it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use reqwest::Url;

use super::account::Account;
use super::page::ListPage;
use crate::event::StreamName;
use crate::sources::cursor_walk::{CursorPages, Leaf, Place, Turn, Walk};
use crate::sources::endpoint::Answer;
use crate::sources::incomplete::Incomplete;
use crate::sources::notes::Notes;
use crate::sources::{SourceError, Window};
use crate::time::Deadline;
use crate::vendors::onelogin::{failure, query};

/// The largest page that is known to be accepted, and the documented one.
pub const LIMITS: (usize, usize) = (1000, 50);

/// What is particular to a list.
#[derive(Debug)]
pub struct Form {
    /// Behind `/api/1/`.
    pub path: &'static str,
    /// What it is, in words, for errors.
    pub asked: &'static str,
    /// What it holds, in words, for remedies.
    pub holds: &'static str,
    /// False for a list that is always read whole.
    pub has_windows: bool,
}

/// See the module.
pub struct List {
    /// The stream.
    pub stream: StreamName,
    /// Where it is.
    pub account: Arc<Account>,
    form: &'static Form,
    /// Page size that walks begin with: smaller once the larger one was refused.
    limit: AtomicUsize,
    /// Cursors were refused beside other arguments, and accepted alone.
    asks_by_cursor_alone: AtomicBool,
    notes: Notes,
}

impl List {
    /// The list `form` of an account, as the stream `onelogin/<instance>/<path>`.
    pub fn new(instance: &str, form: &'static Form, account: Arc<Account>) -> Self {
        Self {
            stream: StreamName {
                source: "onelogin",
                instance: instance.to_owned(),
                stream: form.path,
            },
            account,
            form,
            limit: AtomicUsize::new(LIMITS.0),
            asks_by_cursor_alone: AtomicBool::new(false),
            notes: Notes::default(),
        }
    }

    /// Reads what was created in a window; a list without windows is read whole.
    pub fn walk(&self, window: Window) -> Walk<'_> {
        Walk::new(self, window, self.limit.load(Ordering::Relaxed))
    }
}

impl List {
    /// What a person should know, once.
    pub fn notices(&self) -> Vec<String> {
        self.notes.take()
    }
}

#[async_trait]
impl CursorPages for List {
    fn names(&self) -> (&StreamName, &'static str) {
        (&self.stream, self.form.asked)
    }

    fn modest_limit(&self) -> usize {
        LIMITS.1
    }

    /// Later walks begin with it.
    fn modest_limit_was_accepted(&self) {
        self.limit.store(LIMITS.1, Ordering::Relaxed);
    }

    fn notes(&self) -> &Notes {
        &self.notes
    }

    fn cursor_holds_limit(&self) -> bool {
        self.asks_by_cursor_alone.load(Ordering::Relaxed)
    }

    async fn page(
        &self,
        window: Window,
        limit: usize,
        place: Place<'_>,
        deadline: Deadline,
    ) -> Result<Turn, SourceError> {
        let alone = place.cursor.filter(|_| self.cursor_holds_limit());
        if let Some(cursor) = alone {
            return self
                .page_behind(cursor, window, limit, deadline)
                .await
                .map(|asked| asked.turn);
        }
        let account = &*self.account;
        let asked = self.form.has_windows.then_some(window);
        let url = query::page(&account.origin, self.form.path, asked, limit, place.cursor);
        let asked = self.ask(url, window, limit, deadline).await?;
        let Some(cursor) = place.cursor.filter(|_| asked.blames_arguments) else {
            return Ok(asked.turn);
        };
        // Some accounts take a cursor or other arguments, and not both.
        let by_cursor = self.page_behind(cursor, window, limit, deadline).await?.turn;
        if matches!(by_cursor, Turn::Refused(_)) {
            return Ok(asked.turn);
        }
        self.asks_by_cursor_alone.store(true, Ordering::Relaxed);
        Ok(by_cursor)
    }
}

/// What asking for a page brought.
struct Asked {
    turn: Turn,
    /// It was refused with words about cursors or arguments.
    blames_arguments: bool,
}

impl Asked {
    fn of(turn: Turn) -> Self {
        Self {
            turn,
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
    ) -> Result<Asked, SourceError> {
        let url = query::behind(&self.account.origin, self.form.path, cursor);
        self.ask(url, window, limit, deadline).await
    }

    async fn ask(
        &self,
        url: Option<Url>,
        window: Window,
        limit: usize,
        deadline: Deadline,
    ) -> Result<Asked, SourceError> {
        let account = &*self.account;
        let endpoint = account.endpoint(&self.stream, self.form.asked);
        let url = url.ok_or_else(|| account.no_address(&endpoint))?;
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
        let answer = match account.page(&endpoint, &url, whole, deadline).await {
            Ok(answer) => answer,
            Err(error) => return incomplete.ended(error).map(Asked::of),
        };
        match answer {
            Answer::Read((page, next)) => Ok(Asked::of(Turn::Page(Leaf {
                page,
                next,
                promised: None,
            }))),
            Answer::Unwieldy(error) => Ok(Asked::of(Turn::Unwieldy(error))),
            Answer::Refused(reply) => {
                let error = account.refusal(&endpoint, self.form.holds, &reply);
                match reply.status.as_u16() {
                    400 | 410 | 422 => Ok(Asked {
                        blames_arguments: failure::blames_arguments(&reply.body),
                        turn: Turn::Refused(error),
                    }),
                    _ => Err(error),
                }
            }
        }
    }
}
