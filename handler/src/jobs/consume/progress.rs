//! Where a consumed stream stands, what it may have lost, and what the run reports of it.

use chrono::{DateTime, Utc};

use crate::delivery::StreamContext;
use crate::jobs::plan::ConsumePlan;
use crate::jobs::poll::window::PollRules;
use crate::report::{ErrorCode, Problem, StreamReport};
use crate::sources::{SourceError, TimeEnd};
use crate::state::{Checkpoints, StoreError};
use crate::time::rfc3339_millis;

const NO_LIST: &str =
    "a reply came that is no list of events; it is set aside, and the vendor may have given events away";

pub struct ConsumeProgress<'a> {
    context: &'a StreamContext<'a>,
    pub checkpoints: Checkpoints,
    /// When the vendor had nothing more to give in this run.
    pub emptied_at: Option<DateTime<Utc>>,
    pub report: StreamReport,
}

impl<'a> ConsumeProgress<'a> {
    /// A new position is on the disk before anything is taken.
    pub async fn load(
        plan: &ConsumePlan,
        rules: PollRules,
        context: &'a StreamContext<'a>,
    ) -> Result<Self, StoreError> {
        let (stream, now) = (&plan.stream, context.now);
        let store = context.store.clone();
        let mut checkpoints = Checkpoints::load(store, stream.name(), stream.account(), now).await?;
        let (tables, table) = (&mut checkpoints.current.tables, plan.target.table.name());
        if !tables.contains_key(&*table) {
            tables.insert(table.to_string(), rules.first_position(now));
            checkpoints.save(context.lease, now).await?;
        }
        Ok(Self {
            context,
            checkpoints,
            emptied_at: None,
            report: StreamReport::new(context.stream),
        })
    }

    pub async fn save(&mut self) -> Result<(), StoreError> {
        let now = self.context.clock.now();
        self.checkpoints.save(self.context.lease, now).await
    }

    /// The run's time is over before the work is done.
    pub fn note_out_of_time(&mut self, doing: &str) {
        let error = SourceError::OutOfTime {
            end: TimeEnd::While(doing.to_owned()),
            kept_failing: false,
        };
        self.report.end_early(error.of(self.context.stream).to_string());
    }

    /// Something may be lost: said, and remembered.
    pub async fn note_possible_loss(&mut self, at: DateTime<Utc>, what: &str) -> Result<(), StoreError> {
        say_possible_loss(self.context, at, what);
        self.report.possible_losses.push(at);
        self.checkpoints.current.note_possible_loss(at);
        self.save().await
    }

    /// A page that is no list of events, while the vendor is being worked on for example, may have cost events. As
    /// long as such pages follow each other they are one possible loss: true ones must stay in sight.
    pub async fn note_unreadable(&mut self, at: DateTime<Utc>) -> Result<(), StoreError> {
        let Some(since) = self.checkpoints.current.unreadable_since else {
            self.checkpoints.current.unreadable_since = Some(at);
            return self.note_possible_loss(at, NO_LIST).await;
        };
        let message = format!(
            "{}: the poll subscription still answers with what is no list of events, since {}; it is set aside, and may \
             have cost events",
            self.context.stream,
            rfc3339_millis(since)
        );
        let remedy =
            "look at the dead letters of the stream for what the vendor says, and check POLL_URL if this lasts";
        let problem = Problem::new(ErrorCode::VendorBadPage, message).with_remedy(Some(remedy));
        self.report.problems.push(problem);
        Ok(())
    }

    /// A list of events came again.
    pub async fn end_unreadable(&mut self) -> Result<(), StoreError> {
        match self.checkpoints.current.unreadable_since.take() {
            Some(_) => self.save().await,
            None => Ok(()),
        }
    }
}

/// At once, and not with the report of the run: a run that is killed before its end has said it.
pub fn say_possible_loss(context: &StreamContext<'_>, at: DateTime<Utc>, what: &str) {
    let (stream, at) = (context.stream.to_string(), rfc3339_millis(at));
    log::warn!(stream = stream.as_str(), at = at.as_str(); "{stream}: possible loss at {at}: {what}");
}
