//! A stream over one of the REST endpoints.

use std::sync::Arc;

use async_trait::async_trait;

use super::console::Console;
use super::form::Form;
use super::{api_token, page, query};
use crate::event::StreamName;
use crate::sources::cursor_walk::{CursorPages, Turn, Walk, least_page};
use crate::sources::endpoint::Answer;
use crate::sources::{CredentialNote, EventKey, Pages, PullStream, SourceError, VendorClock, Window};
use crate::time::Deadline;

/// See the module.
pub struct RestStream {
    name: StreamName,
    form: &'static Form,
    console: Arc<Console>,
}

impl RestStream {
    /// The stream `name`, read as `form` says.
    pub fn new(name: StreamName, form: &'static Form, console: Arc<Console>) -> Self {
        Self { name, form, console }
    }
}

#[async_trait]
impl PullStream for RestStream {
    fn name(&self) -> &StreamName {
        &self.name
    }

    fn account(&self) -> &str {
        &self.console.account
    }

    fn vendor_clock(&self) -> Option<&VendorClock> {
        Some(&self.console.vendor_clock)
    }

    fn open(&self, window: Window) -> Box<dyn Pages + '_> {
        Box::new(Walk::new(self, window, self.form.page_size))
    }

    async fn probe(&self, window: Window, deadline: Deadline) -> Result<usize, SourceError> {
        least_page(self, window, deadline).await
    }

    async fn about_credential(&self, deadline: Deadline) -> Result<Vec<CredentialNote>, SourceError> {
        let note = api_token::end_of_token(&self.console, &self.name, deadline).await?;
        Ok(vec![note])
    }

    fn key_of(&self, event: &str) -> EventKey {
        self.form.naming.key_of(event)
    }
}

#[async_trait]
impl CursorPages for RestStream {
    fn names(&self) -> (&StreamName, &'static str) {
        (&self.name, self.form.asked)
    }

    async fn page(
        &self,
        window: Window,
        limit: usize,
        cursor: Option<&str>,
        deadline: Deadline,
    ) -> Result<Turn, SourceError> {
        let console = &*self.console;
        let endpoint = console.endpoint(&self.name, self.form.asked);
        let url = query::page(&console.origin, self.form, window, limit, cursor)
            .ok_or_else(|| console.no_address(&endpoint))?;
        let request = || console.get(url.clone());
        let read = |body| page::parse(body).map_err(|no_page| console.unreadable(no_page));
        match endpoint.ask(request, read, deadline).await? {
            Answer::Read((page, next)) => Ok(Turn::Page(page, next)),
            Answer::Unwieldy(error) => Ok(Turn::Unwieldy(error)),
            Answer::Refused(reply) => {
                let error = console.refusal(&endpoint, self.form.holds, &reply);
                match reply.status.as_u16() {
                    400 | 410 | 422 => Ok(Turn::Refused(error)),
                    _ => Err(error),
                }
            }
        }
    }
}
