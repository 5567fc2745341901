//! The stream of unified alerts.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use parking_lot::Mutex;
use reqwest::Url;

use super::alerts_page::AlertsReply;
use super::console::Console;
use super::event::IdentityFields;
use super::selection::{OmittedFields, Unknown};
use crate::event::StreamName;
use crate::http::Reply;
use crate::sources::cursor_pages::{CompletePage, CursorPages, PageRequest, PageResult};
use crate::sources::endpoint::{AskOutcome, Endpoint, Unreadable, address};
use crate::sources::{CredentialNote, EventKey, PolledStream, SourceError, StreamBase};
use crate::time::Deadline;
use crate::vendors::sentinelone::{alerts_page, api_token, graphql, selection};

const ASKED: &str = "the unified alerts endpoint";
const HOLDS: &str = "unified alerts";
const PAGE_SIZE: usize = 1000;
/// In a window that cannot be shorter, an error about a single alert that comes so often is a lasting one.
const TRIES_FOR_AN_ALERT: u32 = 3;

/// The time that windows are cut by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CutBy {
    UpdatedAt,
    CreatedAt,
}

const BY_UPDATED_AT: IdentityFields = IdentityFields {
    stream: "unified-alerts",
    id: &["id"],
    version: Some(&["updatedAt"]),
    time: &["updatedAt"],
};

const BY_CREATED_AT: IdentityFields = IdentityFields {
    time: &["createdAt"],
    ..BY_UPDATED_AT
};

impl CutBy {
    fn field(self) -> &'static str {
        self.identity_fields().time[0]
    }

    fn identity_fields(self) -> &'static IdentityFields {
        match self {
            Self::UpdatedAt => &BY_UPDATED_AT,
            Self::CreatedAt => &BY_CREATED_AT,
        }
    }
}

/// The stream `sentinelone/<instance>/unified-alerts`: by `updatedAt`, or by `createdAt` where the console does not
/// offer that.
pub struct UnifiedAlerts {
    base: StreamBase,
    endpoint: Endpoint,
    console: Arc<Console>,
    /// Learned once per process, as soon as the console answers the question.
    cut_by: OnceLock<CutBy>,
    /// Fields that this console does not know; asked for again by the next process.
    left_out: Mutex<OmittedFields>,
}

/// What asking for a page with one choice of fields brought.
enum QueryOutcome {
    Page(PageResult),
    /// The console does not know these.
    Unknown(Vec<Unknown>),
}

impl UnifiedAlerts {
    /// Of one console.
    pub fn new(name: StreamName, console: Arc<Console>) -> Self {
        let endpoint = console.endpoint(ASKED);
        Self {
            base: StreamBase::new(name, &endpoint),
            endpoint,
            console,
            cut_by: OnceLock::new(),
            left_out: Mutex::default(),
        }
    }

    fn cut_by(&self) -> CutBy {
        self.cut_by.get().copied().unwrap_or(CutBy::UpdatedAt)
    }

    fn url(&self) -> Result<Url, SourceError> {
        let url = address(&self.console.api.origin, "/web/api/v2.1/unifiedalerts/graphql", &[]);
        url.ok_or_else(|| self.endpoint.no_address())
    }

    /// A console that cannot say what it offers is taken at its best, and asked again with the next window.
    async fn learn_columns(&self, deadline: Deadline) -> Result<(), SourceError> {
        let url = self.url()?;
        let request = || self.console.post(url.clone(), graphql::metadata_body());
        let read = |body| graphql::parse_metadata(body).map_err(|no_answer| self.console.unreadable(no_answer));
        match self.endpoint.ask(request, read, deadline).await? {
            AskOutcome::Read(Some(columns)) => {
                let cut_by = [CutBy::UpdatedAt, CutBy::CreatedAt]
                    .into_iter()
                    .find(|cut_by| columns.iter().any(|column| column == cut_by.field()));
                let _ = self.cut_by.set(cut_by.unwrap_or(CutBy::CreatedAt));
                Ok(())
            }
            AskOutcome::Refused(reply) if !matches!(reply.status.as_u16(), 400 | 422) => {
                Err(self.console.refusal(&self.endpoint, &reply))
            }
            AskOutcome::Incomplete(_, error) => Err(error),
            AskOutcome::Read(None) | AskOutcome::TooLarge(_) | AskOutcome::Refused(_) => Ok(()),
        }
    }
}

#[async_trait]
impl PolledStream for UnifiedAlerts {
    fn base(&self) -> &StreamBase {
        &self.base
    }

    async fn about_credential(&self, deadline: Deadline) -> Result<Vec<CredentialNote>, SourceError> {
        let note = api_token::end_of_token(&self.console, deadline).await?;
        Ok(vec![note])
    }

    fn key_of(&self, event: &str) -> EventKey {
        self.cut_by().identity_fields().key_of(event)
    }

    fn notices(&self) -> Vec<String> {
        let mut notices = self.base.notes.take();
        if self.cut_by() == CutBy::CreatedAt {
            let notice = "this console does not offer updatedAt for unified alerts; they are read by createdAt, and what \
                          changes in an alert later (status, verdict) does not arrive";
            notices.push(notice.to_owned());
        }
        let left_out: Vec<String> = self.left_out().into_iter().collect();
        if !left_out.is_empty() {
            notices.push(format!(
                "this console does not know {} of unified alerts; they are read without, and the columns stay empty",
                left_out.join(", ")
            ));
        }
        notices
    }
}

impl UnifiedAlerts {
    fn left_out(&self) -> OmittedFields {
        self.left_out.lock().clone()
    }

    /// Adds to the fields that are not asked for. False if they were not asked for before.
    fn leave_out(&self, unknown: &[Unknown]) -> Result<bool, SourceError> {
        let mut left_out = self.left_out();
        let before = left_out.len();
        for field in unknown {
            match field {
                Unknown::CanBeLeftOut(path) => {
                    left_out.insert(path.clone());
                }
                Unknown::Needed(path) => return Err(self.console.schema_lacks(&self.endpoint, HOLDS, path)),
            }
        }
        let is_new = left_out.len() > before;
        *self.left_out.lock() = selection::with_empty_parents(left_out);
        Ok(is_new)
    }

    async fn ask(&self, request: PageRequest<'_>, deadline: Deadline) -> Result<QueryOutcome, SourceError> {
        let url = self.url()?;
        let query = graphql::alerts_query(&self.left_out());
        let body = graphql::alerts_body(&query, self.cut_by().field(), request);
        let tries = AtomicU32::new(0);
        let read = |body: Vec<u8>| {
            let may_set_aside = request.window.is_shortest();
            let is_lasting = may_set_aside && tries.fetch_add(1, Ordering::Relaxed) + 1 >= TRIES_FOR_AN_ALERT;
            let set_aside = is_lasting.then(|| alerts_page::failed_set_aside(&body, request.window));
            match (alerts_page::parse_alerts(body, &query), set_aside.flatten()) {
                // With a cursor it may be the cursor's fault, and asking again would not help.
                (Ok(AlertsReply::Error(error)), _) if request.cursor.is_none() => Err(Unreadable::not_shown(format!(
                    "it holds no data, only an error: {error}"
                ))),
                (Ok(AlertsReply::Incomplete(..)), Some((page, next))) => Ok(AlertsReply::Page(page, next)),
                (Ok(AlertsReply::Incomplete(page, reason)), None) => {
                    Err(Unreadable::incomplete(AlertsReply::Page(page, None), reason))
                }
                (reply, _) => reply.map_err(|no_answer| self.console.unreadable(no_answer)),
            }
        };
        // Some servers call a query that does not fit their schema an error of their own.
        let names_unknown_fields = |reply: &Reply| {
            matches!(
                alerts_page::parse_alerts(reply.body.clone(), &query),
                Ok(AlertsReply::Unknown(_))
            )
        };
        let post = || self.console.post(url.clone(), body.clone());
        let asked = self.endpoint.ask_unless(post, read, names_unknown_fields, deadline);
        self.outcome_of(asked.await?, &query)
    }

    fn outcome_of(&self, asked: AskOutcome<AlertsReply>, query: &str) -> Result<QueryOutcome, SourceError> {
        let asked = match asked {
            AskOutcome::Read(AlertsReply::Page(page, next)) => AskOutcome::Read(CompletePage::new(page, next)),
            AskOutcome::Read(AlertsReply::Unknown(fields)) => return Ok(QueryOutcome::Unknown(fields)),
            AskOutcome::Read(AlertsReply::Error(error) | AlertsReply::Incomplete(_, error)) => {
                let remedy = "the page behind a cursor was refused; the next run reads the window again; if this lasts, \
                              report it with this line";
                let error = self.endpoint.refused(200, Some(error), remedy.to_owned());
                return Ok(QueryOutcome::Page(PageResult::Refused(error)));
            }
            AskOutcome::Incomplete(AlertsReply::Page(page, _), error) => {
                AskOutcome::Incomplete(CompletePage::new(page, None), error)
            }
            AskOutcome::Incomplete(_, error) => return Err(error),
            AskOutcome::TooLarge(error) => AskOutcome::TooLarge(error),
            AskOutcome::Refused(reply) => {
                // Many servers answer a query that does not fit their schema with 400, some with 500.
                if matches!(reply.status.as_u16(), 400 | 422 | 500..=599)
                    && let Ok(AlertsReply::Unknown(fields)) = alerts_page::parse_alerts(reply.body.clone(), query)
                {
                    return Ok(QueryOutcome::Unknown(fields));
                }
                AskOutcome::Refused(reply)
            }
        };
        let refusal = |reply: &Reply| self.console.refusal(&self.endpoint, reply);
        PageResult::of(asked, refusal).map(QueryOutcome::Page)
    }
}

#[async_trait]
impl CursorPages for UnifiedAlerts {
    fn page_size(&self) -> usize {
        PAGE_SIZE
    }

    async fn page(&self, request: PageRequest<'_>, deadline: Deadline) -> Result<PageResult, SourceError> {
        // Only before a first page: the order must not change on the way.
        if request.cursor.is_none() && self.cut_by.get().is_none() {
            self.learn_columns(deadline).await?;
        }
        loop {
            match self.ask(request, deadline).await? {
                QueryOutcome::Page(result) => return Ok(result),
                QueryOutcome::Unknown(fields) => {
                    if !self.leave_out(&fields)? {
                        let field = "a field of the query";
                        return Err(self.console.schema_lacks(&self.endpoint, HOLDS, field));
                    }
                }
            }
        }
    }
}
