//! Sends dead letters again: rows that a destination refused, and events that can become rows by now.

mod file;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::file::FileReplay;
use crate::delivery::{EventRow, TableRoute, no_row};
use crate::event::{Identity, StreamName};
use crate::jobs::plan::StreamPlan;
use crate::jobs::run::Poller;
use crate::json::{Kind, kind};
use crate::sources::WebhookFormat;
use crate::state::{DeadLetters, LeaseAttempt, Letter, StoreError};
use crate::tables::RowContext;
use crate::time::Deadline;

const LEASE: &str = "dead-letters";

/// What came of it.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Letters that are delivered and gone.
    pub sent: usize,
    /// Letters that were refused again and stay.
    pub refused: usize,
    /// Letters that hold no row and cannot become one.
    pub unusable: usize,
    /// Letters of sources or tables that are not configured.
    pub unknown: usize,
    /// Letters that could not be sent now, with the last reason.
    pub failed: Option<(usize, String)>,
    /// Rows that are delivered, by stream and table.
    pub rows: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Why nothing was replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else is at it.
    #[error("the dead letters are being replayed already: the lease is {0}")]
    Held(String),
}

/// What a letter is worth.
pub enum ReplayContent {
    /// Rows, each with the table it goes to.
    Rows(Vec<(TableRoute, EventRow)>),
    /// It holds no row and cannot become one.
    Unusable,
    /// Its source or table is not configured.
    Unknown,
}

impl Poller {
    /// Sends every dead letter that can be sent. A letter goes when all its rows are accepted.
    pub async fn replay_dead_letters(&self, deadline: Deadline) -> Result<Replayed, ReplayError> {
        let lease = match self.store.try_lease(LEASE, &self.holder).await? {
            LeaseAttempt::Taken(lease) => lease,
            LeaseAttempt::Held(held) => return Err(ReplayError::Held(held.to_string())),
        };
        let dead_letters = DeadLetters::new(lease.guard(self.store.clone()));
        let outcome = self.replay_files(&dead_letters, deadline).await;
        lease.give_back().await;
        if let Ok(replayed) = &outcome {
            self.remember_replayed(&replayed.rows).await;
        }
        Ok(outcome?)
    }

    async fn replay_files(&self, dead_letters: &DeadLetters, deadline: Deadline) -> Result<Replayed, StoreError> {
        let mut replayed = Replayed::default();
        let (mut writable, mut failing) = (false, BTreeMap::new());
        for key in dead_letters.files().await? {
            if self.stop.is_requested() || deadline.has_passed() {
                break;
            }
            let file = match dead_letters.read(&key).await {
                Ok(Some(file)) => file,
                Ok(None) => continue,
                Err(error @ (StoreError::Damaged { .. } | StoreError::UnknownVersion { .. })) => {
                    log::warn!(file = key.as_str(); "{error}");
                    replayed.unusable += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut replay = FileReplay::new(file, |letter| self.content_of(letter), &mut replayed);
            let ended = replay
                .run((dead_letters, &mut writable), &mut failing, (deadline, &self.stop))
                .await;
            replay.count(&mut replayed);
            ended?;
        }
        Ok(replayed)
    }

    fn content_of(&self, letter: &Letter) -> ReplayContent {
        let at = letter.at.parse().unwrap_or_else(|_| self.clock.now());
        if let (Some(table), Some(row)) = (&letter.table, &letter.row) {
            let targets = self.targets_of(&letter.source, &letter.instance, None);
            let target = targets.into_iter().find(|target| *target.table.name() == **table);
            return match target {
                Some(target) => ReplayContent::Rows(vec![(target, EventRow::made_before(row.get(), at))]),
                None => ReplayContent::Unknown,
            };
        }
        let Some(event) = letter.event.as_ref().filter(|event| kind(event.get()) == Kind::Object) else {
            return ReplayContent::Unusable;
        };
        let targets = self.targets_of(&letter.source, &letter.instance, Some(&letter.stream));
        if targets.is_empty() {
            return ReplayContent::Unknown;
        }
        let context = RowContext {
            arrival: at,
            given: self.given_of(letter),
        };
        let mut rows = Vec::new();
        for target in targets {
            let is_named = || self.is_named(letter, event.get());
            if let Ok(row) = EventRow::of_event(&target.table, event.get(), context, is_named) {
                rows.push((target, row));
            }
        }
        match rows.is_empty() {
            true => ReplayContent::Unusable,
            false => ReplayContent::Rows(rows),
        }
    }

    /// What the source gives to every event of the letter's stream.
    fn given_of(&self, letter: &Letter) -> &[(&'static str, String)] {
        let plan = self.plans.iter().find(|plan| is_stream_of(letter, plan.name()));
        match plan {
            Some(StreamPlan::Consumed(plan)) => plan.stream.given(),
            _ => &[],
        }
    }

    /// True if the stream of a letter names the event by more than its content, or by nothing else ever.
    fn is_named(&self, letter: &Letter, event: &str) -> bool {
        let is_meant = |name: &StreamName| is_stream_of(letter, name);
        let of_form =
            |form: &dyn WebhookFormat| form.is_named_by_content() || no_row::is_named(event, &form.key_of(event));
        let drain = self.drains.iter().find(|drain| is_meant(drain.form.name()));
        if let Some(drain) = drain {
            return of_form(&*drain.form);
        }
        let plan = self.plans.iter().find(|plan| is_meant(plan.name()));
        match plan {
            Some(StreamPlan::Windows(plan)) => {
                let pushed = plan.pushed.as_ref();
                no_row::is_named(event, &plan.stream.key_of(event))
                    || pushed.is_some_and(|pushed| of_form(&*pushed.form))
            }
            Some(StreamPlan::Snapshot(plan)) => no_row::is_named(event, &plan.stream.key_of(event)),
            Some(StreamPlan::Consumed(plan)) => plan.stream.identity_of(event) != Identity::of_content(event),
            None => false,
        }
    }

    /// The tables of an instance, or of one of its streams.
    fn targets_of(&self, source: &str, instance: &str, stream: Option<&str>) -> Vec<TableRoute> {
        let is_meant = |name: &StreamName| {
            name.source == source && name.instance == instance && stream.is_none_or(|stream| name.stream == stream)
        };
        let mut targets: Vec<TableRoute> = Vec::new();
        let mut add = |target: &TableRoute| {
            if !targets.iter().any(|known| Arc::ptr_eq(&known.table, &target.table)) {
                targets.push(target.clone());
            }
        };
        for plan in self.plans.iter().filter(|plan| is_meant(plan.name())) {
            match plan {
                StreamPlan::Windows(plan) => plan.targets.iter().for_each(&mut add),
                StreamPlan::Snapshot(plan) => plan.targets.iter().for_each(&mut add),
                StreamPlan::Consumed(plan) => add(&plan.target),
            }
        }
        self.drains
            .iter()
            .filter(|drain| is_meant(drain.form.name()))
            .for_each(|drain| add(&drain.target));
        targets
    }
}

fn is_stream_of(letter: &Letter, name: &StreamName) -> bool {
    name.source == letter.source && name.instance == letter.instance && name.stream == letter.stream
}
