//! The stream of unified alerts.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use parking_lot::Mutex;
use reqwest::Url;

use super::console::Console;
use super::event::IdentityFields;
use super::graphql::AlertsReply;
use super::selection::{OmittedFields, Unknown};
use crate::event::StreamName;
use crate::http::Reply;
use crate::sources::cursor_pager::{CompletePage, CursorPages, PagePosition, PageResult};
use crate::sources::endpoint::{AskOutcome, Endpoint, Unreadable};
use crate::sources::incomplete::Incomplete;
use crate::sources::notes::Notes;
use crate::sources::{CredentialNote, EventKey, PolledStream, SourceError, VendorClock, Window};
use crate::time::Deadline;
use crate::vendors::sentinelone::api_token;
use crate::vendors::sentinelone::graphql;
use crate::vendors::sentinelone::selection;

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

impl CutBy {
    fn field(self) -> &'static str {
        self.identity_fields().time[0]
    }

    fn identity_fields(self) -> &'static IdentityFields {
        match self {
            Self::UpdatedAt => &IdentityFields {
                stream: "unified-alerts",
                id: &["id"],
                version: Some(&["updatedAt"]),
                time: &["updatedAt"],
            },
            Self::CreatedAt => &IdentityFields {
                stream: "unified-alerts",
                id: &["id"],
                version: Some(&["updatedAt"]),
                time: &["createdAt"],
            },
        }
    }
}

/// The stream `sentinelone/<instance>/unified-alerts`: by `updatedAt`, or by `createdAt` where the console does not
/// offer that.
pub struct UnifiedAlerts {
    name: StreamName,
    console: Arc<Console>,
    /// QueryOutcome once per process, as soon as the console answers the question.
    cut_by: OnceLock<CutBy>,
    /// Fields that this console does not know; asked for again by the next process.
    left_out: Mutex<OmittedFields>,
    notes: Notes,
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
        Self {
            name,
            console,
            cut_by: OnceLock::new(),
            left_out: Mutex::default(),
            notes: Notes::default(),
        }
    }

    fn cut_by(&self) -> CutBy {
        self.cut_by.get().copied().unwrap_or(CutBy::UpdatedAt)
    }

    fn endpoint(&self) -> Endpoint<'_> {
        Endpoint::new(&self.console.api, &self.name, ASKED)
    }

    fn url(&self) -> Result<Url, SourceError> {
        let address = format!(
            "{}/web/api/v2.1/unifiedalerts/graphql",
            self.console.api.origin.as_str()
        );
        Url::parse(&address).map_err(|_| self.console.no_address(&self.endpoint()))
    }

    /// A console that cannot say what it offers is taken at its best, and asked again with the next window.
    async fn learn_columns(&self, deadline: Deadline) -> Result<(), SourceError> {
        let (endpoint, url) = (self.endpoint(), self.url()?);
        let request = || self.console.post(url.clone(), graphql::metadata_body());
        let read = |body| graphql::parse_metadata(body).map_err(|no_answer| self.console.unreadable(no_answer));
        match endpoint.ask(request, read, deadline).await? {
            AskOutcome::Read(Some(columns)) => {
                let cut_by = [CutBy::UpdatedAt, CutBy::CreatedAt]
                    .into_iter()
                    .find(|cut_by| columns.iter().any(|column| column == cut_by.field()));
                let _ = self.cut_by.set(cut_by.unwrap_or(CutBy::CreatedAt));
                Ok(())
            }
            AskOutcome::Refused(reply) if !matches!(reply.status.as_u16(), 400 | 422) => {
                Err(self.console.refusal(&endpoint, HOLDS, &reply))
            }
            AskOutcome::Read(None) | AskOutcome::TooLarge(_) | AskOutcome::Refused(_) => Ok(()),
        }
    }
}

#[async_trait]
impl PolledStream for UnifiedAlerts {
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
        self.cut_by().identity_fields().key_of(event)
    }

    fn notices(&self) -> Vec<String> {
        let mut notices = self.notes.take();
        if self.cut_by() == CutBy::CreatedAt {
            notices.push(format!(
                "{}: this console does not offer updatedAt for unified alerts; they are read by createdAt, and what \
                 changes in an alert later (status, verdict) does not arrive",
                self.name
            ));
        }
        let left_out: Vec<String> = self.left_out().into_iter().collect();
        if !left_out.is_empty() {
            notices.push(format!(
                "{}: this console does not know {} of unified alerts; they are read without, and the columns stay empty",
                self.name,
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
                Unknown::Needed(path) => return Err(self.console.schema_lacks(&self.endpoint(), HOLDS, path)),
            }
        }
        let is_new = left_out.len() > before;
        *self.left_out.lock() = selection::with_empty_parents(left_out);
        Ok(is_new)
    }

    async fn ask(
        &self,
        window: Window,
        limit: usize,
        place: PagePosition<'_>,
        deadline: Deadline,
    ) -> Result<QueryOutcome, SourceError> {
        let (endpoint, url) = (self.endpoint(), self.url()?);
        let query = graphql::alerts_query(&self.left_out());
        let body = graphql::alerts_body(&query, self.cut_by().field(), window, limit, place.cursor);
        let request = || self.console.post(url.clone(), body.clone());
        let (incomplete, tries) = (Incomplete::default(), AtomicU32::new(0));
        let read = |body: Vec<u8>| {
            let is_lasting = window.is_shortest() && tries.fetch_add(1, Ordering::Relaxed) + 1 >= TRIES_FOR_AN_ALERT;
            let set_aside = is_lasting.then(|| graphql::failed_set_aside(&body, window)).flatten();
            match (graphql::parse_alerts(body, &query), set_aside) {
                // With a cursor it may be the cursor's fault, and asking again would not help.
                (Ok(AlertsReply::Error(error)), _) if place.cursor.is_none() => Err(Unreadable {
                    reason: format!("it holds no data, only an error: {error}"),
                    excerpt: "[not shown]".to_owned(),
                }),
                (Ok(AlertsReply::Incomplete(..)), Some((page, next))) => Ok(AlertsReply::Page(page, next)),
                (Ok(AlertsReply::Incomplete(page, reason)), None) => Err(incomplete.keep(page, reason)),
                (reply, _) => reply.map_err(|no_answer| self.console.unreadable(no_answer)),
            }
        };
        // Some servers call a query that does not fit their schema an error of their own.
        let names_unknown_fields = |reply: &Reply| {
            matches!(
                graphql::parse_alerts(reply.body.clone(), &query),
                Ok(AlertsReply::Unknown(_))
            )
        };
        let answer = match endpoint.ask_unless(request, read, names_unknown_fields, deadline).await {
            Ok(answer) => answer,
            Err(error) => return incomplete.ended(error).map(QueryOutcome::Page),
        };
        self.outcome_of(&endpoint, answer, &query)
    }

    fn outcome_of(
        &self,
        endpoint: &Endpoint<'_>,
        answer: AskOutcome<AlertsReply>,
        query: &str,
    ) -> Result<QueryOutcome, SourceError> {
        match answer {
            AskOutcome::Read(AlertsReply::Page(page, next)) => Ok(QueryOutcome::Page(PageResult::Page(CompletePage {
                page,
                next,
                promised: None,
            }))),
            AskOutcome::Read(AlertsReply::Unknown(fields)) => Ok(QueryOutcome::Unknown(fields)),
            AskOutcome::Read(AlertsReply::Error(error) | AlertsReply::Incomplete(_, error)) => {
                let remedy = "the page behind a cursor was refused; the next run reads the window again; if this lasts, \
                              report it with this line";
                let error = endpoint.refused(200, Some(error), remedy.to_owned());
                Ok(QueryOutcome::Page(PageResult::Refused(error)))
            }
            AskOutcome::TooLarge(error) => Ok(QueryOutcome::Page(PageResult::TooLarge(error))),
            AskOutcome::Refused(reply) => {
                let status = reply.status.as_u16();
                let error = self.console.refusal(endpoint, HOLDS, &reply);
                match graphql::parse_alerts(reply.body, query) {
                    // Many servers answer a query that does not fit their schema with 400, some with 500.
                    Ok(AlertsReply::Unknown(fields)) if matches!(status, 400 | 422 | 500..=599) => {
                        Ok(QueryOutcome::Unknown(fields))
                    }
                    _ => PageResult::of_refusal(status, error).map(QueryOutcome::Page),
                }
            }
        }
    }
}

#[async_trait]
impl CursorPages for UnifiedAlerts {
    fn asked(&self) -> &'static str {
        ASKED
    }

    fn page_size(&self) -> usize {
        PAGE_SIZE
    }

    fn notes(&self) -> &Notes {
        &self.notes
    }

    async fn page(
        &self,
        window: Window,
        limit: usize,
        place: PagePosition<'_>,
        deadline: Deadline,
    ) -> Result<PageResult, SourceError> {
        // Only before a first page: the order must not change on the way.
        if place.cursor.is_none() && self.cut_by.get().is_none() {
            self.learn_columns(deadline).await?;
        }
        loop {
            match self.ask(window, limit, place, deadline).await? {
                QueryOutcome::Page(result) => return Ok(result),
                QueryOutcome::Unknown(fields) => {
                    if !self.leave_out(&fields)? {
                        return Err(self
                            .console
                            .schema_lacks(&self.endpoint(), HOLDS, "a field of the query"));
                    }
                }
            }
        }
    }
}
