//! One of the API's lists, as a stream reads it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::account::Account;
use super::query;
use crate::event::StreamName;
use crate::sources::cursor_walk::{CursorPages, Turn, Walk};
use crate::sources::endpoint::Answer;
use crate::sources::{SourceError, Window};
use crate::time::Deadline;

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
        }
    }

    /// Reads what was created in a window; a list without windows is read whole.
    pub fn walk(&self, window: Window) -> Walk<'_> {
        Walk::new(self, window, self.limit.load(Ordering::Relaxed))
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

    async fn page(
        &self,
        window: Window,
        limit: usize,
        cursor: Option<&str>,
        deadline: Deadline,
    ) -> Result<Turn, SourceError> {
        let window = self.form.has_windows.then_some(window);
        let account = &*self.account;
        let endpoint = account.endpoint(&self.stream, self.form.asked);
        let url = query::page(&account.origin, self.form.path, window, limit, cursor)
            .ok_or_else(|| account.no_address(&endpoint))?;
        match account.page(&endpoint, &url, deadline).await? {
            Answer::Read((page, next)) => Ok(Turn::Page(page, next)),
            Answer::Unwieldy(error) => Ok(Turn::Unwieldy(error)),
            Answer::Refused(reply) => {
                let error = account.refusal(&endpoint, self.form.holds, &reply);
                match reply.status.as_u16() {
                    400 | 410 | 422 => Ok(Turn::Refused(error)),
                    _ => Err(error),
                }
            }
        }
    }
}
