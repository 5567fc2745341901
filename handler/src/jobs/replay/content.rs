//! What becomes of a dead letter: rows of the tables that are configured now.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::delivery::{EventRow, TableRoute, no_row};
use crate::event::{Identity, StreamName};
use crate::jobs::plan::{Plans, StreamPlan};
use crate::json::{Kind, kind};
use crate::sources::WebhookFormat;
use crate::state::Letter;
use crate::tables::RowContext;

/// What a letter is worth.
pub enum ReplayContent {
    /// Rows, each with the table it goes to.
    Rows(Vec<(TableRoute, EventRow)>),
    /// It holds no row and cannot become one.
    Unusable,
    /// Its source or table is not configured.
    Unknown,
}

/// What a dead letter is worth with what is configured now.
pub fn content_of(plans: &Plans, letter: &Letter, now: DateTime<Utc>) -> ReplayContent {
    let at = letter.at.parse().unwrap_or(now);
    if let (Some(table), Some(row)) = (&letter.table, &letter.row) {
        let targets = targets_of(plans, |name| is_instance_of(letter, name));
        let target = targets.into_iter().find(|target| *target.table.name() == **table);
        return match target {
            Some(target) => ReplayContent::Rows(vec![(target, EventRow::made_before(row.get(), at))]),
            None => ReplayContent::Unknown,
        };
    }
    let Some(event) = letter.event.as_ref().filter(|event| kind(event.get()) == Kind::Object) else {
        return ReplayContent::Unusable;
    };
    let targets = targets_of(plans, |name| is_stream_of(letter, name));
    if targets.is_empty() {
        return ReplayContent::Unknown;
    }
    let context = RowContext {
        arrival: at,
        constant_fields: constant_fields_of(plans, letter),
    };
    let mut rows = Vec::new();
    for target in targets {
        let is_named = || is_named(plans, letter, event.get());
        if let Ok(row) = EventRow::of_event(&target, event.get(), context, is_named) {
            rows.push((target, row));
        }
    }
    match rows.is_empty() {
        true => ReplayContent::Unusable,
        false => ReplayContent::Rows(rows),
    }
}

/// What the source gives to every event of the letter's stream.
fn constant_fields_of<'p>(plans: &'p Plans, letter: &Letter) -> &'p [(&'static str, String)] {
    match plans.streams.iter().find(|plan| is_stream_of(letter, plan.name())) {
        Some(StreamPlan::Consumed(plan)) => plan.stream.constant_fields(),
        _ => &[],
    }
}

/// True if the stream of a letter names the event by more than its content, or by nothing else ever.
fn is_named(plans: &Plans, letter: &Letter, event: &str) -> bool {
    let of_form = |form: &WebhookFormat| form.is_named_by_content || no_row::is_named(event, &form.key_of(event));
    let mut drains = plans.drains.iter();
    if let Some(drain) = drains.find(|drain| is_stream_of(letter, drain.form.name())) {
        return of_form(&drain.form);
    }
    match plans.streams.iter().find(|plan| is_stream_of(letter, plan.name())) {
        Some(StreamPlan::Windows(plan)) => {
            let pushed = plan.pushed.as_ref();
            no_row::is_named(event, &plan.stream.key_of(event)) || pushed.is_some_and(|pushed| of_form(&pushed.form))
        }
        Some(StreamPlan::Snapshot(plan)) => no_row::is_named(event, &plan.stream.key_of(event)),
        Some(StreamPlan::Consumed(plan)) => plan.stream.identity_of(event) != Identity::of_content(event),
        None => false,
    }
}

/// The tables of some streams.
fn targets_of(plans: &Plans, is_meant: impl Fn(&StreamName) -> bool) -> Vec<TableRoute> {
    let mut targets: Vec<TableRoute> = Vec::new();
    let mut add = |target: &TableRoute| {
        if !targets.iter().any(|known| Arc::ptr_eq(&known.table, &target.table)) {
            targets.push(target.clone());
        }
    };
    for plan in plans.streams.iter().filter(|plan| is_meant(plan.name())) {
        match plan {
            StreamPlan::Windows(plan) => plan.targets.iter().for_each(&mut add),
            StreamPlan::Snapshot(plan) => plan.targets.iter().for_each(&mut add),
            StreamPlan::Consumed(plan) => add(&plan.target),
        }
    }
    for drain in plans.drains.iter().filter(|drain| is_meant(drain.form.name())) {
        add(&drain.target);
    }
    targets
}

fn is_stream_of(letter: &Letter, name: &StreamName) -> bool {
    is_instance_of(letter, name) && name.stream == letter.stream
}

fn is_instance_of(letter: &Letter, name: &StreamName) -> bool {
    name.source == letter.source && name.instance == letter.instance
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Schedule;
    use crate::jobs::testing::{RowKeeper, TestRun};
    use crate::state::{DeadLetter, DeadLetters};

    #[tokio::test(start_paused = true)]
    async fn an_event_of_a_consumed_stream_has_the_fields_that_its_source_adds() {
        let run = TestRun::new().await;
        let plan = run.consume_plan(Arc::new(RowKeeper::default()));
        let plans = Plans {
            streams: vec![StreamPlan::Consumed(plan)],
            drains: Vec::new(),
            disabled: Vec::new(),
            disabled_streams: Vec::new(),
            schedule: Schedule::parse("0 * * * * *").unwrap(),
        };
        let dead_letters = DeadLetters::new(run.store.clone());
        let event = r#"{"id":"a","source":"x"}"#.to_owned();
        let letters = [DeadLetter::of_event("no reason".to_owned(), event)];
        dead_letters.keep(&run.stream, &letters, run.clock.now()).await.unwrap();
        let key = dead_letters.files().await.unwrap().remove(0);
        let file = dead_letters.read(&key).await.unwrap().unwrap();
        let ReplayContent::Rows(rows) = content_of(&plans, &file.letters[0], run.clock.now()) else {
            panic!("it is a row")
        };
        let row: serde_json::Value = serde_json::from_slice(&rows[0].1.bytes).unwrap();
        assert_eq!((&row["Id"], &row["AccountId"]), (&"a".into(), &"the account".into()));
    }
}
