//! A batch in as few calls as the service allows: whole, else split by size, by time, or until the row that it cannot
//! take stands alone.

use std::collections::VecDeque;

use chrono::TimeDelta;

use super::answer::{CallOutcome, reason, request_id};
use super::call::Call;
use super::rule_client::RuleClient;
use crate::destination::{Batch, Delivery, DeliveryError, RefusedRow, StreamFit, spread};
use crate::http::Reply;
use crate::time::Deadline;

/// What a table takes that was found to limit the span. Source: the service's error
/// `RecordsTimeRangeIsMoreThan30Minutes`.
const LIMITED_SPAN: TimeDelta = TimeDelta::minutes(30);
/// After so many rows that were refused alone, none of the batch accepted, the fault may be the stream's and not the
/// rows'.
const SUSPICIOUS_REFUSALS: usize = 8;
/// Then so many others, from all over the batch, are tried alone before the batch is given up, unless it is small.
const SAMPLE: usize = 16;
/// A batch of so few rows is split until each of them was tried.
const MOST_SPLIT_WHOLLY: usize = 300;

/// See the module.
pub struct BatchSplitter<'a> {
    to: &'a RuleClient,
    batch: &'a Batch,
    waiting: VecDeque<Vec<usize>>,
    delivery: Delivery,
    /// A row of the table was taken: what is refused alone is at fault itself.
    is_proven: bool,
    /// The answer to the row that was refused last.
    last_refusal: Option<Reply>,
}

impl<'a> BatchSplitter<'a> {
    /// The whole batch, by time where its table is known to limit it.
    pub fn new(to: &'a RuleClient, batch: &'a Batch, fit: StreamFit) -> Self {
        let all: Vec<usize> = (0..batch.rows).collect();
        let learned = to.is_span_limited(&batch.table).then_some(LIMITED_SPAN);
        let waiting = match batch.limits.span.or(learned) {
            Some(longest) => batch.by_time(&all, longest).into(),
            None => VecDeque::from([all]),
        };
        Self {
            to,
            batch,
            waiting,
            delivery: Delivery::default(),
            is_proven: fit == StreamFit::Proven,
            last_refusal: None,
        }
    }

    /// Sends piece after piece. One that cannot be sent now ends it: the others would meet the same.
    pub async fn deliver(mut self, deadline: Deadline) -> Delivery {
        while let Some(rows) = self.waiting.pop_front() {
            let mut outcome = self.deliver_piece(rows, deadline).await;
            if outcome.is_ok()
                && !self.is_proven
                && self.delivery.refused.len() >= SUSPICIOUS_REFUSALS
                && !self.may_split_on(deadline)
            {
                outcome = self.sample(deadline).await;
            }
            if let Err(error) = outcome {
                self.delivery.error = Some(error);
                break;
            }
        }
        self.without_hasty_refusals()
    }

    /// One good row among many bad ones is found, as long as that leaves time and calls for others.
    fn may_split_on(&self, deadline: Deadline) -> bool {
        let has_time = deadline.remaining() > deadline.whole() / 2;
        self.batch.rows <= MOST_SPLIT_WHOLLY && has_time && self.to.grant_isolation_call(&self.batch.table)
    }

    /// A stream that does not fit its table refuses every row: then no row is refused for good.
    fn without_hasty_refusals(mut self) -> Delivery {
        if self.is_proven || self.delivery.refused.is_empty() {
            return self.delivery;
        }
        self.delivery.refused.clear();
        if self.delivery.error.is_none() {
            let refusal = |reply| self.to.refusal(&self.batch.table, self.batch.rows, reply);
            self.delivery.error = self.last_refusal.as_ref().map(refusal).map(DeliveryError::NothingTaken);
        }
        self.delivery
    }

    async fn deliver_piece(&mut self, rows: Vec<usize>, deadline: Deadline) -> Result<(), DeliveryError> {
        match self.send(&rows, deadline).await? {
            CallOutcome::Accepted => self.accept(rows),
            CallOutcome::SpansTooLong => {
                self.to.note_span_limited(&self.batch.table);
                self.split_by_time(rows);
            }
            CallOutcome::Refused(reply) => self.split(rows, reply),
        }
        Ok(())
    }

    async fn send(&mut self, rows: &[usize], deadline: Deadline) -> Result<CallOutcome, DeliveryError> {
        let call = Call {
            to: self.to,
            batch: self.batch,
            rows,
        };
        let sent = call.send(deadline).await;
        if sent.is_unsure {
            self.delivery.unsure += rows.len();
        }
        sent.outcome
    }

    fn accept(&mut self, rows: Vec<usize>) {
        self.is_proven = true;
        self.delivery.accepted.extend(rows);
    }

    fn split_by_time(&mut self, rows: Vec<usize>) {
        let mut groups = self.batch.by_time(&rows, LIMITED_SPAN);
        if groups.len() == 1 && rows.len() > 1 {
            // By our clock they do not span so much: halves will do.
            let (older, newer) = rows.split_at(rows.len() / 2);
            groups = vec![older.to_vec(), newer.to_vec()];
        }
        for group in groups.into_iter().rev() {
            self.waiting.push_front(group);
        }
    }

    fn split(&mut self, rows: Vec<usize>, reply: Reply) {
        if let [row] = rows[..] {
            self.delivery.refused.push(RefusedRow {
                row,
                reason: reason(&reply),
                request_id: request_id(&reply),
            });
            self.last_refusal = Some(reply);
            return;
        }
        let (first, second) = rows.split_at(rows.len() / 2);
        self.waiting.push_front(second.to_vec());
        self.waiting.push_front(first.to_vec());
    }

    /// Splitting on would cost two calls a row. One row that is taken shows that the stream fits; if none is, the rest
    /// of the batch is not tried.
    async fn sample(&mut self, deadline: Deadline) -> Result<(), DeliveryError> {
        for row in self.spread_rows() {
            self.waiting
                .iter_mut()
                .for_each(|rows| rows.retain(|other| *other != row));
            self.waiting.retain(|rows| !rows.is_empty());
            self.deliver_piece(vec![row], deadline).await?;
            if self.is_proven {
                return Ok(());
            }
        }
        self.waiting.clear();
        Ok(())
    }

    /// Rows that were not tried yet: the last, and some before it, others in every run.
    fn spread_rows(&self) -> Vec<usize> {
        let mut untried: Vec<usize> = self.waiting.iter().flatten().copied().collect();
        untried.sort_unstable();
        let numbers = spread(untried.len(), SAMPLE, self.to.sample_seed());
        numbers
            .into_iter()
            .rev()
            .filter_map(|number| untried.get(number).copied())
            .collect()
    }
}
