//! A batch in as few calls as the service allows: whole, else split by size, by time, or until the row that it cannot
//! take stands alone.

use std::collections::VecDeque;

use chrono::TimeDelta;

use super::LogsIngestion;
use super::answer::{Answer, Refusal};
use super::call::Call;
use crate::destination::{Batch, Delivery, DeliveryError, RefusedRow};
use crate::time::Deadline;

/// What a table takes that was found to limit the span. Source: the service's error
/// `RecordsTimeRangeIsMoreThan30Minutes`.
const NARROW_SPAN: TimeDelta = TimeDelta::minutes(30);
/// After so many rows that were refused alone, none of the batch accepted, the fault may be the stream's and not the
/// rows'.
const SUSPICIOUS_REFUSALS: usize = 8;

/// See the module.
pub struct Pieces<'a> {
    to: &'a LogsIngestion,
    batch: &'a Batch,
    waiting: VecDeque<Vec<usize>>,
    delivery: Delivery,
    /// One row was tried alone to tell a bad stream from bad rows.
    is_proven: bool,
}

impl<'a> Pieces<'a> {
    /// The whole batch, by time where its table is known to limit it.
    pub fn new(to: &'a LogsIngestion, batch: &'a Batch) -> Self {
        let all: Vec<usize> = (0..batch.rows).collect();
        let learned = to.is_narrow(&batch.table).then_some(NARROW_SPAN);
        let waiting = match batch.limits.span.or(learned) {
            Some(longest) => batch.by_time(&all, longest).into(),
            None => VecDeque::from([all]),
        };
        Self {
            to,
            batch,
            waiting,
            delivery: Delivery::default(),
            is_proven: false,
        }
    }

    /// Sends piece after piece. One that cannot be sent now ends it: the others would meet the same.
    pub async fn deliver(mut self, deadline: Deadline) -> Delivery {
        while let Some(rows) = self.waiting.pop_front() {
            let outcome = match self.send(&rows, deadline).await {
                Ok(Answer::Accepted) => {
                    self.delivery.accepted.extend(rows);
                    Ok(())
                }
                Ok(Answer::SpansTooLong) => {
                    self.to.note_narrow(&self.batch.table);
                    self.split_by_time(rows);
                    Ok(())
                }
                Ok(Answer::TooLarge(refusal) | Answer::BadRows(refusal)) => self.split(rows, refusal, deadline).await,
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                self.delivery.error = Some(error);
                break;
            }
        }
        self.delivery
    }

    async fn send(&mut self, rows: &[usize], deadline: Deadline) -> Result<Answer, DeliveryError> {
        let call = Call {
            to: self.to,
            batch: self.batch,
            rows,
        };
        let mut unsure = false;
        let answer = call.send(deadline, &mut unsure).await;
        if unsure {
            self.delivery.unsure += rows.len();
        }
        answer
    }

    fn split_by_time(&mut self, rows: Vec<usize>) {
        let mut groups = self.batch.by_time(&rows, NARROW_SPAN);
        if groups.len() == 1 && rows.len() > 1 {
            // By our clock they do not span so much: halves will do.
            let (older, newer) = rows.split_at(rows.len() / 2);
            groups = vec![older.to_vec(), newer.to_vec()];
        }
        for group in groups.into_iter().rev() {
            self.waiting.push_front(group);
        }
    }

    async fn split(&mut self, rows: Vec<usize>, refusal: Refusal, deadline: Deadline) -> Result<(), DeliveryError> {
        if let [row] = rows[..] {
            self.delivery.refused.push(RefusedRow {
                row,
                reason: refusal.reason,
                request_id: refusal.request_id,
            });
            return self.doubt_the_stream(deadline).await;
        }
        let (first, second) = rows.split_at(rows.len() / 2);
        self.waiting.push_front(second.to_vec());
        self.waiting.push_front(first.to_vec());
        Ok(())
    }

    /// A stream that does not fit its table refuses every row: then nothing is set aside, and all rows are kept.
    async fn doubt_the_stream(&mut self, deadline: Deadline) -> Result<(), DeliveryError> {
        let is_suspicious = self.delivery.accepted.is_empty() && self.delivery.refused.len() >= SUSPICIOUS_REFUSALS;
        if self.is_proven || !is_suspicious {
            return Ok(());
        }
        let Some(last) = self.waiting.back_mut().and_then(Vec::pop) else {
            return Ok(());
        };
        self.waiting.retain(|rows| !rows.is_empty());
        self.is_proven = true;
        match self.send(&[last], deadline).await? {
            Answer::Accepted => {
                self.delivery.accepted.push(last);
                Ok(())
            }
            Answer::SpansTooLong => {
                self.waiting.push_back(vec![last]);
                Ok(())
            }
            Answer::TooLarge(refusal) | Answer::BadRows(refusal) => {
                self.delivery.refused.clear();
                let call = Call {
                    to: self.to,
                    batch: self.batch,
                    rows: &(0..self.batch.rows).collect::<Vec<_>>(),
                };
                Err(call.refused(&refusal.reply))
            }
        }
    }
}
