//! The stream of unified alerts.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use reqwest::Url;

use super::api_token;
use super::console::Console;
use super::event::Naming;
use super::graphql::{self, AlertsReply};
use crate::event::StreamName;
use crate::sources::cursor_walk::{CursorPages, Turn, Walk, least_page};
use crate::sources::endpoint::{Answer, Endpoint, Unreadable};
use crate::sources::{CredentialNote, EventKey, Pages, PullStream, SourceError, VendorClock, Window};
use crate::time::Deadline;

const ASKED: &str = "the unified alerts endpoint";
const HOLDS: &str = "unified alerts";
const PAGE_SIZE: usize = 1000;

/// The time that windows are cut by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CutBy {
    UpdatedAt,
    CreatedAt,
}

impl CutBy {
    fn field(self) -> &'static str {
        self.naming().time[0]
    }

    fn naming(self) -> &'static Naming {
        match self {
            Self::UpdatedAt => &Naming {
                stream: "unified-alerts",
                id: &["id"],
                version: Some(&["updatedAt"]),
                time: &["updatedAt"],
            },
            Self::CreatedAt => &Naming {
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
    /// Asked once per process, as soon as the console answers the question.
    cut_by: OnceLock<CutBy>,
}

impl UnifiedAlerts {
    /// Of one console.
    pub fn new(name: StreamName, console: Arc<Console>) -> Self {
        Self {
            name,
            console,
            cut_by: OnceLock::new(),
        }
    }

    fn cut_by(&self) -> CutBy {
        self.cut_by.get().copied().unwrap_or(CutBy::UpdatedAt)
    }

    fn endpoint(&self) -> Endpoint<'_> {
        self.console.endpoint(&self.name, ASKED)
    }

    fn url(&self) -> Result<Url, SourceError> {
        let address = format!("{}/web/api/v2.1/unifiedalerts/graphql", self.console.origin.as_str());
        Url::parse(&address).map_err(|_| self.console.no_address(&self.endpoint()))
    }

    /// A console that cannot say what it offers is taken at its best, and asked again with the next window.
    async fn learn_columns(&self, deadline: Deadline) -> Result<(), SourceError> {
        let (endpoint, url) = (self.endpoint(), self.url()?);
        let request = || self.console.post(url.clone(), graphql::metadata_body());
        let read = |body| graphql::parse_metadata(body).map_err(|no_answer| self.console.unreadable(no_answer));
        match endpoint.ask(request, read, deadline).await? {
            Answer::Read(Some(columns)) => {
                let cut_by = [CutBy::UpdatedAt, CutBy::CreatedAt]
                    .into_iter()
                    .find(|cut_by| columns.iter().any(|column| column == cut_by.field()));
                let _ = self.cut_by.set(cut_by.unwrap_or(CutBy::CreatedAt));
                Ok(())
            }
            Answer::Refused(reply) if !matches!(reply.status.as_u16(), 400 | 422) => {
                Err(self.console.refusal(&endpoint, HOLDS, &reply))
            }
            Answer::Read(None) | Answer::Unwieldy(_) | Answer::Refused(_) => Ok(()),
        }
    }
}

#[async_trait]
impl PullStream for UnifiedAlerts {
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
        Box::new(Walk::new(self, window, PAGE_SIZE))
    }

    async fn probe(&self, window: Window, deadline: Deadline) -> Result<usize, SourceError> {
        least_page(self, window, deadline).await
    }

    async fn about_credential(&self, deadline: Deadline) -> Result<Vec<CredentialNote>, SourceError> {
        let note = api_token::end_of_token(&self.console, &self.name, deadline).await?;
        Ok(vec![note])
    }

    fn key_of(&self, event: &str) -> EventKey {
        self.cut_by().naming().key_of(event)
    }

    fn notices(&self) -> Vec<String> {
        if self.cut_by() == CutBy::UpdatedAt {
            return Vec::new();
        }
        let notice = format!(
            "{}: this console does not offer updatedAt for unified alerts; they are read by createdAt, and what \
             changes in an alert later (status, verdict) does not arrive",
            self.name
        );
        vec![notice]
    }
}

#[async_trait]
impl CursorPages for UnifiedAlerts {
    fn names(&self) -> (&StreamName, &'static str) {
        (&self.name, ASKED)
    }

    async fn page(
        &self,
        window: Window,
        limit: usize,
        cursor: Option<&str>,
        deadline: Deadline,
    ) -> Result<Turn, SourceError> {
        // Only before a first page: the order must not change on the way.
        if cursor.is_none() && self.cut_by.get().is_none() {
            self.learn_columns(deadline).await?;
        }
        let (endpoint, url) = (self.endpoint(), self.url()?);
        let body = graphql::alerts_body(self.cut_by().field(), window, limit, cursor);
        let request = || self.console.post(url.clone(), body.clone());
        let read = |body| match graphql::parse_alerts(body) {
            // With a cursor it may be the cursor's fault, and asking again would not help.
            Ok(AlertsReply::Error(error)) if cursor.is_none() => Err(Unreadable {
                reason: format!("it holds no data, only an error: {error}"),
                excerpt: "[not shown]".to_owned(),
            }),
            reply => reply.map_err(|no_answer| self.console.unreadable(no_answer)),
        };
        match endpoint.ask(request, read, deadline).await? {
            Answer::Read(AlertsReply::Page(page, next)) => Ok(Turn::Page(page, next)),
            Answer::Read(AlertsReply::Error(error)) => {
                let remedy = "the cursor was refused; if this lasts, report it with this line";
                Ok(Turn::Refused(endpoint.refused(200, Some(error), remedy.to_owned())))
            }
            Answer::Unwieldy(error) => Ok(Turn::Unwieldy(error)),
            Answer::Refused(reply) => {
                let error = self.console.refusal(&endpoint, HOLDS, &reply);
                match reply.status.as_u16() {
                    400 | 410 | 422 => Ok(Turn::Refused(error)),
                    _ => Err(error),
                }
            }
        }
    }
}
